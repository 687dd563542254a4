//! The messages that a guest sends, put together from what it gave, what started the run, and what the owner allowed
//! (specification: sandbox, section 6).
//!
//! A message's id is derived from the run's message, the app and its number within the run: handled again after a crash,
//! the same message goes out under the same id and is recognised as sent.

use serde_json::Value;
use vumi_bindings::app::vumi::app::outbound::{ReplyOptions, SendOptions};
use vumi_bindings::app::vumi::app::types::Error;
use vumi_message::{Payload, Stamp, Timestamp, UserMessage, derived_id};

use crate::state::{Cause, Guest, now};

impl Guest {
    /// An answer to the message that started the run.
    pub(crate) fn build_answer(
        &self,
        content: Option<String>,
        options: &ReplyOptions,
        to_group: bool,
    ) -> Result<UserMessage, Error> {
        let Cause::Message(original) = &self.cause else {
            return Err(Error::Invalid("this run was started by an event: there is no message to reply to".into()));
        };
        let given = self.given_metadata(options.helper_metadata.as_deref())?;
        let mut reply = if to_group {
            original.reply_group_stamped(content, !options.close_session, self.stamp())
        } else {
            original.reply_stamped(content, !options.close_session, self.stamp())
        };
        // The original's metadata stays, the given keys are laid over it.
        for (key, value) in given {
            reply.put_helper_metadata(&key, value);
        }
        Ok(reply)
    }

    /// A message that answers nothing.
    pub(crate) fn build_send(
        &self,
        to_addr: &str,
        content: Option<&str>,
        options: &SendOptions,
    ) -> Result<UserMessage, Error> {
        let endpoint = options.endpoint.as_deref().unwrap_or("default");
        if !self.app.endpoints.iter().any(|allowed| allowed == endpoint) {
            return Err(Error::Denied(format!("Endpoint '{endpoint}' not configured")));
        }
        let given = self.given_metadata(options.helper_metadata.as_deref())?;
        // Order of precedence: the owner's fields for this endpoint, then what the host itself says.
        let mut extras = self.app.send_to.get(endpoint).cloned().unwrap_or_default();
        let Stamp { message_id, timestamp } = self.stamp();
        extras.insert("message_id".into(), Value::String(message_id));
        extras.insert("timestamp".into(), Value::String(timestamp.to_string()));
        if !given.is_empty() {
            extras.insert("helper_metadata".into(), Value::Object(given));
        }
        let mut message =
            UserMessage::send(to_addr, content, extras).map_err(|error| Error::Invalid(error.to_string()))?;
        message.set_endpoint(Some(endpoint));
        Ok(message)
    }

    /// What every message of a run gets: its derived id, its time.
    fn stamp(&self) -> Stamp {
        let message_id = derived_id(self.cause.id(), &self.app.name, self.budget.numbered);
        Stamp { message_id, timestamp: self.stamp_time() }
    }

    fn stamp_time(&self) -> Timestamp {
        match &self.tape {
            Some(tape) => tape.stamp(),
            None => self.app.stage.now().unwrap_or_else(now),
        }
    }

    /// The helper metadata that a guest gave, checked against what the configuration allows.
    fn given_metadata(&self, text: Option<&str>) -> Result<Payload, Error> {
        let Some(text) = text else { return Ok(Payload::new()) };
        let given = match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(map)) => map,
            Ok(Value::Null) => Payload::new(),
            _ => return Err(Error::Invalid("'helper_metadata' must be object or null.".into())),
        };
        let allowed = &self.app.allowed_helper_metadata;
        if given.is_empty() {
            return Ok(given);
        }
        if allowed.is_empty() {
            return Err(Error::Denied("'helper_metadata' is not allowed".into()));
        }
        if given.keys().any(|key| !allowed.contains(key)) {
            let mut keys: Vec<&str> = allowed.iter().map(String::as_str).collect();
            keys.sort_unstable();
            return Err(Error::Denied(format!(
                "'helper_metadata' may only contain the following keys: {}",
                keys.join(", ")
            )));
        }
        Ok(given)
    }
}
