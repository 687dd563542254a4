//! Errors as callers of the API see them: `application/problem+json` (RFC 9457).

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::control::ControlError;

/// An error answer. `type` is left out, which RFC 9457 defines as "the status says it all".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The HTTP status once more.
    pub status: u16,
    /// The status in words.
    pub title: String,
    /// What is wrong and how to mend it, in one sentence.
    pub detail: String,
    /// For 503 and 429: in how many seconds a new attempt makes sense; also in the header `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            detail: detail.into(),
            retry_after_seconds: None,
        }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn busy(detail: impl Into<String>, retry_after: Duration) -> Self {
        Self::later(StatusCode::SERVICE_UNAVAILABLE, detail, retry_after)
    }

    pub(crate) fn too_many(detail: impl Into<String>, retry_after: Duration) -> Self {
        Self::later(StatusCode::TOO_MANY_REQUESTS, detail, retry_after)
    }

    fn later(status: StatusCode, detail: impl Into<String>, retry_after: Duration) -> Self {
        let rounded_up = retry_after.as_millis().div_ceil(1000).max(1);
        Self { retry_after_seconds: Some(u64::try_from(rounded_up).unwrap_or(u64::MAX)), ..Self::new(status, detail) }
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let detail = error.to_string();
        match error {
            ControlError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, detail),
            ControlError::Invalid(_) => Self::invalid(detail),
            ControlError::Conflict(_) => Self::new(StatusCode::CONFLICT, detail),
            ControlError::Full { retry_after } => Self::busy(detail, retry_after),
            ControlError::Unavailable(_) => Self::busy(detail, Duration::from_secs(1)),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after_seconds;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"vumi-host\""));
        }
        response
    }
}
