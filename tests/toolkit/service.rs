//! A web service for the apps to ask, on a loopback port. It answers `/echo` with what it was asked, as JSON; `/teapot`
//! with a status 418; `/broken` with a body that is no JSON.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::any;
use serde_json::json;

/// Starts it on the current runtime.
pub async fn serve() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let service = Router::new()
        .route("/echo", any(echo))
        .route("/teapot", any(|| async { (StatusCode::IM_A_TEAPOT, r#"{"short":true}"#) }))
        .route("/broken", any(|| async { "{not JSON" }));
    tokio::spawn(async move { axum::serve(listener, service).await.expect("it serves") });
    address
}

async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> String {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().expect("text").to_owned());
    json!({
        "method": method.as_str(),
        "query": uri.query(),
        "body": String::from_utf8(body.to_vec()).expect("text"),
        "app": header("x-app"),
        "type": header("content-type"),
        "authorization": header("authorization"),
    })
    .to_string()
}
