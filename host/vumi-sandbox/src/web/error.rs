//! What can go wrong with a request, in sentences that may be shown to guests and written to logs.
//!
//! The texts carry an origin (scheme, host, port) at most: paths and queries often hold tokens, and the user part of
//! a URL is a password. Text that a server can influence (the names in a certificate) is cut to a fixed length.

use std::error::Error;

use reqwest::Url;

/// How much of a cause's text is kept, in characters.
const CAUSE_LENGTH: usize = 300;

/// A target that the policy does not open. Its text starts with `Blocked` (Vumi's sandbox resource `http`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Blocked: {reason}")]
pub struct Blocked {
    reason: String,
}

impl Blocked {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Why a request has no response. The text of each is one sentence without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// The policy forbids the target, or a target that a redirect or a name led to.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// The guest's URL or headers are not acceptable.
    #[error("{0}")]
    Invalid(String),
    /// A body is larger than its limit, or than what the run has left.
    #[error("{0}")]
    TooLarge(String),
    /// The exchange did not end in time.
    #[error("{0}")]
    Timeout(String),
    /// More redirects than are followed.
    #[error("{0}")]
    TooManyRedirects(String),
    /// A redirect that is not followed: the method forbids it, or its target is not a URL.
    #[error("{0}")]
    RedirectRefused(String),
    /// Resolving, connecting, TLS or HTTP failed.
    #[error("{0}")]
    Network(String),
}

impl WebError {
    /// Turns a failure of the HTTP library into ours.
    ///
    /// A refusal of the resolver arrives here wrapped several times and is unwrapped. The library's own text is not
    /// used, because it repeats the whole URL; its innermost cause is.
    pub(super) fn from_reqwest(url: &Url, error: &reqwest::Error) -> Self {
        let origin = origin(url);
        let mut cause: &(dyn Error + 'static) = error;
        while let Some(inner) = cause.source() {
            if let Some(blocked) = inner.downcast_ref::<Blocked>() {
                return Self::Blocked(blocked.clone());
            }
            cause = inner;
        }
        if error.is_timeout() {
            return Self::Timeout(format!("{origin} did not answer in time."));
        }
        let detail = match cause.downcast_ref::<reqwest::Error>() {
            Some(_) => "the HTTP library refused the exchange".to_owned(),
            None => shortened(&cause.to_string()),
        };
        Self::Network(format!("The exchange with {origin} failed: {detail}."))
    }
}

/// Scheme, host and port of a URL: the part that may be shown.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// `text` without line breaks and at most [`CAUSE_LENGTH`] characters long.
pub(super) fn shortened(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(CAUSE_LENGTH).collect()
}
