//! Tests of the outgoing web: real servers, all on loopback addresses.

mod addresses;
mod allow;
mod headers;
mod limits;
mod names;
mod redirects;
mod server;

use std::time::Duration;

use super::{DATA_LIMIT, Method, WebBudget, WebClient, WebError, WebPolicy, WebRequest, WebResponse};

fn policy(allow: &[&str]) -> WebPolicy {
    let allow: Vec<String> = allow.iter().map(|entry| (*entry).to_owned()).collect();
    WebPolicy::parse(&allow).expect("the allow-list is valid")
}

fn request(method: Method, url: &str) -> WebRequest {
    WebRequest { method, url: url.to_owned(), headers: Vec::new(), body: None }
}

/// Generous in time, so that a slow machine fails no test that is not about time.
fn budget() -> WebBudget {
    WebBudget { timeout: Duration::from_secs(20), data_limit: DATA_LIMIT, bytes_left: 10 << 20 }
}

/// Sends one request with a client of its own, under the default limits.
async fn send(allow: &[&str], request: WebRequest) -> Result<WebResponse, WebError> {
    WebClient::new(policy(allow)).request(request, &mut budget()).await
}

async fn get(allow: &[&str], url: &str) -> Result<WebResponse, WebError> {
    send(allow, request(Method::Get, url)).await
}
