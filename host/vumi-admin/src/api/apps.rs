//! Applications: what they are, how their runs went, what they logged and keep.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::ApiState;
use super::params::{self, PageParams};
use crate::extract::{ApiPath, ApiQuery};
use crate::model::{AppInfo, KvListing, LogLine, Page, RunView};
use crate::problem::Problem;

/// Which keys.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct KvParams {
    /// Only keys that begin with this.
    prefix: Option<String>,
    /// At most so many; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// All apps
#[utoipa::path(get, path = "/apps", tag = "apps", operation_id = "apps", responses((status = 200, body = Vec<AppInfo>)))]
pub(crate) async fn list(State(state): State<ApiState>) -> Result<Json<Vec<AppInfo>>, Problem> {
    Ok(Json(state.control.apps().await?))
}

/// One app
#[utoipa::path(
    get, path = "/apps/{name}", tag = "apps", operation_id = "app",
    params(("name" = String, Path, description = "The app's name")),
    responses((status = 200, body = AppInfo), (status = 404, body = Problem)),
)]
pub(crate) async fn one(
    State(state): State<ApiState>,
    ApiPath(name): ApiPath<String>,
) -> Result<Json<AppInfo>, Problem> {
    Ok(Json(state.control.app(&name).await?))
}

/// The newest runs of an app, with what each used and why it failed
#[utoipa::path(
    get, path = "/apps/{name}/runs", tag = "apps", operation_id = "app_runs",
    params(("name" = String, Path, description = "The app's name"), PageParams),
    responses((status = 200, body = Page<RunView>), (status = 400, body = Problem), (status = 404, body = Problem)),
)]
pub(crate) async fn runs(
    State(state): State<ApiState>,
    ApiPath(name): ApiPath<String>,
    ApiQuery(params): ApiQuery<PageParams>,
) -> Result<Json<Page<RunView>>, Problem> {
    Ok(Json(state.control.runs(&name, params.page()?).await?))
}

/// The newest log lines of an app
#[utoipa::path(
    get, path = "/apps/{name}/logs", tag = "apps", operation_id = "app_logs",
    params(("name" = String, Path, description = "The app's name"), PageParams),
    responses((status = 200, body = Page<LogLine>), (status = 400, body = Problem), (status = 404, body = Problem)),
)]
pub(crate) async fn logs(
    State(state): State<ApiState>,
    ApiPath(name): ApiPath<String>,
    ApiQuery(params): ApiQuery<PageParams>,
) -> Result<Json<Page<LogLine>>, Problem> {
    Ok(Json(state.control.logs(&name, params.page()?).await?))
}

/// The keys and values of an app, for display
#[utoipa::path(
    get, path = "/apps/{name}/kv", tag = "apps", operation_id = "app_kv",
    params(("name" = String, Path, description = "The app's name"), KvParams),
    responses((status = 200, body = KvListing), (status = 400, body = Problem), (status = 404, body = Problem)),
)]
pub(crate) async fn kv(
    State(state): State<ApiState>,
    ApiPath(name): ApiPath<String>,
    ApiQuery(params): ApiQuery<KvParams>,
) -> Result<Json<KvListing>, Problem> {
    let limit = params::limit(params.limit)?;
    let prefix = params::text("prefix", params.prefix)?.unwrap_or_default();
    Ok(Json(state.control.kv(&name, &prefix, limit).await?))
}
