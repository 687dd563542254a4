//! Makes the document of a run that was recorded: what must not be kept is replaced, and what is too long is cut.

use vumi_core::{Outcome, Run};
use vumi_message::Payload;

use super::cut::fitting;
use super::document::{FORMAT, TapeCost, TapeDocument, TapeInput, TapeSettings, TapeStop};
use super::mask::{MASKED, Masks, Place};
use super::needles::{self, HTTP, KV};
use super::recorder::Recorder;
use super::rule::{RecordRule, Secret};
use super::values::one;
use super::wipe::{in_bodies, put, wipe, wipe_exchange};
use crate::app::AppShared;

/// Fields of messages and events that a replay must find as they were. None of them holds what a person wrote.
const FIXED: [&str; 14] = [
    "message_type",
    "message_version",
    "message_id",
    "event_id",
    "user_message_id",
    "sent_message_id",
    "in_reply_to",
    "timestamp",
    "session_event",
    "event_type",
    "delivery_status",
    "transport_name",
    "transport_type",
    "routing_metadata",
];

/// A tape that may be kept.
pub(super) struct Sealed {
    pub(super) text: String,
    pub(super) version: Option<u32>,
    pub(super) hash: String,
    pub(super) user: Option<String>,
}

/// See the module's text.
pub(super) fn seal(
    mut recorder: Recorder,
    app: &AppShared,
    run: &Run,
    rule: &RecordRule,
    secrets: &[Secret],
) -> Sealed {
    let error = run.error.clone();
    recorder.stopped(
        (run.outcome != Outcome::Ok)
            .then(|| TapeStop { outcome: run.outcome, error: error.clone().unwrap_or_default() }),
    );
    let masks = Masks::new(needles::of(rule, &recorder), secrets);
    let mut user = recorder.user;
    if let Some(user) = &mut user {
        masks.text(user, Place::Run);
    }
    let mut tape = TapeDocument {
        format: FORMAT,
        app: run.app.clone(),
        sandbox_id: run.sandbox_id.clone(),
        version: recorder.component.version,
        hash: recorder.component.hash,
        at: run.at.to_string(),
        truncated: recorder.truncated,
        mask: rule.mask.clone(),
        input: recorder.input,
        settings: TapeSettings::from(app),
        seed: recorder.seed.iter().map(|byte| format!("{byte:02x}")).collect(),
        clocks: recorder.clocks,
        calls: recorder.calls,
        sent: recorder.sent,
        outcome: Some(run.outcome),
        error,
        cost: TapeCost {
            cpu_us: run.cpu_us,
            wall_us: run.wall_us,
            host_us: run.host_us,
            host_calls: run.host_calls,
            peak_memory: run.peak_memory,
            log_bytes: run.log_bytes,
        },
    };
    masked(&mut tape, rule, &masks);
    let text = fitting(&mut tape);
    Sealed { text, version: tape.version, hash: tape.hash, user }
}

/// Replaces what must not be kept.
fn masked(tape: &mut TapeDocument, rule: &RecordRule, masks: &Masks) {
    for call in &mut tape.calls {
        match call.call.as_str() {
            "kv.set" if needles::masks(rule, KV) => put(call.args.get_mut(1), MASKED.into()),
            // The guest reads JSON here, also in a replay.
            "kv.get" if needles::masks(rule, KV) => {
                put(call.answer.get_mut("ok").filter(|value| value.is_string()), "\"[masked]\"".into());
            }
            "http.request" if needles::masks(rule, HTTP) => {
                call.args.iter_mut().for_each(wipe_exchange);
                if let Some(response) = call.answer.get_mut("ok") {
                    wipe_exchange(response);
                    // The guest reads it as bytes, also in a replay.
                    put(response.get_mut("body"), one("text", MASKED.into()));
                }
            }
            _ => {}
        }
        for value in call.args.iter_mut().chain([&mut call.answer]) {
            in_bodies(value, masks);
            masks.value(value, Place::Run);
        }
        for text in call.fault.iter_mut().chain(call.stop.as_mut().map(|stop| &mut stop.error)) {
            masks.text(text, Place::Run);
        }
    }
    let (TapeInput::Message(input) | TapeInput::Event(input)) = &mut tape.input;
    for name in &rule.mask {
        wipe(input.get_mut(name));
    }
    for payload in [input].into_iter().chain(&mut tape.sent) {
        in_payload(payload, masks);
    }
    if let Some(error) = &mut tape.error {
        masks.text(error, Place::Run);
    }
    let settings = &mut tape.settings;
    settings.config.values_mut().for_each(|text| masks.text(text, Place::Owner));
    settings.endpoints.iter_mut().for_each(|text| masks.text(text, Place::Fixed));
    let send_to = std::mem::take(&mut settings.send_to).into_iter().map(|(mut endpoint, mut fields)| {
        masks.text(&mut endpoint, Place::Fixed);
        fields.values_mut().for_each(|value| masks.value(value, Place::Owner));
        (endpoint, fields)
    });
    settings.send_to = send_to.collect();
}

/// Masks one message or event.
fn in_payload(payload: &mut Payload, masks: &Masks) {
    for (name, value) in payload.iter_mut() {
        let place = if FIXED.contains(&name.as_str()) { Place::Fixed } else { Place::Run };
        masks.foreign(value, place);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::tape::document::TapeCall;

    fn call(name: &str, args: Vec<Value>, answer: Value) -> TapeCall {
        TapeCall { call: name.into(), args, answer, ..TapeCall::default() }
    }

    #[test]
    fn kv_and_http_can_be_masked_whole() {
        let rule = RecordRule { mask: vec![KV.into(), HTTP.into()], ..RecordRule::default() };
        let request = json!({
            "url": "http://a/b?name=thandi", "headers": [["x", "y"]], "body": {"base64": "/w=="}, "method": "GET"
        });
        let mut tape = TapeDocument {
            calls: vec![
                call("kv.set", vec![json!("k"), json!("17"), Value::Null], json!({"ok": null})),
                call("kv.get", vec![json!("k")], json!({"ok": "17"})),
                call("kv.get", vec![json!("other")], json!({"ok": null})),
                call(
                    "http.request",
                    vec![request],
                    json!({"ok": {"status": 200, "headers": [], "body": {"text": "hi"}}}),
                ),
            ],
            ..TapeDocument::default()
        };
        masked(&mut tape, &rule, &Masks::new(Vec::new(), &[]));
        assert_eq!(tape.calls[0].args, [json!("k"), json!(MASKED), Value::Null]);
        assert_eq!(tape.calls[1].answer, json!({"ok": "\"[masked]\""}));
        assert_eq!(tape.calls[2].answer, json!({"ok": null}));
        let http = &tape.calls[3];
        assert_eq!(http.args[0]["url"], "http://a/b?[masked]");
        assert_eq!(http.args[0]["headers"], json!([["x", MASKED]]));
        assert_eq!(http.args[0]["body"], json!({"base64": MASKED}));
        assert_eq!(http.answer["ok"]["body"], json!({"text": MASKED}));
    }
}
