//! `vumi:app/outbound`: messages to users (specification: sandbox, section 6).
//!
//! A message is handed to the broker at once; that the broker has it safe is awaited before the run's own message
//! is acknowledged, so the guest need not wait for the disk. Its id is derived from the run's message, the app and
//! its number within the run: handled again after a crash, the same message goes out under the same id and is
//! recognised as sent.

use serde_json::Value;
use vumi_bindings::app::vumi::app::outbound::{Host, ReplyOptions, SendOptions};
use vumi_bindings::app::vumi::app::types::Error;
use vumi_message::{Payload, Timestamp, UserMessage, derived_id};

use crate::state::{Cause, Guest, now, wait};
use crate::tape::{Tape, reply_values, send_values};

impl Guest {
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

    /// The fields that every message of a run gets: its derived id, its time.
    fn stamp(&self) -> Payload {
        let mut extras = Payload::new();
        let id = derived_id(self.cause.id(), &self.app.name, self.budget.numbered);
        extras.insert("message_id".into(), Value::String(id));
        extras.insert("timestamp".into(), Value::String(self.stamp_time().to_string()));
        extras
    }

    fn stamp_time(&self) -> Timestamp {
        self.tape.as_ref().map_or_else(now, Tape::stamp)
    }

    async fn answer(
        &mut self,
        content: Option<String>,
        options: ReplyOptions,
        to_group: bool,
    ) -> wasmtime::Result<Result<String, Error>> {
        let began = self.begin()?;
        let built = self.build_answer(content.as_deref(), &options, to_group);
        let answer = match built {
            Ok(message) => self.hand_over(message).await?,
            Err(error) => Err(error),
        };
        self.budget.end(began);
        Ok(answer)
    }

    fn build_answer(
        &self,
        content: Option<&str>,
        options: &ReplyOptions,
        to_group: bool,
    ) -> Result<UserMessage, Error> {
        let Cause::Message(original) = &self.cause else {
            return Err(Error::Invalid("this run was started by an event: there is no message to reply to".into()));
        };
        let given = self.given_metadata(options.helper_metadata.as_deref())?;
        let mut extras = self.stamp();
        if !given.is_empty() {
            // The original's metadata stays, the given keys are laid over it.
            let mut metadata = original.helper_metadata().clone();
            metadata.extend(given);
            extras.insert("helper_metadata".into(), Value::Object(metadata));
        }
        let reply = if to_group {
            original.reply_group(content, !options.close_session, extras)
        } else {
            original.reply(content, !options.close_session, extras)
        };
        reply.map_err(|error| Error::Invalid(error.to_string()))
    }

    fn build_send(&self, to_addr: &str, content: Option<&str>, options: &SendOptions) -> Result<UserMessage, Error> {
        let endpoint = options.endpoint.as_deref().unwrap_or("default");
        if !self.app.endpoints.iter().any(|allowed| allowed == endpoint) {
            return Err(Error::Denied(format!("Endpoint '{endpoint}' not configured")));
        }
        let given = self.given_metadata(options.helper_metadata.as_deref())?;
        // Order of precedence: the owner's fields for this endpoint, then what the host itself says.
        let mut extras = self.app.send_to.get(endpoint).cloned().unwrap_or_default();
        extras.extend(self.stamp());
        if !given.is_empty() {
            extras.insert("helper_metadata".into(), Value::Object(given));
        }
        let mut message =
            UserMessage::send(to_addr, content, extras).map_err(|error| Error::Invalid(error.to_string()))?;
        message.set_endpoint(Some(endpoint));
        Ok(message)
    }

    /// Notes that a message was not taken. Its number is used up all the same: when the run is repeated, the message
    /// must have the id that it had, and no other message of this run may have got it.
    pub(crate) fn lose(&mut self, reason: String) {
        self.budget.numbered += 1;
        self.lost_message = Some(reason);
    }

    /// Gives a message to the broker.
    async fn hand_over(&mut self, message: UserMessage) -> wasmtime::Result<Result<String, Error>> {
        if self.budget.sent >= self.app.limits.outbound_messages {
            return Ok(Err(Error::Quota(format!(
                "this run has sent {} messages, the limit outbound_messages",
                self.app.limits.outbound_messages
            ))));
        }
        if let Some(answer) = self.taped_delivery(&message) {
            return Ok(answer);
        }
        let id = message.message_id().to_owned();
        let outbox = std::sync::Arc::clone(&self.app.outbox);
        let cap = std::time::Duration::from_secs(30);
        match wait(self.budget.deadline, cap, outbox.send(message)).await? {
            Some(Ok(confirm)) => {
                self.budget.numbered += 1;
                self.budget.sent += 1;
                self.confirms.extend(confirm);
                Ok(Ok(id))
            }
            // No retry can mend it (the message is larger than a queue takes): the guest's own affair.
            Some(Err(error)) if !error.is_temporary() => Ok(Err(Error::Invalid(error.to_string()))),
            Some(Err(error)) => {
                self.lose(error.report());
                Ok(Err(Error::Unavailable("the message could not be handed to the broker".into())))
            }
            None => {
                self.lose("the broker did not take a message in time".into());
                Ok(Err(Error::Unavailable("the broker did not take the message in time".into())))
            }
        }
    }
}

impl Host for Guest {
    async fn reply(
        &mut self,
        content: Option<String>,
        options: ReplyOptions,
    ) -> wasmtime::Result<Result<String, Error>> {
        self.listen("outbound.reply", || reply_values(content.as_deref(), &options))?;
        let answer = self.answer(content, options, false).await;
        self.note(&answer);
        answer
    }

    async fn reply_to_group(
        &mut self,
        content: Option<String>,
        options: ReplyOptions,
    ) -> wasmtime::Result<Result<String, Error>> {
        self.listen("outbound.reply-to-group", || reply_values(content.as_deref(), &options))?;
        let answer = self.answer(content, options, true).await;
        self.note(&answer);
        answer
    }

    async fn send_to(
        &mut self,
        to_addr: String,
        content: Option<String>,
        options: SendOptions,
    ) -> wasmtime::Result<Result<String, Error>> {
        self.listen("outbound.send-to", || send_values(&to_addr, content.as_deref(), &options))?;
        let answer = self.send(to_addr, content, options).await;
        self.note(&answer);
        answer
    }
}

impl Guest {
    async fn send(
        &mut self,
        to_addr: String,
        content: Option<String>,
        options: SendOptions,
    ) -> wasmtime::Result<Result<String, Error>> {
        let began = self.begin()?;
        let answer = match self.build_send(&to_addr, content.as_deref(), &options) {
            Ok(message) => self.hand_over(message).await?,
            Err(error) => Err(error),
        };
        self.budget.end(began);
        Ok(answer)
    }
}
