//! Errors of the host's calls and of an app's own making.

use std::fmt;

use crate::bindings::vumi::app::types;

/// The result of a host call, and of a handler.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why something did not work.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The app may not do this; the host's configuration would have to allow it.
    Denied(String),
    /// A limit is used up.
    Quota(String),
    /// The arguments make no sense.
    Invalid(String),
    /// Not possible now; a later try may succeed.
    Unavailable(String),
    /// Not JSON, or not of the shape that was asked for.
    Json(String),
    /// A web server answered with this status, which is no success.
    Status(u16, String),
    /// The app's own.
    Other(String),
}

/// What kind of [`Error`] it is, without its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// See [`Error::Denied`].
    Denied,
    /// See [`Error::Quota`].
    Quota,
    /// See [`Error::Invalid`].
    Invalid,
    /// See [`Error::Unavailable`].
    Unavailable,
    /// See [`Error::Json`].
    Json,
    /// See [`Error::Status`].
    Status(u16),
    /// See [`Error::Other`].
    Other,
}

impl Error {
    /// An error of the app's own.
    pub fn new(text: impl Into<String>) -> Self {
        Self::Other(text.into())
    }

    /// What kind of error it is.
    ///
    /// ```
    /// use vumi_sdk::{Error, ErrorKind};
    ///
    /// assert_eq!(Error::Status(404, "no such patient".into()).kind(), ErrorKind::Status(404));
    /// ```
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Denied(_) => ErrorKind::Denied,
            Self::Quota(_) => ErrorKind::Quota,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Json(_) => ErrorKind::Json,
            Self::Status(status, _) => ErrorKind::Status(*status),
            Self::Other(_) => ErrorKind::Other,
        }
    }

    /// True when a limit of the host was reached.
    pub fn is_quota(&self) -> bool {
        matches!(self, Self::Quota(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(text)
            | Self::Quota(text)
            | Self::Invalid(text)
            | Self::Unavailable(text)
            | Self::Json(text)
            | Self::Status(_, text)
            | Self::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::Denied(text) => Self::Denied(text),
            types::Error::Quota(text) => Self::Quota(text),
            types::Error::Invalid(text) => Self::Invalid(text),
            types::Error::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(format!("JSON: {error}"))
    }
}

#[cfg(any(doc, not(target_arch = "wasm32")))]
impl Error {
    /// As the host would say it.
    pub(crate) fn into_contract(self) -> types::Error {
        match self {
            Self::Denied(text) => types::Error::Denied(text),
            Self::Quota(text) => types::Error::Quota(text),
            Self::Invalid(text) => types::Error::Invalid(text),
            other => types::Error::Unavailable(other.to_string()),
        }
    }
}
