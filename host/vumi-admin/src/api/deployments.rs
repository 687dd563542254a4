//! Apps that were deployed to the running host: which version answers, and with which settings.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::{ApiState, checks};
use crate::extract::{ApiJson, ApiPath};
use crate::model::{Activate, DeploymentInfo};
use crate::problem::Problem;

/// All deployed apps
#[utoipa::path(
    get, path = "/deployments", tag = "deployments", operation_id = "deployments",
    responses((status = 200, body = Vec<DeploymentInfo>)),
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Result<Json<Vec<DeploymentInfo>>, Problem> {
    Ok(Json(state.control.deployments().list().await?))
}

/// One deployed app with its versions
#[utoipa::path(
    get, path = "/deployments/{app}", tag = "deployments", operation_id = "deployment",
    params(("app" = String, Path, description = "The app's name")),
    responses((status = 200, body = DeploymentInfo), (status = 400, body = Problem), (status = 404, body = Problem)),
)]
pub(crate) async fn one(
    State(state): State<ApiState>,
    ApiPath(app): ApiPath<String>,
) -> Result<Json<DeploymentInfo>, Problem> {
    checks::app(&app)?;
    Ok(Json(state.control.deployments().one(&app).await?))
}

/// Take an app out of service and remove it
///
/// Its versions, settings and secrets go with it; what it keeps in its kv stays.
#[utoipa::path(
    delete, path = "/deployments/{app}", tag = "deployments", operation_id = "remove_deployment",
    params(("app" = String, Path, description = "The app's name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn remove(
    State(state): State<ApiState>,
    ApiPath(app): ApiPath<String>,
) -> Result<StatusCode, Problem> {
    checks::app(&app)?;
    state.control.deployments().remove(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a version the one that answers
///
/// Runs that are under way end with the version they began with; no message is lost or answered twice.
#[utoipa::path(
    post, path = "/deployments/{app}/activate", tag = "deployments", operation_id = "activate",
    params(("app" = String, Path, description = "The app's name")),
    request_body = Activate,
    responses(
        (status = 200, body = DeploymentInfo),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The app has changed since `generation`"),
    ),
)]
pub(crate) async fn activate(
    State(state): State<ApiState>,
    ApiPath(app): ApiPath<String>,
    ApiJson(order): ApiJson<Activate>,
) -> Result<Json<DeploymentInfo>, Problem> {
    checks::app(&app)?;
    Ok(Json(state.control.deployments().activate(&app, order.version, order.generation).await?))
}

/// Make the version that answered before answer again
#[utoipa::path(
    post, path = "/deployments/{app}/rollback", tag = "deployments", operation_id = "roll_back",
    params(("app" = String, Path, description = "The app's name")),
    responses(
        (status = 200, body = DeploymentInfo),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "No version answered before"),
    ),
)]
pub(crate) async fn roll_back(
    State(state): State<ApiState>,
    ApiPath(app): ApiPath<String>,
) -> Result<Json<DeploymentInfo>, Problem> {
    checks::app(&app)?;
    Ok(Json(state.control.deployments().roll_back(&app).await?))
}

/// Replace the settings
#[utoipa::path(
    put, path = "/deployments/{app}/settings", tag = "deployments", operation_id = "set_settings",
    params(("app" = String, Path, description = "The app's name")),
    request_body(
        content = serde_json::Value,
        description = "An object with the keys of `vumi-host config explain deployment`, at most 16 KiB",
    ),
    responses(
        (status = 200, body = DeploymentInfo),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn settings(
    State(state): State<ApiState>,
    ApiPath(app): ApiPath<String>,
    ApiJson(settings): ApiJson<Map<String, Value>>,
) -> Result<Json<DeploymentInfo>, Problem> {
    checks::app(&app)?;
    checks::settings(&settings)?;
    Ok(Json(state.control.deployments().settings(&app, settings).await?))
}
