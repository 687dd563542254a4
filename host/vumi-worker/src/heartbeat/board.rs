//! The monitor's web pages (specification: metrics, section 8).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse};
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde_json::Value;
use vumi_core::Clock;

use super::watch::Watch;

/// What the pages show, and the time.
#[derive(Clone)]
pub(super) struct Board {
    pub(super) watch: Arc<Watch>,
    pub(super) clock: Arc<dyn Clock>,
}

/// `GET /status.json`, `GET /status`, `GET /health`, and `DELETE /components/<uuid>`, which forgets a component.
pub(super) fn routes(board: Board) -> Router {
    Router::new()
        .route("/status.json", get(json))
        .route("/status", get(html))
        .route("/components/{uuid}", delete(forget))
        .route("/health", get(|| async { "OK" }))
        .with_state(board)
}

async fn json(State(board): State<Board>) -> Json<Value> {
    Json(board.watch.json(board.clock.now().secs()))
}

async fn html(State(board): State<Board>) -> impl IntoResponse {
    let page = board.watch.html(board.clock.now().secs());
    ([(CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'")], Html(page))
}

async fn forget(State(board): State<Board>, Path(uuid): Path<String>) -> StatusCode {
    if board.watch.forget(&uuid) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}
