//! Recorded runs: what an app was given, asked for and sent, to look at and to run again.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ApiState, checks, params};
use crate::deployments::RecordingFilter;
use crate::extract::{ApiPath, ApiQuery};
use crate::model::{Page, RecordingInfo, RecordingView};
use crate::problem::Problem;

/// Which recordings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecordingParams {
    /// Only of this app.
    app: Option<String>,
    /// Only of this user's address.
    user: Option<String>,
    /// At most so many; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Only recordings older than this `at`: the `next` of the page before.
    before: Option<u64>,
}

/// The newest recorded runs
#[utoipa::path(
    get, path = "/recordings", tag = "recordings", operation_id = "recordings",
    params(RecordingParams),
    responses((status = 200, body = Page<RecordingInfo>), (status = 400, body = Problem)),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    ApiQuery(params): ApiQuery<RecordingParams>,
) -> Result<Json<Page<RecordingInfo>>, Problem> {
    let filter = RecordingFilter {
        app: params::text("app", params.app)?,
        user: params::text("user", params.user)?,
        page: params::page(params.limit, params.before)?,
    };
    Ok(Json(state.control.deployments().recordings(filter).await?))
}

/// One recorded run with its tape
#[utoipa::path(
    get, path = "/recordings/{id}", tag = "recordings", operation_id = "recording",
    params(("id" = String, Path, description = "32 lower-case hexadecimal digits")),
    responses((status = 200, body = RecordingView), (status = 400, body = Problem), (status = 404, body = Problem)),
)]
pub(crate) async fn one(
    State(state): State<ApiState>,
    ApiPath(id): ApiPath<String>,
) -> Result<Json<RecordingView>, Problem> {
    checks::recording(&id)?;
    Ok(Json(state.control.deployments().recording(&id).await?))
}
