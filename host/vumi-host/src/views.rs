//! The host's records as the admin API shows them.

use serde_json::Value;
use vumi_admin::model::{
    DeadLetter, Direction, KvEntry, LogLevel, LogLine, MessageView, QueueInfo, RunOutcome, RunView,
};
use vumi_core::{MessageRecord, Outcome, Run};
use vumi_message::Timestamp;

/// Microseconds since the epoch.
pub(crate) fn micros(at: Timestamp) -> u64 {
    u64::try_from(at.micros()).unwrap_or(0)
}

/// JSON where it is JSON, else its text.
fn payload(body: &[u8]) -> Value {
    vumi_message::json::parse(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

pub(crate) fn message(record: &MessageRecord) -> MessageView {
    let at = micros(record.at);
    MessageView {
        // A record that has not come from the store has no number yet; its time is beyond any number there.
        seq: if record.seq == 0 { at } else { record.seq },
        at,
        direction: match record.direction.as_str() {
            "inbound" => Direction::Inbound,
            "outbound" => Direction::Outbound,
            "status" => Direction::Status,
            "failure" => Direction::Failure,
            _ => Direction::Event,
        },
        transport_name: Some(record.transport_name.clone()),
        user: record.user.clone(),
        app: None,
        payload: payload(record.body.as_bytes()),
    }
}

pub(crate) fn run(run: &Run) -> RunView {
    let at = micros(run.at);
    RunView {
        seq: at,
        at: at.saturating_add(run.wall_us),
        app: run.app.clone(),
        message_id: run.message_id.clone(),
        user: run.user.clone(),
        transport_name: None,
        outcome: if run.outcome == Outcome::Ok { RunOutcome::Ok } else { RunOutcome::Failed },
        reason: (run.outcome != Outcome::Ok).then(|| run.outcome.code().to_owned()),
        error: run.error.clone(),
        cpu_us: run.cpu_us,
        peak_memory_bytes: run.peak_memory,
        host_calls: run.host_calls,
        host_time_us: run.host_us,
        wall_us: run.wall_us,
        replies: run.sent,
    }
}

pub(crate) fn log(line: &vumi_core::LogLine) -> LogLine {
    let at = micros(line.at);
    LogLine {
        seq: at,
        at,
        app: line.app.clone(),
        level: match line.level {
            vumi_core::LogLevel::Debug => LogLevel::Debug,
            vumi_core::LogLevel::Info => LogLevel::Info,
            vumi_core::LogLevel::Warning => LogLevel::Warning,
            vumi_core::LogLevel::Error => LogLevel::Error,
            vumi_core::LogLevel::Critical => LogLevel::Critical,
        },
        text: line.text.clone(),
        message_id: line.message_id.clone(),
        user: None,
    }
}

pub(crate) fn kv(entry: vumi_core::KvEntry, prefix: &str) -> KvEntry {
    KvEntry {
        key: entry.key.strip_prefix(prefix).unwrap_or(&entry.key).to_owned(),
        value: entry.value,
        ttl_seconds: entry.ttl_ms.map(|ms| ms.div_ceil(1_000)),
    }
}

pub(crate) fn queue(info: vumi_core::QueueInfo) -> QueueInfo {
    QueueInfo { name: info.name, ready: info.ready, unacked: info.unacked, dead: info.dead, bound: Some(info.bound) }
}

pub(crate) fn dead_letter(letter: vumi_core::DeadLetter) -> DeadLetter {
    DeadLetter {
        id: letter.id.to_string(),
        queue: letter.queue,
        at: u64::try_from(letter.at_micros).unwrap_or(0),
        reason: letter.reason,
        attempts: letter.attempts,
        payload: payload(&letter.body),
    }
}
