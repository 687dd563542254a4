//! What passed through the host.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::ApiState;
use super::params;
use crate::control::MessageQuery;
use crate::extract::ApiQuery;
use crate::model::{MessageView, Page};
use crate::problem::Problem;

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageParams {
    /// Only messages of this transport.
    transport_name: Option<String>,
    /// Only messages from and to this user's address.
    user: Option<String>,
    /// At most so many; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Only messages older than this `seq`: the `next` of the page before.
    before: Option<u64>,
}

/// The newest messages
#[utoipa::path(
    get, path = "/messages", tag = "messages", operation_id = "messages",
    params(MessageParams),
    responses((status = 200, body = Page<MessageView>), (status = 400, body = Problem)),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    ApiQuery(params): ApiQuery<MessageParams>,
) -> Result<Json<Page<MessageView>>, Problem> {
    let query = MessageQuery {
        transport_name: params::text("transport_name", params.transport_name)?,
        user: params::text("user", params.user)?,
        page: params::page(params.limit, params.before)?,
    };
    Ok(Json(state.control.messages(query).await?))
}
