//! The audit log: each change that a caller made or tried to make is recorded once, when its answer is known. Bodies
//! never get into it: they hold secrets.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::RequestExt;
use axum::extract::{RawPathParams, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tracing::{Instrument, error};

use crate::access_store::AccessStore;
use crate::caller::Caller;
use crate::clock;
use crate::control::{Control, ControlError};
use crate::model::AuditView;
use crate::problem::Problem;
use crate::rules::Recorded;

/// How long the store may take to record an entry.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest subject or detail, in characters; what is longer is cut.
const MAX_TEXT: usize = 200;

/// What a handler adds to the entry about its request: `axum::Extension<AuditNote>` in its answer. For what the path
/// does not say, e.g. the id of a new token; never for contents or secrets.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditNote {
    /// The subject, in place of the one from the path.
    pub(crate) subject: Option<String>,
    /// The detail, in place of the one from the path.
    pub(crate) detail: Option<String>,
}

/// A change that somebody asked for.
#[derive(Debug)]
pub(crate) struct Attempt {
    who: Arc<str>,
    action: &'static str,
    subject: String,
    detail: Option<String>,
}

impl Attempt {
    /// The change that a request asks for.
    pub(crate) async fn new(recorded: &Recorded, caller: &Caller, request: &mut Request) -> Self {
        // A path that cannot be read is refused by its handler; the entry then has no subject.
        let params = request.extract_parts::<RawPathParams>().await.ok();
        let mut named = params.iter().flatten().map(|(_, value)| value);
        let subject = named.next().map(short).unwrap_or_default();
        let detail = recorded.detail.zip(named.next()).map(|(what, value)| format!("{what} {}", short(value)));
        Self { who: Arc::clone(&caller.name), action: recorded.action, subject, detail }
    }

    /// Records that it was refused.
    pub(crate) async fn refused(self, store: &dyn AccessStore) {
        self.record(store, false, None).await;
    }

    /// Waits for the answer and records how it went. In a task of its own: a caller who hangs up early gets no answer,
    /// but neither an unrecorded change.
    pub(crate) async fn carry_out(
        self,
        control: Arc<dyn Control>,
        answer: impl Future<Output = Response> + Send + 'static,
    ) -> Response {
        let task = async move {
            let mut response = AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| broken());
            let note = response.extensions_mut().remove::<AuditNote>();
            self.record(control.access(), response.status().is_success(), note).await;
            response
        };
        tokio::spawn(task.in_current_span()).await.unwrap_or_else(|_| broken())
    }

    async fn record(self, store: &dyn AccessStore, done: bool, note: Option<AuditNote>) {
        let note = note.unwrap_or_default();
        let entry = AuditView {
            seq: 0,
            at: clock::now(),
            who: self.who.to_string(),
            action: self.action.to_owned(),
            subject: note.subject.as_deref().map_or(self.subject, short),
            detail: note.detail.as_deref().map(short).or(self.detail),
            done,
        };
        let lost = |error: &ControlError| {
            error!(
                %error, who = entry.who, action = entry.action, subject = entry.subject, done,
                "a change could not be recorded in the audit log"
            );
        };
        match tokio::time::timeout(PATIENCE, store.audit(entry.clone())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => lost(&error),
            Err(_) => lost(&ControlError::Unavailable("the audit log did not answer in time".into())),
        }
    }
}

/// The answer of a handler that panicked; what it said is in the log.
fn broken() -> Response {
    let detail = "the host failed at this request; its log says where";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
}

/// A text from outside as the log may have it: on one line and not endless.
fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_callers_are_cut_and_kept_on_one_line() {
        assert_eq!(short("shop"), "shop");
        assert_eq!(short("a\r\nb"), "a\u{fffd}\u{fffd}b");
        assert_eq!(short(&"é".repeat(1000)).chars().count(), 200);
    }
}
