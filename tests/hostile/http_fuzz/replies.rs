//! The app behind the transport: it answers every message, first with anything, then with a plain text, so that no
//! request waits for ever; and it sends messages that answer nothing.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use vumi_message::{NewUserMessage, UserMessage};

use super::class::Tally;
use super::dice::Dice;
use super::rig::{NAME, Rig};
use super::{documents, values};

/// What it has to say.
pub(super) struct Talk {
    /// Fields of replies in the golden cases.
    pub(super) replies: Vec<Map<String, Value>>,
    /// Fields of messages that answer nothing.
    pub(super) sends: Vec<Map<String, Value>>,
    pub(super) tally: Arc<Mutex<Tally>>,
}

impl Talk {
    /// Answers until it is dropped; what is wrong with a message ends it before.
    pub(super) async fn go_on(&self, rig: &mut Rig, dice: &mut Dice) -> String {
        for number in 0..12 {
            let message = UserMessage::new(NewUserMessage {
                transport_name: Some(NAME.to_owned()),
                transport_type: Some("test".to_owned()),
                to_addr: Some(values::text(dice)),
                content: values::content(dice, &[]),
                ..NewUserMessage::default()
            });
            let own = if self.sends.is_empty() || number < 2 { None } else { Some(dice.pick(&self.sends).clone()) };
            rig.put(&self.odd(message, own, dice)).await;
        }
        loop {
            // An error means that nothing came for a while.
            let Ok(message) = rig.inbound.next().await else { continue };
            self.tally.lock().messages += 1;
            let original = match read_message(&message) {
                Ok(original) => original,
                Err(wrong) => return wrong,
            };
            let Ok(reply) = original.reply(None, true, Map::new()) else {
                return format!("nobody can reply to this message: {message}");
            };
            let own = if self.replies.is_empty() { None } else { Some(dice.pick(&self.replies).clone()) };
            rig.put(&self.odd(reply, own, dice)).await;
            let Ok(mut plain) = original.reply(Some("ok"), true, Map::new()) else { continue };
            let _ = plain.set("session_event", if dice.one_in(2) { json!("close") } else { Value::Null });
            rig.put(&plain).await;
        }
    }

    /// A message with the fields of a golden case and something that no app should send. What no message can have is
    /// left out.
    fn odd(&self, mut message: UserMessage, own: Option<Map<String, Value>>, dice: &mut Dice) -> UserMessage {
        for (field, value) in own.into_iter().flatten() {
            let _ = message.set(&field, value);
        }
        let own: Vec<String> =
            self.replies.iter().filter_map(|reply| reply.get("content")?.as_str().map(str::to_owned)).collect();
        if !dice.one_in(4) {
            let _ = message.set("content", values::content(dice, &own).map_or(Value::Null, Value::from));
        }
        match dice.below(12) {
            0 => drop(message.set("session_event", "close")),
            1 => drop(message.set("session_event", "resume")),
            2 => drop(message.set("to_addr", values::text(dice))),
            3 => drop(message.set("from_addr", Value::Null)),
            4 | 5 => {
                let field = *dice.pick(&["transport_metadata", "helper_metadata"]);
                let there = message.payload().get(field).cloned().unwrap_or_default();
                // Only what is JSON still.
                if let Ok(changed) = serde_json::from_slice::<Value>(&documents::json(&there, dice)) {
                    let _ = message.set(field, changed);
                }
            }
            _ => {}
        }
        message
    }
}

/// A message that a transport published.
///
/// # Errors
/// What no message may be.
pub(super) fn read_message(message: &Value) -> Result<UserMessage, String> {
    let wrong = |error: String| {
        let shown: String = message.to_string().chars().take(2_000).collect();
        format!("an invalid message was published: {error}; {shown}")
    };
    let fields = message.as_object().cloned().unwrap_or_default();
    let read = UserMessage::from_payload(fields).map_err(|error| wrong(error.to_string()))?;
    if read.transport_name() != Some(NAME) {
        return Err(wrong("it has another transport's name".to_owned()));
    }
    if read.message_id().is_empty() {
        return Err(wrong("it has no id".to_owned()));
    }
    Ok(read)
}
