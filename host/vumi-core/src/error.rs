//! One error for all seams, with a verdict: can trying again help?
//!
//! A caller at a seam rarely cares which library failed, but always needs to know whether to retry, to give the
//! message up, or to slow down. Crates keep their own `thiserror` types inside and turn them into this one at
//! the seam; the cause stays attached and is printed once, by whoever reports.

use std::error::Error as StdError;
use std::time::Duration;

/// The result of a call across a seam.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whether trying the same thing again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It will fail the same way again.
    No,
    /// It may work later; the caller chooses the delay, with backoff.
    Later,
    /// It may work after this time.
    After(Duration),
}

/// An error that crosses a seam: one sentence, a verdict, and the cause below it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    message: String,
    retry: Retry,
    too_large: bool,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error that no retry can mend.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), retry: Retry::No, too_large: false, source: None }
    }

    /// An error that no retry can mend: what was to be taken is larger than what is ever taken.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self { too_large: true, ..Self::permanent(message) }
    }

    /// An error of the moment: the other side is away or busy.
    pub fn temporary(message: impl Into<String>) -> Self {
        Self { message: message.into(), retry: Retry::Later, too_large: false, source: None }
    }

    /// An error of the moment that tells when to come back.
    pub fn after(delay: Duration, message: impl Into<String>) -> Self {
        Self { message: message.into(), retry: Retry::After(delay), too_large: false, source: None }
    }

    /// Attaches the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether trying again can help.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// True when a retry can help.
    pub fn is_temporary(&self) -> bool {
        self.retry != Retry::No
    }

    /// True when a smaller one would be taken.
    pub fn is_too_large(&self) -> bool {
        self.too_large
    }

    /// The sentence and all causes below it, joined by ": ".
    pub fn report(&self) -> String {
        let mut text = self.message.clone();
        let mut next = self.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_joins_the_causes() {
        let cause = std::io::Error::other("disk on fire");
        let error = Error::temporary("the queue could not be written").because(cause);
        assert_eq!(error.report(), "the queue could not be written: disk on fire");
        assert!(error.is_temporary() && !error.is_too_large());
        let error = Error::too_large("it is too large").because("why");
        assert!(!error.is_temporary() && error.is_too_large());
    }
}
