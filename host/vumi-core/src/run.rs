//! What one run of an app used and how it ended, and what the app wrote to its log.

use serde::{Deserialize, Serialize};
use vumi_message::Timestamp;

/// How a run ended. The texts are error codes: stable, and used in logs, metrics and the API alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// The handler returned.
    Ok,
    /// The handler returned an error text.
    HandlerError,
    /// The guest trapped: unreachable code, out-of-bounds access, a panic.
    Trap,
    /// The guest's stack was exhausted.
    StackOverflow,
    /// The guest used up its own CPU time.
    CpuLimit,
    /// The wall-clock limit of the message passed, host calls included.
    Deadline,
    /// The guest's memory grew beyond its limit.
    MemoryLimit,
    /// A table grew beyond its limit.
    TableLimit,
    /// Too many host calls.
    HostCallLimit,
    /// Too much log output, stdout and stderr included.
    LogLimit,
    /// An argument of a host call was larger than the host takes at once.
    TransferLimit,
    /// The instance could not be made.
    Instantiate,
    /// The host could not do its part (kv or broker away): the message is tried again.
    HostFault,
}

impl Outcome {
    /// The code as text.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::HandlerError => "handler-error",
            Self::Trap => "trap",
            Self::StackOverflow => "stack-overflow",
            Self::CpuLimit => "cpu-limit",
            Self::Deadline => "deadline",
            Self::MemoryLimit => "memory-limit",
            Self::TableLimit => "table-limit",
            Self::HostCallLimit => "host-call-limit",
            Self::LogLimit => "log-limit",
            Self::TransferLimit => "transfer-limit",
            Self::Instantiate => "instantiate",
            Self::HostFault => "host-fault",
        }
    }
}

/// The record of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// When it began.
    pub at: Timestamp,
    /// The app's name.
    pub app: String,
    /// The version that ran, where versions are numbered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The namespace that it ran in.
    pub sandbox_id: String,
    /// The message or event that started it.
    pub message_id: String,
    /// The user of the conversation, where there is one.
    pub user: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// One sentence, when it did not end well.
    pub error: Option<String>,
    /// The guest's own CPU time, in microseconds.
    pub cpu_us: u64,
    /// Time from start to end, in microseconds.
    pub wall_us: u64,
    /// Time spent in host calls, waiting included, in microseconds.
    pub host_us: u64,
    /// Largest linear memory, in bytes.
    pub peak_memory: u64,
    /// Host calls made.
    pub host_calls: u64,
    /// Messages sent.
    pub sent: u64,
    /// Log bytes written, stdout and stderr included.
    pub log_bytes: u64,
}

/// Level of a log line, as in Vumi (10, 20, … 50).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// 10
    Debug,
    /// 20
    Info,
    /// 30
    Warning,
    /// 40
    Error,
    /// 50
    Critical,
}

impl LogLevel {
    /// The level as text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// One line of an app's log: what the app wrote, or what the host has to tell its owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// The app's name.
    pub app: String,
    /// The namespace that it ran in.
    pub sandbox_id: String,
    /// The message or event of the run, where there is one.
    pub message_id: Option<String>,
    /// Level.
    pub level: LogLevel,
    /// `guest`, `stdout`, `stderr` or `host`.
    pub source: String,
    /// The text; may hold line breaks.
    pub text: String,
}
