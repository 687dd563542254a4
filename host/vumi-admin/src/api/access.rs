//! Tokens and the audit log.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::ApiState;
use super::params::PageParams;
use crate::audit::AuditNote;
use crate::caller::Caller;
use crate::clock;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::model::{AuditView, CreatedToken, NewToken, Page, TokenInfo};
use crate::problem::Problem;
use crate::tokens;

/// The longest name of a token in characters.
const MAX_NAME: usize = 64;
/// The most tokens that are kept.
const MAX_TOKENS: usize = 1000;
/// The longest life of a token that has an end, in seconds: ten years.
const MAX_LIFE: u64 = 10 * 365 * 24 * 3600;

/// All tokens, the oldest first, without their secrets
#[utoipa::path(
    get, path = "/tokens", tag = "access", operation_id = "tokens",
    responses((status = 200, body = Vec<TokenInfo>)),
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Result<Json<Vec<TokenInfo>>, Problem> {
    let kept = state.control.access().tokens().await?;
    Ok(Json(kept.into_iter().map(|token| token.info).collect()))
}

/// Make a token
///
/// The answer has its secret, which is not kept and never shown again.
#[utoipa::path(
    post, path = "/tokens", tag = "access", operation_id = "create_token",
    request_body = NewToken,
    responses(
        (status = 201, body = CreatedToken),
        (status = 400, body = Problem, description = "The name or the expiry makes no sense"),
        (status = 409, body = Problem, description = "There are too many tokens"),
    ),
)]
pub(crate) async fn create(
    State(state): State<ApiState>,
    ApiJson(order): ApiJson<NewToken>,
) -> Result<Response, Problem> {
    let now = clock::now();
    check_name(&order.name)?;
    let expires_at = order.expires_in_seconds.map(|seconds| expiry(seconds, now)).transpose()?;
    let store = state.control.access();
    if store.tokens().await?.len() >= MAX_TOKENS {
        let detail = format!("there are {MAX_TOKENS} tokens already; remove those that are not needed any more");
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    let (kept, created) = tokens::make(order.name, order.scope, now, expires_at).map_err(|error| {
        let detail = format!("the operating system gives no random numbers: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    })?;
    store.put_token(kept).await?;
    let info = &created.info;
    let detail = format!("{}, scope {}", info.name, info.scope.as_str());
    let note = AuditNote { subject: Some(info.id.clone()), detail: Some(detail) };
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, no_store, Extension(note), Json(created)).into_response())
}

/// Remove a token
///
/// It is refused from now on; event streams that were opened with it end.
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "access", operation_id = "remove_token",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204, description = "It is gone"), (status = 404, body = Problem)),
)]
pub(crate) async fn remove(State(state): State<ApiState>, ApiPath(id): ApiPath<String>) -> Result<StatusCode, Problem> {
    if !state.control.access().remove_token(&id).await? {
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("there is no token with the id {id:?}")));
    }
    state.removals.send_modify(|count| *count = count.wrapping_add(1));
    Ok(StatusCode::NO_CONTENT)
}

/// What was changed, by whom, newest first
///
/// Everything that callers changed or tried to change; messages of simulated phones are no changes.
#[utoipa::path(
    get, path = "/audit", tag = "access", operation_id = "audit", params(PageParams),
    responses((status = 200, body = Page<AuditView>), (status = 400, body = Problem)),
)]
pub(crate) async fn audit(
    State(state): State<ApiState>,
    ApiQuery(params): ApiQuery<PageParams>,
) -> Result<Json<Page<AuditView>>, Problem> {
    let page = params.page()?;
    // One more than wanted shows whether there are older ones.
    let mut items = state.control.access().audit_log(page.before, page.limit + 1).await?;
    let more = items.len() > page.limit;
    items.truncate(page.limit);
    let next = if more { items.last().map(|entry| entry.seq) } else { None };
    Ok(Json(Page { items, next }))
}

fn check_name(name: &str) -> Result<(), Problem> {
    let wrong = if name.trim().is_empty() {
        "is empty".to_owned()
    } else if name.chars().count() > MAX_NAME {
        format!("is longer than {MAX_NAME} characters")
    } else if name.trim() != name {
        "begins or ends with a space".to_owned()
    } else if !is_printable(name) {
        "has characters that cannot be seen".to_owned()
    } else if Caller::OWN_NAMES.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        format!("is {name:?}, which stands for another caller in the audit log; choose another one")
    } else {
        return Ok(());
    };
    Err(Problem::invalid(format!("the token's name {wrong}")))
}

/// Whether all of a text can be seen: what would be written as an escape in a Rust literal cannot, quotes apart.
fn is_printable(text: &str) -> bool {
    let plain = text.replace(['"', '\'', '\\'], "");
    plain.escape_debug().eq(plain.chars())
}

fn expiry(seconds: u64, now: u64) -> Result<u64, Problem> {
    if !(1..=MAX_LIFE).contains(&seconds) {
        let detail = format!("expires_in_seconds is {seconds}; it must be from 1 to {MAX_LIFE}");
        return Err(Problem::invalid(detail));
    }
    Ok(now.saturating_add(seconds.saturating_mul(1_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_can_be_seen() {
        for good in ["ci", "x", "Jürgen's \"phone\" \\", "हिन्दी", "cafe\u{301}", &"é".repeat(64)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", " ", " ci", "ci ", "a\nb", "a\0b", "a\u{202e}b", "a\u{200b}b", "admin", "Local"] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
        assert!(check_name(&"é".repeat(65)).is_err());
    }

    #[test]
    fn an_expiry_is_from_now_and_not_too_far() {
        assert_eq!(expiry(60, 5).unwrap(), 60_000_005);
        assert!(expiry(0, 5).is_err());
        assert!(expiry(u64::MAX, 5).is_err());
    }
}
