//! What can go wrong when a broker is opened, and the sentences of a running one.

use std::path::PathBuf;
use std::time::Duration;

use vumi_core::Error;

/// Why a durable broker could not be opened: one sentence for the user that says what, where and how to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The file cannot be opened: in use, not writable, not a database, of a newer release and so on.
    #[error(transparent)]
    Open(vumi_sqlite::OpenError),
    /// The file is truncated or overwritten in part.
    #[error("{}: damaged ({cause}); restore it from a backup, or move it away to start with empty queues", path.display())]
    Damaged {
        /// The broker's file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The file can be read but not written.
    #[error("{}: cannot be written ({cause}); make sure that this user may write there and that the disk has room", path.display())]
    Write {
        /// The broker's file, or the one beside it that notes what was handed out.
        path: PathBuf,
        /// What the database or the operating system said.
        cause: String,
    },
    /// The operating system gave no thread.
    #[error("cannot start the broker's journal thread ({0})")]
    Thread(std::io::Error),
}

/// When a publisher that met a full queue should come back.
const COME_BACK: Duration = Duration::from_secs(1);

pub(crate) fn closed() -> Error {
    Error::temporary("the broker is closed")
}

pub(crate) fn full(queue: &str, messages: u64, bytes: u64) -> Error {
    Error::after(COME_BACK, format!("queue `{queue}` is full (it holds {messages} messages, {bytes} bytes)"))
}

pub(crate) fn full_to_the_brim(queue: &str, messages: u64, bytes: u64) -> Error {
    Error::temporary(format!(
        "queue `{queue}` is full to its hard bound (it holds {messages} messages, {bytes} bytes): nothing takes messages \
         from it, or too slowly"
    ))
}

pub(crate) fn too_large(queue: &str, bytes: usize, limit: usize) -> Error {
    Error::too_large(format!(
        "a message of {bytes} bytes for queue `{queue}` is larger than the limit of {limit} bytes"
    ))
}

pub(crate) fn settled_before() -> Error {
    Error::permanent("this delivery was settled before")
}
