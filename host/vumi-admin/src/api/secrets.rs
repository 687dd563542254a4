//! Secrets of deployed apps. They go in and never come out: no answer has a value in it, not even the one that says
//! what is wrong with it.

use axum::extract::State;
use axum::http::StatusCode;

use super::{ApiState, checks};
use crate::extract::{ApiJson, ApiPath};
use crate::model::SetSecret;
use crate::problem::Problem;

/// Set a secret
///
/// The app gets it by its name, with `config.get`. Nobody is ever shown the value again.
#[utoipa::path(
    put, path = "/deployments/{app}/secrets/{name}", tag = "deployments", operation_id = "set_secret",
    params(
        ("app" = String, Path, description = "The app's name"),
        ("name" = String, Path, description = "The secret's name: 1 to 64 letters, digits, `_`, `.` and `-`"),
    ),
    request_body(content = SetSecret, description = "At most 32 KiB"),
    responses(
        (status = 204, description = "It is set"),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn set(
    State(state): State<ApiState>,
    ApiPath((app, name)): ApiPath<(String, String)>,
    order: Result<ApiJson<SetSecret>, Problem>,
) -> Result<StatusCode, Problem> {
    checks::app(&app)?;
    checks::secret_name(&name)?;
    // What serde says about a wrong body quotes it.
    let ApiJson(order) = order.map_err(|problem| Problem {
        detail: "send the secret as JSON, {\"value\": \"…\"}, with the content type application/json".to_owned(),
        ..problem
    })?;
    checks::secret(&order.value)?;
    state.control.deployments().put_secret(&app, &name, &order.value).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a secret
#[utoipa::path(
    delete, path = "/deployments/{app}/secrets/{name}", tag = "deployments", operation_id = "remove_secret",
    params(
        ("app" = String, Path, description = "The app's name"),
        ("name" = String, Path, description = "The secret's name"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn remove(
    State(state): State<ApiState>,
    ApiPath((app, name)): ApiPath<(String, String)>,
) -> Result<StatusCode, Problem> {
    checks::app(&app)?;
    checks::secret_name(&name)?;
    state.control.deployments().remove_secret(&app, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
