//! What a run has used so far, and the stop that follows when it is too much.
//!
//! CPU time has its own file, `cpu`.

use std::time::{Duration, Instant};

use vumi_core::Outcome;

/// The reason why the host stopped a run. Travels through the engine as the cause of a trap.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{sentence}")]
pub(crate) struct Stop {
    /// The error code.
    pub(crate) outcome: Outcome,
    /// One sentence for the app's owner.
    pub(crate) sentence: String,
}

impl Stop {
    pub(crate) fn new(outcome: Outcome, sentence: impl Into<String>) -> Self {
        Self { outcome, sentence: sentence.into() }
    }
}

/// Memory and tables of one run: the engine asks before either grows.
#[derive(Debug)]
pub(crate) struct Growth {
    memory_limit: usize,
    table_limit: usize,
    memory: usize,
    tables: usize,
    peak_memory: usize,
    refused: Option<Outcome>,
}

impl Growth {
    pub(crate) fn new(memory_limit: usize, table_limit: usize) -> Self {
        Self { memory_limit, table_limit, memory: 0, tables: 0, peak_memory: 0, refused: None }
    }

    /// Begins again for the next run of an instance: what it has stays, what it had at most is counted anew.
    pub(crate) fn renew(&mut self) {
        self.peak_memory = self.memory;
        self.refused = None;
    }

    /// Largest sum of all memories, in bytes.
    pub(crate) fn peak_memory(&self) -> usize {
        self.peak_memory
    }

    /// Which limit refused something, if one did. A guest that fails for want of memory traps by itself
    /// somewhere later; this tells why.
    pub(crate) fn refused(&self) -> Option<Outcome> {
        self.refused
    }
}

impl wasmtime::ResourceLimiter for Growth {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let sum = self.memory.saturating_sub(current).saturating_add(desired);
        if sum > self.memory_limit {
            self.refused = Some(Outcome::MemoryLimit);
            return Ok(false);
        }
        // The guest's own maximum: the engine refuses by itself, and it is no limit of ours.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory = sum;
        self.peak_memory = self.peak_memory.max(sum);
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let sum = self.tables.saturating_sub(current).saturating_add(desired);
        if sum > self.table_limit {
            self.refused = Some(Outcome::TableLimit);
            return Ok(false);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.tables = sum;
        Ok(true)
    }
}

/// Budgets of one run that are counted down by host calls.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) deadline: Instant,
    pub(crate) host_calls: u64,
    pub(crate) host_calls_limit: u64,
    pub(crate) host_time: Duration,
    pub(crate) sent: u64,
    /// Numbers that messages of this run have got, those that were not taken included.
    pub(crate) numbered: u64,
    pub(crate) http_requests: u64,
    pub(crate) http_bytes: u64,
}

impl Budget {
    pub(crate) fn new(deadline: Instant, host_calls_limit: u64) -> Self {
        Self {
            deadline,
            host_calls: 0,
            host_calls_limit,
            host_time: Duration::ZERO,
            sent: 0,
            numbered: 0,
            http_requests: 0,
            http_bytes: 0,
        }
    }

    /// Counts a host call; the answer is when it began.
    pub(crate) fn begin(&mut self) -> Result<Instant, Stop> {
        self.host_calls += 1;
        if self.host_calls > self.host_calls_limit {
            return Err(Stop::new(
                Outcome::HostCallLimit,
                format!("it made more than {} host calls for one message", self.host_calls_limit),
            ));
        }
        let now = Instant::now();
        if now >= self.deadline {
            return Err(Stop::new(Outcome::Deadline, "its time for this message was over"));
        }
        Ok(now)
    }

    /// Ends a host call that began at `began`.
    pub(crate) fn end(&mut self, began: Instant) {
        self.host_time += began.elapsed();
    }

    /// What is left of the message's time, at most `cap`.
    pub(crate) fn left(&self, cap: Duration) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).min(cap)
    }
}
