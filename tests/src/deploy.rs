//! Deploying to a running host, through its API.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::http::{self, Answer};

/// Uploads a component; `options` are the query's, e.g. `activate=true`.
///
/// # Errors
/// Those of the connection.
pub fn upload(admin: SocketAddr, app: &str, component: &[u8], options: &str) -> std::io::Result<Answer> {
    let path = format!("/api/v1/deployments/{app}/versions?{options}");
    http::send(admin, "POST", &path, "application/wasm", component)
}

/// An order about a deployed app, and what the app is then.
///
/// # Panics
/// When it is not carried out.
pub fn order(admin: SocketAddr, method: &str, path: &str, body: Option<&Value>) -> Value {
    let path = format!("/api/v1/deployments/{path}");
    let answer = http::request(admin, method, &path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

/// Makes a version answer.
///
/// # Panics
/// When that is refused.
pub fn activate(admin: SocketAddr, app: &str, version: u64) -> Value {
    order(admin, "POST", &format!("{app}/activate"), Some(&json!({"version": version})))
}

/// Makes the version before answer again.
///
/// # Panics
/// When that is refused.
pub fn roll_back(admin: SocketAddr, app: &str) -> Value {
    order(admin, "POST", &format!("{app}/rollback"), None)
}
