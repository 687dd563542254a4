//! What can go wrong with a window.

use vumi_core::Error;

/// Why a window did not do what it was asked. The texts are Vumi's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// A strict `create_window` of one that exists.
    #[error("Window already exists: {0}")]
    Exists(String),
    /// A window with waiting items cannot be removed.
    #[error("Window not empty")]
    NotEmpty,
    /// There is one monitor at a time.
    #[error("Monitor already started")]
    Monitoring,
    /// The window's keys would be those of another purpose.
    #[error(
        "a window must not be called `{0}`: inflight, flightstats and keymap are names of the layout; choose another"
    )]
    Reserved(String),
    /// The data of an item is no JSON.
    #[error("the data of the item {key} in the window {window} is not JSON")]
    Data {
        /// Window.
        window: String,
        /// Item.
        key: String,
    },
    /// Other processes change the same items all the time.
    #[error("the item {0} is changed by others all the time")]
    Contended(String),
    /// The store.
    #[error("{}", .0.report())]
    Store(#[from] Error),
}

impl From<WindowError> for Error {
    fn from(error: WindowError) -> Self {
        match error {
            WindowError::Store(error) => error,
            contended @ WindowError::Contended(_) => Error::temporary(contended.to_string()),
            other => Error::permanent(other.to_string()),
        }
    }
}
