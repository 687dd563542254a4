//! What can go wrong with a tag pool.

use vumi_core::Error;

/// Why a tag pool did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TagPoolError {
    /// Tags of a pool that is to be purged are in use. The text is Vumi's.
    #[error("{tags} tags of pool {pool} still in use.")]
    InUse {
        /// How many.
        tags: u64,
        /// Pool.
        pool: String,
    },
    /// Other processes change the same pool all the time.
    #[error("the pool {0} is changed by others all the time: try again")]
    Contended(String),
    /// The store.
    #[error("{}", .0.report())]
    Store(#[from] Error),
}

impl From<TagPoolError> for Error {
    fn from(error: TagPoolError) -> Self {
        match error {
            TagPoolError::Store(error) => error,
            contended @ TagPoolError::Contended(_) => Error::temporary(contended.to_string()),
            other => Error::permanent(other.to_string()),
        }
    }
}
