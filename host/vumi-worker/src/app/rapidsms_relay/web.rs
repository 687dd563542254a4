//! The relay's web server: RapidSMS posts messages for users here (specification: rapidsms_relay, section 3).
//!
//! | Path | Method | Answer |
//! |---|---|---|
//! | `/health` | GET | 200 `OK`, for everybody |
//! | `web_path` | GET, POST, PUT | 200 and the messages sent, or 400, 401, 413, 500, 503 and a sentence |

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use vumi_core::feed::{Happening, worker_name};
use vumi_core::{Error, Result};
use vumi_message::json;

use super::config::HEALTH;
use super::deliver::Refusal;
use super::{Door, Relay};
use crate::bounded::Bounded;
use vumi_core::secret::{Secret, same};

/// The largest request body in bytes: some fifty thousand addresses.
const BODY_LIMIT: usize = 1 << 20;

/// Connections at a time.
const CONNECTIONS: usize = 256;

/// How long nothing may move on a connection.
const IDLE: Duration = Duration::from_secs(60);

/// How long a request body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// How long requests that are under way may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until `shutdown` ends, then finishes what is under way.
///
/// # Errors
/// When the address is not to be had, or the listener fails.
pub(super) async fn serve(relay: Arc<Relay>, shutdown: CancellationToken) -> Result<()> {
    let Door { host, port, .. } = &relay.door;
    let failed = |error: std::io::Error| {
        Error::temporary(format!("the web server cannot listen on {host}:{port} (web_host, web_port)")).because(error)
    };
    let listener = TcpListener::bind((host.as_str(), *port)).await.map_err(failed)?;
    let at = listener.local_addr().map_err(failed)?;
    if !at.ip().to_canonical().is_loopback() && relay.door.credentials.is_none() {
        tracing::warn!(app = relay.app, %at, "everybody who reaches the web server may send messages: set vumi_username");
    }
    relay.feed.tell(|| Happening::Ready { name: worker_name("app", &relay.app), at: Some(at.to_string()) });
    let app = Router::new().fallback(answer).with_state(Arc::clone(&relay));
    let server = axum::serve(Bounded::with_bounds(listener, CONNECTIONS, IDLE), app)
        .with_graceful_shutdown(shutdown.clone().cancelled_owned())
        .into_future();
    let out_of_patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server => ended.map_err(|error| Error::temporary("the web server failed").because(error)),
        () = out_of_patience => {
            tracing::warn!(app = relay.app, "requests were still under way when the web server stopped");
            Ok(())
        }
    }
}

async fn answer(State(relay): State<Arc<Relay>>, request: Request) -> Response {
    let path = request.uri().path().trim_matches('/').to_owned();
    if path == HEALTH {
        return match *request.method() {
            Method::GET | Method::HEAD => "OK".into_response(),
            _ => (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response(),
        };
    }
    if path != relay.door.path {
        return (StatusCode::NOT_FOUND, "Not Found").into_response();
    }
    let method = request.method().clone();
    let response = if !relay.door.opens_for(request.headers()) {
        let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"RapidSMS Relay\"")];
        (StatusCode::UNAUTHORIZED, challenge, "Unauthorized").into_response()
    } else if matches!(method, Method::GET | Method::POST | Method::PUT) {
        send(&relay, request.into_body()).await
    } else {
        (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, POST, PUT")]).into_response()
    };
    tracing::info!(app = relay.app, "{method} /{path} {}", response.status().as_u16());
    response
}

/// The send handler; all of its answers say that they are JSON, as in Vumi.
async fn send(relay: &Relay, body: Body) -> Response {
    let (status, text) = match read(body).await {
        Ok(body) => match relay.carry_out(&body).await {
            Ok(sent) => (StatusCode::OK, json::to_text(&Value::Array(sent))),
            Err(Refusal::Bad(text)) => (StatusCode::BAD_REQUEST, text),
            Err(Refusal::Busy) => {
                (StatusCode::SERVICE_UNAVAILABLE, "Too many messages are waiting to be sent.".to_owned())
            }
            Err(Refusal::Failed(text)) => {
                tracing::error!(app = relay.app, "a request of RapidSMS failed: {text}");
                (StatusCode::INTERNAL_SERVER_ERROR, text)
            }
        },
        Err(refused) => refused,
    };
    let mut response = (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], text).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

async fn read(body: Body) -> Result<Vec<u8>, (StatusCode, String)> {
    let broken = |_| (StatusCode::BAD_REQUEST, "The request body broke off.".to_owned());
    let reading = async {
        let mut stream = body.into_data_stream();
        let mut all = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(broken)?;
            if all.len() + chunk.len() > BODY_LIMIT {
                let text = format!("The request body has more than {BODY_LIMIT} bytes.");
                return Err((StatusCode::PAYLOAD_TOO_LARGE, text));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    };
    tokio::time::timeout(BODY_TIME, reading)
        .await
        .unwrap_or_else(|_| Err((StatusCode::REQUEST_TIMEOUT, "The request body did not arrive in time.".to_owned())))
}

impl Door {
    /// Whether a request may come in. Who says who he is must be known, even where nobody is asked.
    fn opens_for(&self, headers: &HeaderMap) -> bool {
        match (&self.credentials, headers.get(AUTHORIZATION)) {
            (None, None) => true,
            (Some((username, password)), Some(given)) => is_pair(username, password, given.as_bytes()),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
}

/// Whether a header `Authorization` gives this user name and password. Both are always compared.
fn is_pair(username: &str, password: &Secret, header: &[u8]) -> bool {
    const SCHEME: usize = "basic ".len();
    let Some((scheme, encoded)) = header.split_at_checked(SCHEME) else { return false };
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return false;
    }
    let Ok(pair) = STANDARD.decode(encoded.trim_ascii()) else { return false };
    let Some(colon) = pair.iter().position(|byte| *byte == b':') else { return false };
    let (name, rest) = pair.split_at(colon);
    let name_is_right = same(username.as_bytes(), name);
    let password_is_right = password.matches(rest.get(1..).unwrap_or_default());
    name_is_right & password_is_right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pair_opens() {
        let (name, password) = ("zoë", Secret::new("pä:ss"));
        let header = |scheme: &str, pair: &str| format!("{scheme} {}", STANDARD.encode(pair)).into_bytes();
        assert!(is_pair(name, &password, &header("Basic", "zoë:pä:ss")));
        assert!(is_pair(name, &password, &header("bAsIC", "zoë:pä:ss")));
        for pair in ["zoë:", "zoë", ":pä:ss", "", ":", "zoë:pä:ss ", "ZOË:pä:ss"] {
            assert!(!is_pair(name, &password, &header("Basic", pair)), "{pair}");
        }
        assert!(!is_pair(name, &password, &header("Bearer", "zoë:pä:ss")));
        for odd in ["", "Basic", "Basic ", "Basic ???", "Basic\u{0}"] {
            assert!(!is_pair(name, &password, odd.as_bytes()), "{odd:?}");
        }
    }
}
