//! Where two runs on the same message differ: in what they sent, in how they ended, in what they used.

use std::sync::Arc;

use serde_json::Value;
use vumi_core::{Difference, Outcome, Run};
use vumi_message::UserMessage;

use super::Witness;

/// Processor time that a shadow may use beyond the live version's before that is a difference: this many times as
/// much, and so many microseconds more.
const TIMES: u64 = 2;
const MORE_US: u64 = 2_000;

/// Longest description, in bytes.
const LONGEST: usize = 8 << 10;

pub(super) fn differences(
    live: &Run,
    live_seen: &Arc<Witness>,
    live_version: u32,
    shadow: &Run,
    shadow_seen: &Arc<Witness>,
    shadow_version: u32,
) -> Vec<Difference> {
    let made = |kind: &str, live_text: String, shadow_text: String| Difference {
        seq: 0,
        at: live.at,
        app: live.app.clone(),
        live_version,
        shadow_version,
        message_id: live.message_id.clone(),
        user: live.user.clone(),
        kind: kind.to_owned(),
        live: short(live_text),
        shadow: short(shadow_text),
    };
    let mut found = Vec::new();
    if live.outcome != shadow.outcome || (live.outcome == Outcome::HandlerError && live.error != shadow.error) {
        found.push(made("outcome", ending(live), ending(shadow)));
    }
    let (of_live, of_shadow) = (live_seen.sent(), shadow_seen.sent());
    if !same(&of_live, &of_shadow) {
        found.push(made("replies", texts(&of_live), texts(&of_shadow)));
    }
    if shadow.cpu_us > live.cpu_us.saturating_mul(TIMES) && shadow.cpu_us > live.cpu_us.saturating_add(MORE_US) {
        found.push(made(
            "time",
            format!("{} µs of CPU time", live.cpu_us),
            format!("{} µs of CPU time", shadow.cpu_us),
        ));
    }
    found
}

fn ending(run: &Run) -> String {
    match &run.error {
        Some(error) => format!("{}: {error}", run.outcome.code()),
        None => run.outcome.code().to_owned(),
    }
}

/// Ids are derived and so the same for both; the time is not.
fn same(a: &[UserMessage], b: &[UserMessage]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| comparable(a) == comparable(b))
}

fn comparable(message: &UserMessage) -> Value {
    let mut value: Value = serde_json::from_str(&message.to_json()).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("timestamp");
    }
    value
}

fn texts(messages: &[UserMessage]) -> String {
    let texts: Vec<String> = messages.iter().map(|message| comparable(message).to_string()).collect();
    if texts.is_empty() { "nothing was sent".to_owned() } else { texts.join("\n") }
}

fn short(mut text: String) -> String {
    if text.len() > LONGEST {
        let mut end = LONGEST;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(" …");
    }
    text
}
