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
    /// The app's own.
    Other(String),
}

impl Error {
    /// An error of the app's own.
    pub fn new(text: impl Into<String>) -> Self {
        Self::Other(text.into())
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
        Self::Other(format!("JSON: {error}"))
    }
}
