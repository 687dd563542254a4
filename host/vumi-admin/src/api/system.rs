//! The host and its transports and dispatchers.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::ApiState;
use crate::model::{DispatcherInfo, SystemInfo, TransportInfo, WorkerInfo};
use crate::problem::Problem;

/// This description
#[utoipa::path(
    get, path = "/openapi.json", tag = "system",
    responses((status = 200, body = serde_json::Value, description = "OpenAPI 3.1")),
)]
pub(crate) async fn openapi(State(state): State<ApiState>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (headers, state.document.to_string()).into_response()
}

/// Version, storage, addresses, warnings
#[utoipa::path(get, path = "/system", tag = "system", responses((status = 200, body = SystemInfo)))]
pub(crate) async fn system(State(state): State<ApiState>) -> Result<Json<SystemInfo>, Problem> {
    Ok(Json(state.control.system().await?))
}

/// All transports
#[utoipa::path(get, path = "/transports", tag = "system", responses((status = 200, body = Vec<TransportInfo>)))]
pub(crate) async fn transports(State(state): State<ApiState>) -> Result<Json<Vec<TransportInfo>>, Problem> {
    Ok(Json(state.control.transports().await?))
}

/// All dispatchers
#[utoipa::path(get, path = "/dispatchers", tag = "system", responses((status = 200, body = Vec<DispatcherInfo>)))]
pub(crate) async fn dispatchers(State(state): State<ApiState>) -> Result<Json<Vec<DispatcherInfo>>, Problem> {
    Ok(Json(state.control.dispatchers().await?))
}

/// All workers that stand beside the conversation
#[utoipa::path(get, path = "/workers", tag = "system", responses((status = 200, body = Vec<WorkerInfo>)))]
pub(crate) async fn workers(State(state): State<ApiState>) -> Result<Json<Vec<WorkerInfo>>, Problem> {
    Ok(Json(state.control.workers().await?))
}
