//! The bounds of an embedded broker: every one has a default that suits a host with a few dozen queues.

/// The bounds of an embedded broker. A zero counts as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerOptions {
    /// The first bound of each queue, in messages: messages from outside wait when it is reached. Counted is all that
    /// the queue holds: waiting, delayed, handed out and not settled. Default 10 000.
    pub bound: u64,
    /// The first bound of each queue in bytes of bodies; reached when either bound is. Default 64 MiB.
    pub bound_bytes: u64,
    /// The second, hard bound is this many times the first, in messages and in bytes. Default 10.
    pub hard_factor: u64,
    /// Dead letters kept per queue; beyond that the oldest are dropped, counted and logged. Their bodies are bounded
    /// by `bound_bytes` in the same way. Default 10 000.
    pub max_dead: u64,
    /// Queues at most; a further one is refused. An app has three. Default 100 000.
    pub max_queues: usize,
    /// The largest body in bytes; a larger one is refused for good. Default 1 MiB, at most 512 MiB.
    pub max_body: usize,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self {
            bound: 10_000,
            bound_bytes: 64 * MIB,
            hard_factor: 10,
            max_dead: 10_000,
            max_queues: 100_000,
            max_body: 1024 * 1024,
        }
    }
}

const MIB: u64 = 1024 * 1024;

/// What an SQLite row can hold with room to spare (<https://sqlite.org/limits.html>: 1 000 000 000 bytes).
const LARGEST_BODY: usize = 512 * 1024 * 1024;

/// The bounds as each queue keeps them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) bound: u64,
    pub(crate) bound_bytes: u64,
    pub(crate) hard: u64,
    pub(crate) hard_bytes: u64,
    pub(crate) max_dead: u64,
    pub(crate) max_body: usize,
}

impl Limits {
    pub(crate) fn of(options: &BrokerOptions) -> Self {
        let bound = options.bound.max(1);
        let bound_bytes = options.bound_bytes.max(1);
        let factor = options.hard_factor.max(1);
        Self {
            bound,
            bound_bytes,
            hard: bound.saturating_mul(factor),
            hard_bytes: bound_bytes.saturating_mul(factor),
            max_dead: options.max_dead.max(1),
            max_body: options.max_body.clamp(1, LARGEST_BODY),
        }
    }
}
