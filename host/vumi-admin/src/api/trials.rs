//! Trying a version on real traffic: as a canary, which answers a share of the conversations, or in the shadow, where
//! it runs beside the live version and sends nothing.

use axum::Json;
use axum::extract::State;

use super::params::PageParams;
use super::{ApiState, checks};
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::model::{CanaryInfo, DeploymentInfo, DifferenceView, Page, SetShadow};
use crate::problem::Problem;

/// Let a version answer a share of the conversations
///
/// A conversation stays with the version that its user's address falls to.
#[utoipa::path(
    put, path = "/deployments/{app}/canary", tag = "deployments", operation_id = "set_canary",
    params(("app" = String, Path, description = "The app's name")),
    request_body = CanaryInfo,
    responses(
        (status = 200, body = DeploymentInfo),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn set_canary(
    State(state): State<ApiState>,
    ApiPath(app): ApiPath<String>,
    ApiJson(canary): ApiJson<CanaryInfo>,
) -> Result<Json<DeploymentInfo>, Problem> {
    checks::app(&app)?;
    checks::canary(&canary)?;
    Ok(Json(state.control.deployments().canary(&app, Some(canary)).await?))
}

/// End the canary
#[utoipa::path(
    delete, path = "/deployments/{app}/canary", tag = "deployments", operation_id = "end_canary",
    params(("app" = String, Path, description = "The app's name")),
    responses((status = 200, body = DeploymentInfo), (status = 400, body = Problem), (status = 404, body = Problem)),
)]
pub(crate) async fn end_canary(
    State(state): State<ApiState>,
    ApiPath(app): ApiPath<String>,
) -> Result<Json<DeploymentInfo>, Problem> {
    checks::app(&app)?;
    Ok(Json(state.control.deployments().canary(&app, None).await?))
}

/// Run a version in the shadow
#[utoipa::path(
    put, path = "/deployments/{app}/shadow", tag = "deployments", operation_id = "set_shadow",
    params(("app" = String, Path, description = "The app's name")),
    request_body = SetShadow,
    responses(
        (status = 200, body = DeploymentInfo),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn set_shadow(
    State(state): State<ApiState>,
    ApiPath(app): ApiPath<String>,
    ApiJson(order): ApiJson<SetShadow>,
) -> Result<Json<DeploymentInfo>, Problem> {
    checks::app(&app)?;
    Ok(Json(state.control.deployments().shadow(&app, Some(order.version)).await?))
}

/// End the shadow
#[utoipa::path(
    delete, path = "/deployments/{app}/shadow", tag = "deployments", operation_id = "end_shadow",
    params(("app" = String, Path, description = "The app's name")),
    responses((status = 200, body = DeploymentInfo), (status = 400, body = Problem), (status = 404, body = Problem)),
)]
pub(crate) async fn end_shadow(
    State(state): State<ApiState>,
    ApiPath(app): ApiPath<String>,
) -> Result<Json<DeploymentInfo>, Problem> {
    checks::app(&app)?;
    Ok(Json(state.control.deployments().shadow(&app, None).await?))
}

/// The newest differences between the live version and the shadow
#[utoipa::path(
    get, path = "/deployments/{app}/differences", tag = "deployments", operation_id = "differences",
    params(("app" = String, Path, description = "The app's name"), PageParams),
    responses(
        (status = 200, body = Page<DifferenceView>),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn differences(
    State(state): State<ApiState>,
    ApiPath(app): ApiPath<String>,
    ApiQuery(params): ApiQuery<PageParams>,
) -> Result<Json<Page<DifferenceView>>, Problem> {
    checks::app(&app)?;
    Ok(Json(state.control.deployments().differences(&app, params.page()?).await?))
}
