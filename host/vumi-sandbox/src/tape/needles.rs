//! What is to be masked, found in what a run was given: the texts of the masked fields, and what kv and HTTP carried.

use serde_json::Value;
use vumi_message::{Payload, json};

use super::document::{TapeCall, TapeInput};
use super::recorder::Recorder;
use super::rule::RecordRule;

/// The name in `mask` for the values of kv, and for what contacts and groups hold.
pub(super) const KV: &str = "kv";

/// The name in `mask` for bodies, header values and queries of HTTP.
pub(super) const HTTP: &str = "http";

/// The texts that a rule masks in this run.
pub(super) fn of(rule: &RecordRule, recorder: &Recorder) -> Vec<String> {
    let mut found = Vec::new();
    let (TapeInput::Message(payload) | TapeInput::Event(payload)) = &recorder.input;
    of_fields(rule, payload, &mut found);
    for call in &recorder.calls {
        match call.call.as_str() {
            "kv.set" if masks(rule, KV) => texts(call.args.get(1), &mut found),
            "kv.get" if masks(rule, KV) => texts(call.answer.get("ok"), &mut found),
            "http.request" if masks(rule, HTTP) => of_exchange(call, &mut found),
            contacts if masks(rule, KV) && (contacts.starts_with("contacts.") || contacts.starts_with("groups.")) => {
                call.args
                    .first()
                    .into_iter()
                    .chain(call.answer.get("ok"))
                    .for_each(|value| of_contact(value, &mut found));
            }
            _ => {}
        }
    }
    found
}

/// Whether a rule names this.
pub(super) fn masks(rule: &RecordRule, name: &str) -> bool {
    rule.mask.iter().any(|masked| masked == name)
}

fn of_fields(rule: &RecordRule, payload: &Payload, found: &mut Vec<String>) {
    for name in &rule.mask {
        leaves(payload.get(name).unwrap_or(&Value::Null), found);
    }
}

fn of_exchange(call: &TapeCall, found: &mut Vec<String>) {
    let response = call.answer.get("ok");
    for side in [call.args.first(), response].into_iter().flatten() {
        texts(side.get("body").and_then(|body| body.get("text")), found);
        for header in side.get("headers").and_then(Value::as_array).into_iter().flatten() {
            leaves(header.get(1).unwrap_or(&Value::Null), found);
        }
    }
}

/// What a command about contacts or groups says of people: all but keys and the words of the protocol.
fn of_contact(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| of_contact(item, found)),
        Value::Object(map) => {
            for (name, item) in map {
                match (name.as_str(), item) {
                    ("key" | "keys" | "user_account" | "created_at" | "delivery_class" | "count" | "max_keys", _) => {}
                    ("groups", Value::Array(items)) if items.iter().all(Value::is_string) => {}
                    ("msisdn", Value::String(text)) if text == "unknown" => {}
                    (_, Value::Array(_) | Value::Object(_)) => of_contact(item, found),
                    _ => leaves(item, found),
                }
            }
        }
        _ => {}
    }
}

/// A text, and what stands in it when it is JSON.
fn texts(value: Option<&Value>, found: &mut Vec<String>) {
    let Some(text) = value.and_then(Value::as_str) else { return };
    found.push(text.to_owned());
    if let Ok(inner) = json::parse(text.as_bytes()) {
        leaves(&inner, found);
    }
}

/// All texts and numbers in a value.
fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => found.push(number.to_string()),
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        Value::Object(map) => map.values().for_each(|item| leaves(item, found)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_masked_is_found_in_all_its_forms() {
        let rule = RecordRule { mask: vec!["content".into(), "kv".into(), "http".into()], ..RecordRule::default() };
        let mut recorder = Recorder::default();
        let payload = json!({"content": "my pin", "from_addr": "+27"});
        recorder.input = TapeInput::Message(payload.as_object().unwrap().clone());
        recorder.begin("kv.get", vec![json!("k")]);
        recorder.end(Ok(json!({"ok": r#"{"name": "Thandi", "age": [41, true]}"#})), None);
        recorder.begin("http.request", vec![json!({"headers": [["x", "hv"]], "body": {"text": "sent"}})]);
        recorder.end(Ok(json!({"ok": {"headers": [], "body": {"text": "got"}}})), None);
        recorder.begin("contacts.save", vec![json!({"contact": {"key": "k1", "name": "Zoë", "extra": {"a": "1"}}})]);
        let contact = json!({"key": "k1", "user_account": "u", "msisdn": "+27", "groups": ["g1"], "extras-a": "2"});
        recorder.end(Ok(json!({"ok": {"contact": contact}})), None);
        recorder.begin("groups.list", vec![json!({})]);
        recorder.end(Ok(json!({"ok": {"groups": [{"key": "g1", "name": "friends"}]}})), None);
        let found = of(&rule, &recorder);
        let whole = r#"{"name": "Thandi", "age": [41, true]}"#;
        assert_eq!(found, ["my pin", whole, "Thandi", "41", "sent", "hv", "got", "Zoë", "1", "+27", "2", "friends"]);
        assert!(of(&RecordRule::default(), &recorder).is_empty());
    }
}
