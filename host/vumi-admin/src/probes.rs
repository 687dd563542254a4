//! What machines ask: is the host well, and what do its meters show?

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::ApiState;
use crate::model::{Health, HealthStatus};

/// Whether the host may be sent traffic
///
/// Answers from memory and needs no token.
#[utoipa::path(
    get, path = "/health", tag = "probes",
    responses(
        (status = 200, body = Health, description = "All workers do their work"),
        (status = 503, body = Health, description = "The host is stopping, or a worker is down"),
    ),
    security(()),
)]
pub(crate) async fn health(State(state): State<ApiState>) -> Response {
    let health = state.control.health();
    let status = match health.status {
        HealthStatus::Ok => StatusCode::OK,
        HealthStatus::Draining | HealthStatus::Down => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(health)).into_response()
}

/// All metrics in Prometheus' text format
#[utoipa::path(
    get, path = "/metrics", tag = "probes",
    responses((status = 200, body = String, content_type = "text/plain; version=0.0.4; charset=utf-8")),
)]
pub(crate) async fn metrics(State(state): State<ApiState>) -> Response {
    let text = state.control.metrics_text().await;
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
