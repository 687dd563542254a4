//! Queues and the dead letters beside them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::ApiState;
use super::params::{self, LimitParams};
use crate::extract::{ApiPath, ApiQuery};
use crate::model::{DeadLetter, QueueInfo};
use crate::problem::Problem;

/// All queues with their depths
#[utoipa::path(
    get, path = "/queues", tag = "queues", operation_id = "queues",
    responses((status = 200, body = Vec<QueueInfo>)),
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Result<Json<Vec<QueueInfo>>, Problem> {
    Ok(Json(state.control.queues().await?))
}

/// The dead letters of a queue, oldest first, with the reason of each
#[utoipa::path(
    get, path = "/queues/{name}/dead", tag = "queues", operation_id = "dead_letters",
    params(("name" = String, Path, description = "The queue's name, without `.dead`"), LimitParams),
    responses((status = 200, body = Vec<DeadLetter>), (status = 400, body = Problem), (status = 404, body = Problem)),
)]
pub(crate) async fn dead(
    State(state): State<ApiState>,
    ApiPath(name): ApiPath<String>,
    ApiQuery(query): ApiQuery<LimitParams>,
) -> Result<Json<Vec<DeadLetter>>, Problem> {
    let limit = params::limit(query.limit)?;
    Ok(Json(state.control.dead_letters(&name, limit).await?))
}

/// Send a dead letter again
///
/// It goes back to its queue; once the broker has confirmed that, it is no dead letter any more.
#[utoipa::path(
    post, path = "/queues/{name}/dead/{id}/requeue", tag = "queues", operation_id = "requeue_dead_letter",
    params(("name" = String, Path, description = "The queue's name"), ("id" = String, Path, description = "The letter's id")),
    responses(
        (status = 204, description = "It is in its queue again"),
        (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The queue is full"),
    ),
)]
pub(crate) async fn requeue(
    State(state): State<ApiState>,
    ApiPath((name, id)): ApiPath<(String, String)>,
) -> Result<StatusCode, Problem> {
    state.control.requeue_dead_letter(&name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Drop a dead letter for good
#[utoipa::path(
    delete, path = "/queues/{name}/dead/{id}", tag = "queues", operation_id = "drop_dead_letter",
    params(("name" = String, Path, description = "The queue's name"), ("id" = String, Path, description = "The letter's id")),
    responses((status = 204, description = "It is gone"), (status = 404, body = Problem)),
)]
pub(crate) async fn drop_one(
    State(state): State<ApiState>,
    ApiPath((name, id)): ApiPath<(String, String)>,
) -> Result<StatusCode, Problem> {
    state.control.drop_dead_letter(&name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
