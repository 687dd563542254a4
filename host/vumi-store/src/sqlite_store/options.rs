//! How much a store keeps and buffers.

/// The bounds of a [`super::SqliteStore`]. Zero is taken as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Messages kept; default 100 000. Up to 1/16 more, at most 256, may be there for a moment, because old ones are
    /// forgotten in batches.
    pub max_messages: usize,
    /// Runs kept; default 10 000.
    pub max_runs: usize,
    /// Log lines kept; default 50 000.
    pub max_logs: usize,
    /// Runs and log lines that may wait to be written; default 10 000. Beyond, they are dropped and counted.
    pub buffer_records: usize,
    /// Bytes of text in the runs and log lines that may wait to be written; default 32 MiB.
    pub buffer_bytes: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            max_messages: 100_000,
            max_runs: 10_000,
            max_logs: 50_000,
            buffer_records: 10_000,
            buffer_bytes: 32 * 1024 * 1024,
        }
    }
}

impl StoreOptions {
    /// With every bound at least one.
    pub(super) fn checked(self) -> Self {
        Self {
            max_messages: self.max_messages.max(1),
            max_runs: self.max_runs.max(1),
            max_logs: self.max_logs.max(1),
            buffer_records: self.buffer_records.max(1),
            buffer_bytes: self.buffer_bytes.max(1),
        }
    }
}
