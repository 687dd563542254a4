//! Phones to try an application with.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::ApiState;
use crate::extract::{ApiJson, ApiPath};
use crate::model::{Accepted, PhoneInfo, PhoneKind, PhoneSend, PhoneThread, SessionAction};
use crate::problem::Problem;

/// The longest address in characters; international numbers have 15 digits, other networks' names are longer.
const MAX_ADDR: usize = 100;
/// The longest text in characters: a long SMS of 255 parts would have 39 015.
const MAX_CONTENT: usize = 10_000;

/// All phones that sent or got something
#[utoipa::path(
    get, path = "/simulator/phones", tag = "simulator", operation_id = "phones",
    responses((status = 200, body = Vec<PhoneInfo>)),
)]
pub(crate) async fn phones(State(state): State<ApiState>) -> Result<Json<Vec<PhoneInfo>>, Problem> {
    Ok(Json(state.control.phones().await?))
}

/// A phone's messages, oldest first
#[utoipa::path(
    get, path = "/simulator/phones/{addr}", tag = "simulator", operation_id = "phone",
    params(("addr" = String, Path, description = "The phone's number")),
    responses((status = 200, body = PhoneThread), (status = 400, body = Problem)),
)]
pub(crate) async fn phone(
    State(state): State<ApiState>,
    ApiPath(addr): ApiPath<String>,
) -> Result<Json<PhoneThread>, Problem> {
    check_addr("the phone's number", &addr)?;
    Ok(Json(state.control.phone(&addr).await?))
}

/// Send a message from a phone
///
/// Answered once the broker has confirmed the message, as every transport of this host does.
#[utoipa::path(
    post, path = "/simulator/phones/{addr}/messages", tag = "simulator", operation_id = "send_from_phone",
    params(("addr" = String, Path, description = "The phone's number")),
    request_body = PhoneSend,
    responses(
        (status = 202, body = Accepted),
        (status = 400, body = Problem, description = "Something is missing or does not go together"),
        (status = 503, body = Problem, description = "The queue is full; `Retry-After` says when to try again",
            headers(("Retry-After" = u64, description = "Seconds"))),
    ),
)]
pub(crate) async fn send(
    State(state): State<ApiState>,
    ApiPath(addr): ApiPath<String>,
    ApiJson(send): ApiJson<PhoneSend>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    check_addr("the phone's number", &addr)?;
    check_addr("to_addr", &send.to_addr)?;
    check_content(&send)?;
    let message_id = state.control.send_from_phone(&addr, send).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { message_id })))
}

fn check_addr(what: &str, addr: &str) -> Result<(), Problem> {
    let wrong = if addr.trim().is_empty() {
        "is empty".to_owned()
    } else if addr.chars().count() > MAX_ADDR {
        format!("is longer than {MAX_ADDR} characters")
    } else if addr.chars().any(char::is_control) {
        "has control characters".to_owned()
    } else {
        return Ok(());
    };
    Err(Problem::invalid(format!("{what} {wrong}")))
}

fn check_content(send: &PhoneSend) -> Result<(), Problem> {
    let wrong = match (send.kind, send.action, send.content.as_deref()) {
        (PhoneKind::Ussd, None, _) => "a USSD message needs an action: new, resume or close",
        (PhoneKind::Sms, Some(_), _) => "an SMS has no action: leave it out",
        (PhoneKind::Sms, None, None) => "an SMS needs content",
        (PhoneKind::Ussd, Some(SessionAction::Resume), None) => "the action resume needs content",
        (_, _, Some(text)) if text.chars().count() > MAX_CONTENT => "content is longer than 10000 characters",
        _ => return Ok(()),
    };
    Err(Problem::invalid(wrong))
}
