//! Where a replay did something else than the tape says.

use serde::Serialize;
use serde_json::Value;
use vumi_message::Payload;

use super::alike::alike;
use super::document::TapeCall;

/// How many departures are listed; the rest is counted.
const MOST: usize = 1_000;

/// Longest text on one side of a departure, in characters.
const LONGEST: usize = 500;

/// What departed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DepartureKind {
    /// The guest made another call than the next one on the tape.
    Call,
    /// A call on the tape was never made.
    Missing,
    /// An answer on the tape is none that this call can give (the tape was changed by hand): the guest got a neutral
    /// one.
    Answer,
    /// A message that was sent has another field, or was not sent, or was sent beyond those on the tape.
    Reply,
    /// A clock was read more or less often.
    Clock,
    /// The run ended otherwise.
    Outcome,
}

/// One point where a replay did something else than the tape says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Departure {
    /// What departed.
    pub kind: DepartureKind,
    /// Which call or which message, counted from 0 in the order of the tape.
    pub position: Option<usize>,
    /// Which field of the message.
    pub field: Option<String>,
    /// What the tape says, for people.
    pub expected: String,
    /// What was done, for people.
    pub seen: String,
}

/// Departures, bounded in number.
#[derive(Debug, Default)]
pub(super) struct Departures {
    pub(super) listed: Vec<Departure>,
    pub(super) more: u64,
}

impl Departures {
    pub(super) fn add(&mut self, kind: DepartureKind, position: Option<usize>, expected: String, seen: String) {
        self.put(Departure { kind, position, field: None, expected, seen });
    }

    fn put(&mut self, departure: Departure) {
        if self.listed.len() < MOST {
            self.listed.push(departure);
        } else {
            self.more += 1;
        }
    }

    /// Compares a message with the recorded one, field by field.
    pub(super) fn compare(&mut self, position: usize, recorded: &Payload, seen: &Payload) {
        let added = seen.keys().filter(|name| !recorded.contains_key(*name));
        for name in recorded.keys().chain(added) {
            let (expected, found) = (recorded.get(name), seen.get(name));
            if expected.zip(found).is_none_or(|(expected, found)| !alike(expected, found)) {
                let side = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), shown);
                self.put(Departure {
                    kind: DepartureKind::Reply,
                    position: Some(position),
                    field: Some(name.clone()),
                    expected: side(expected),
                    seen: side(found),
                });
            }
        }
    }
}

/// A value for people.
pub(super) fn shown(value: &Value) -> String {
    short(&value.to_string())
}

/// A call for people.
pub(super) fn shown_call(call: &str, args: &[Value]) -> String {
    let args: Vec<String> = args.iter().map(Value::to_string).collect();
    short(&format!("{call}({})", args.join(", ")))
}

impl TapeCall {
    /// For people.
    pub(super) fn shown(&self) -> String {
        shown_call(&self.call, &self.args)
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_compared_field_by_field() {
        let payload = |value: Value| value.as_object().unwrap().clone();
        let mut departures = Departures::default();
        let recorded = payload(json!({"content": "a", "to_addr": "[masked]", "old": 1}));
        departures.compare(2, &recorded, &payload(json!({"content": "b", "to_addr": "+27", "new": null})));
        let fields: Vec<_> = departures
            .listed
            .iter()
            .map(|one| (one.field.as_deref().unwrap(), one.expected.as_str(), one.seen.as_str()))
            .collect();
        assert_eq!(fields, [("content", "\"a\"", "\"b\""), ("old", "1", "absent"), ("new", "absent", "null")]);
        assert!(departures.listed.iter().all(|one| one.position == Some(2) && one.kind == DepartureKind::Reply));
    }

    #[test]
    fn there_is_a_bound() {
        let mut departures = Departures::default();
        for _ in 0..MOST + 5 {
            departures.add(DepartureKind::Call, None, String::new(), String::new());
        }
        assert_eq!((departures.listed.len(), departures.more), (MOST, 5));
        assert_eq!(shown(&"é".repeat(600).into()).chars().count(), LONGEST + 1);
    }
}
