//! Whether the host's messages are those that Vumi sent, ids and times aside.

use std::collections::BTreeMap;

use serde_json::Value;
use vumi_message::Timestamp;

use super::capture::Publish;

/// Who made the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// The host: ids and times are its own.
    ByHost,
    /// Another party; the host passed it on. Every field must be as it was.
    Elsewhere,
}

/// Fields that hold ids.
const IDS: [&str; 5] = ["message_id", "event_id", "in_reply_to", "user_message_id", "sent_message_id"];

/// Compares the messages of one conversation. Knows which id of the host stands for which of Vumi's.
pub(crate) struct Compare {
    /// Vumi's id → the host's.
    ids: BTreeMap<String, String>,
    /// The host's id → Vumi's.
    back: BTreeMap<String, String>,
    /// Texts that depend on the machine: Vumi's → here.
    texts: BTreeMap<String, String>,
    /// Values that must stand in a field, whatever Vumi had there.
    known: BTreeMap<String, Value>,
    /// No message was made before.
    began: f64,
    /// Messages compared so far.
    pub(crate) count: usize,
}

impl Compare {
    pub(crate) fn new() -> Self {
        let began = Timestamp::now().micros() as f64 / 1e6;
        let (ids, back) = (BTreeMap::new(), BTreeMap::new());
        Self { ids, back, texts: BTreeMap::new(), known: BTreeMap::new(), began, count: 0 }
    }

    /// A text that was another on Vumi's machine, such as an address.
    pub(crate) fn text(&mut self, of_vumi: &str, here: &str) {
        self.texts.insert(of_vumi.to_owned(), here.to_owned());
    }

    /// The value that a field must have here.
    pub(crate) fn known(&mut self, field: &str, here: Value) {
        self.known.insert(field.to_owned(), here);
    }

    /// This side publishes a captured message with its captured id: wherever the host speaks of it, it must use that.
    pub(crate) fn same_id(&mut self, message: &Publish) {
        for id in ["message_id", "event_id"].iter().filter_map(|field| message.text(field)) {
            let old = self.ids.insert(id.clone(), id.clone());
            assert!(old.is_none_or(|old| old == id), "{}: {id} is the host's", message.step);
            self.back.insert(id.clone(), id);
        }
    }

    /// A captured body with the host's ids and this machine's addresses in the places of Vumi's.
    pub(crate) fn in_our_terms(&self, body: &str) -> String {
        let quoted = |text: &str| format!("\"{text}\"");
        let both = self.ids.iter().chain(&self.texts);
        both.fold(body.to_owned(), |body, (vumi, here)| body.replace(&quoted(vumi), &quoted(here)))
    }

    /// Compares a message of the host with Vumi's at the same step.
    ///
    /// # Panics
    /// When they differ; every difference is named.
    #[track_caller]
    pub(crate) fn alike(&mut self, vumi: &Publish, here: &Publish, made: Made) {
        let differences = self.differences(vumi, here, made);
        assert!(
            differences.is_empty(),
            "{} differs from what {} has:\n  {}\nVumi: {}\nhere: {}",
            vumi.step,
            here.step,
            differences.join("\n  "),
            vumi.body,
            here.body
        );
    }

    /// All differences; none when the messages are alike.
    pub(crate) fn differences(&mut self, vumi: &Publish, here: &Publish, made: Made) -> Vec<String> {
        let mut found = self.envelope(vumi, here);
        match serde_json::from_str::<Value>(&here.body) {
            Ok(payload) => self.value("payload", &vumi.payload(), &payload, made, &mut found),
            Err(error) => found.push(format!("the body is no JSON: {error}")),
        }
        found
    }

    /// Differences in all but the payload.
    pub(crate) fn envelope(&mut self, vumi: &Publish, here: &Publish) -> Vec<String> {
        self.count += 1;
        let mut found = Vec::new();
        for (what, vumi, here) in
            [("exchange", &vumi.exchange, &here.exchange), ("routing key", &vumi.routing_key, &here.routing_key)]
        {
            if vumi != here {
                found.push(format!("{what}: {vumi} is {here}"));
            }
        }
        self.value("properties", &vumi.properties, &here.properties, Made::Elsewhere, &mut found);
        found
    }

    fn value(&mut self, path: &str, vumi: &Value, here: &Value, made: Made, found: &mut Vec<String>) {
        match (vumi, here) {
            (Value::Object(vumi), Value::Object(here)) => {
                for (key, value) in vumi {
                    let path = format!("{path}.{key}");
                    match here.get(key) {
                        None => found.push(format!("{path} is missing; Vumi has {value}")),
                        Some(other) if made == Made::ByHost => self.field(&path, key, value, other, found),
                        Some(other) => self.value(&path, value, other, made, found),
                    }
                }
                for (key, value) in here.iter().filter(|(key, _)| !vumi.contains_key(*key)) {
                    found.push(format!("{path}.{key} = {value} is not there in Vumi"));
                }
            }
            (Value::Array(vumi), Value::Array(here)) if vumi.len() == here.len() => {
                for (index, (vumi, here)) in vumi.iter().zip(here).enumerate() {
                    self.value(&format!("{path}[{index}]"), vumi, here, made, found);
                }
            }
            (Value::String(text), Value::String(here)) if self.texts.get(text) == Some(here) => {}
            _ if vumi == here => {}
            _ => found.push(format!("{path}: {vumi} is {here}")),
        }
    }

    /// A field of a message that the host made.
    fn field(&mut self, path: &str, key: &str, vumi: &Value, here: &Value, found: &mut Vec<String>) {
        let difference = match (vumi, here) {
            _ if self.known.contains_key(key) => self
                .known
                .get(key)
                .filter(|known| *known != here)
                .map(|known| format!("{known} is expected, not {here}")),
            (Value::String(vumi), Value::String(here)) if IDS.contains(&key) => self.id(vumi, here),
            (Value::String(_), Value::String(here)) if key == "timestamp" => self.time(here),
            (Value::Number(_), Value::Number(here)) if key == "timestamp" => {
                self.recent(here.as_f64().unwrap_or_default(), &here.to_string())
            }
            (Value::String(vumi), Value::String(here)) if key == "reason" => reason(vumi, here),
            // The message that failed: the host reports on it, but did not make it.
            (Value::Object(_), Value::Object(_)) if key == "message" => {
                return self.value(path, vumi, here, Made::Elsewhere, found);
            }
            _ => return self.value(path, vumi, here, Made::ByHost, found),
        };
        found.extend(difference.map(|difference| format!("{path}: {difference}")));
    }

    /// One of Vumi's ids is always the same one here, and the other way round.
    fn id(&mut self, vumi: &str, here: &str) -> Option<String> {
        match (self.ids.get(vumi), self.back.get(here)) {
            (Some(known), _) if known == here => None,
            (Some(known), _) => Some(format!("{vumi} was {known} before, now it is {here}")),
            (None, Some(other)) => Some(format!("{here} stood for {other} before, now for {vumi}")),
            (None, None) if is_id(vumi) && !is_id(here) => Some(format!("`{here}` is no id of 32 hex digits")),
            (None, None) => {
                self.ids.insert(vumi.to_owned(), here.to_owned());
                self.back.insert(here.to_owned(), vumi.to_owned());
                None
            }
        }
    }

    fn time(&self, here: &str) -> Option<String> {
        const FORM: &str = "0000-00-00 00:00:00.000000";
        let fits = |(form, c): (char, char)| if form == '0' { c.is_ascii_digit() } else { c == form };
        if here.len() != FORM.len() || !FORM.chars().zip(here.chars()).all(fits) {
            return Some(format!("`{here}` is not YYYY-MM-DD HH:MM:SS.ffffff"));
        }
        match here.parse::<Timestamp>() {
            Ok(time) => self.recent(time.micros() as f64 / 1e6, here),
            Err(error) => Some(error.to_string()),
        }
    }

    /// What the host makes has the time of now, in UTC.
    pub(crate) fn recent(&self, seconds: f64, text: &str) -> Option<String> {
        let now = Timestamp::now().micros() as f64 / 1e6;
        (!(self.began.floor()..=now).contains(&seconds)).then(|| format!("{text} is not a time of this test"))
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// A reason is a traceback in Vumi and a sentence here: the last line must end with the same words, which in Vumi follow
/// the name of the exception.
fn reason(vumi: &str, here: &str) -> Option<String> {
    let last = |text: &str| text.trim_end().lines().next_back().unwrap_or_default().to_owned();
    let (vumi, here) = (last(vumi), last(here));
    let words = vumi.split_once(": ").map_or(&*vumi, |(_, words)| words);
    (!here.ends_with(words)).then(|| format!("`{here}` does not end with `{words}`"))
}
