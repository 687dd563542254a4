//! Why the guard does not let a request through: what the caller is told, what the log says, what is counted. The text
//! of a token appears in none of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::control::ControlError;
use crate::model::Scope;
use crate::problem::Problem;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It may come from a web page that is not ours; the text says what gave that away.
    Browser(String),
    /// It shows no token, and one is needed.
    Missing,
    /// It shows a token that is none, or no longer one.
    Wrong,
    /// So does it, and so did many before it.
    Limited {
        /// When the next wrong one may come.
        wait: Duration,
    },
    /// Its token may do less than this.
    Scope {
        /// What it would have to be allowed.
        needed: Scope,
        /// What it is allowed.
        has: Scope,
        /// The caller's name.
        name: Arc<str>,
    },
    /// The tokens cannot be looked up.
    Unavailable(ControlError),
}

impl Refusal {
    /// The word that it is counted under.
    fn reason(&self) -> &'static str {
        match self {
            Self::Browser(_) => "browser",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
            Self::Limited { .. } => "limited",
            Self::Scope { .. } => "scope",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// Counts and logs it, and says it to the caller.
    pub(crate) fn answer(self, address: IpAddr) -> Response {
        let reason = self.reason();
        metrics::counter!("vumi_admin_refused_total", "reason" => reason).increment(1);
        match &self {
            // Bounded by the limit on wrong tokens.
            Self::Wrong => tracing::warn!(%address, "a wrong admin token was refused"),
            Self::Scope { needed, name, .. } => {
                tracing::info!(%address, %name, needed = needed.as_str(), "a token may not do what was asked with it");
            }
            Self::Unavailable(error) => tracing::error!(%address, %error, "tokens cannot be looked up"),
            // Anybody can cause as many of these as they like.
            Self::Browser(_) | Self::Missing | Self::Limited { .. } => {
                tracing::debug!(%address, reason, "a request was refused");
            }
        }
        self.problem().into_response()
    }

    fn problem(self) -> Problem {
        match self {
            Self::Browser(detail) => Problem::new(StatusCode::FORBIDDEN, detail),
            Self::Missing => Problem::new(
                StatusCode::UNAUTHORIZED,
                "send a token as the header \"Authorization: Bearer <token>\": the one set as admin.token, or one made \
                 at /api/v1/tokens",
            ),
            Self::Wrong => Problem::new(
                StatusCode::UNAUTHORIZED,
                "the token in the header \"Authorization: Bearer <token>\" is not known here, or has expired",
            ),
            Self::Limited { wait } => {
                let detail = "too many wrong tokens came from this address; send a right one, or wait";
                Problem::too_many(detail, wait)
            }
            Self::Scope { needed, has, name } => {
                let (needed, has) = (needed.as_str(), has.as_str());
                let detail = format!("this needs a token with the scope {needed:?}, and {name:?} has {has:?}");
                Problem::new(StatusCode::FORBIDDEN, detail)
            }
            Self::Unavailable(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

    use super::*;

    /// Counts only wrong tokens.
    #[derive(Default)]
    struct Wrong(Arc<AtomicU64>);

    impl Recorder for Wrong {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            let wrong = key.labels().any(|label| (label.key(), label.value()) == ("reason", "wrong"));
            let ours = key.name() == "vumi_admin_refused_total" && wrong;
            if ours { Counter::from_arc(Arc::clone(&self.0)) } else { Counter::noop() }
        }
        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }
        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[test]
    fn refusals_are_counted_by_reason() {
        let recorder = Wrong::default();
        let count = Arc::clone(&recorder.0);
        let address = IpAddr::from([127, 0, 0, 1]);
        metrics::with_local_recorder(&recorder, || {
            Refusal::Wrong.answer(address);
            Refusal::Missing.answer(address);
            Refusal::Wrong.answer(address);
        });
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn whoever_has_to_wait_is_told_how_long() {
        let answer = Refusal::Limited { wait: Duration::from_millis(5001) }.answer(IpAddr::from([127, 0, 0, 1]));
        assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"6".parse().unwrap()));
    }
}
