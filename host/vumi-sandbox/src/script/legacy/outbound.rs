//! The resource `outbound` (specification: sandbox, section 6): its arguments are checked in the order of their fields,
//! each with Vumi's own reason.

use serde_json::Value;
use vumi_bindings::app::vumi::app::outbound::{Host, ReplyOptions, SendOptions};

use super::arguments::Arguments;
use super::{Done, Failure, done, failed};
use crate::state::{Cause, Guest};

impl Guest {
    pub(super) async fn legacy_outbound(&mut self, verb: &str, given: &Arguments) -> wasmtime::Result<Done> {
        let sent = match verb {
            "reply_to" | "reply_to_group" => match self.checked_reply(given) {
                Err(failure) => return Ok(failed(failure)),
                Ok((content, options)) if verb == "reply_to" => Host::reply(self, content, options).await?,
                Ok((content, options)) => Host::reply_to_group(self, content, options).await?,
            },
            "send_to" | "send_to_endpoint" => match self.checked_send(given, verb == "send_to") {
                Err(failure) => return Ok(failed(failure)),
                Ok((to_addr, content, options)) => Host::send_to(self, to_addr, content, options).await?,
            },
            _ => return Ok(None),
        };
        Ok(match sent {
            Ok(_) => done(),
            Err(error) => failed(Failure::of(error)),
        })
    }

    fn checked_reply(&self, given: &Arguments) -> Result<(Option<String>, ReplyOptions), Failure> {
        let content = content(given)?;
        let Some(id) = given.text("in_reply_to") else {
            return Err(Failure::new("'in_reply_to' must be given."));
        };
        let is_known = matches!(&self.cause, Cause::Message(message) if message.message_id() == id);
        if !is_known {
            return Err(Failure::new(format!("Could not find original message with id: '{id}'")));
        }
        let goes_on = match given.get("continue_session") {
            None => true,
            Some(Value::Bool(goes_on)) => *goes_on,
            Some(_) => return Err(Failure::new("'continue_session' must be either true or false if given")),
        };
        Ok((content, ReplyOptions { close_session: !goes_on, helper_metadata: self.metadata(given)? }))
    }

    fn checked_send(
        &self,
        given: &Arguments,
        has_default: bool,
    ) -> Result<(String, Option<String>, SendOptions), Failure> {
        let content = content(given)?;
        let Some(to_addr) = given.text("to_addr") else {
            return Err(Failure::new("'to_addr' must be given in sends."));
        };
        let endpoint = match given.get("endpoint") {
            None if has_default => "default",
            Some(Value::String(endpoint)) => endpoint,
            _ => return Err(Failure::new("'endpoint' must be given in sends.")),
        };
        if !self.app.endpoints.iter().any(|allowed| allowed == endpoint) {
            return Err(Failure::new(format!("Endpoint '{endpoint}' not configured")));
        }
        let options = SendOptions { endpoint: Some(endpoint.to_owned()), helper_metadata: self.metadata(given)? };
        Ok((to_addr.to_owned(), content, options))
    }

    /// Helper metadata, if there is any, as JSON text.
    fn metadata(&self, given: &Arguments) -> Result<Option<String>, Failure> {
        let Some(metadata) = given.given("helper_metadata") else { return Ok(None) };
        let keys = metadata.as_object();
        if keys.is_some_and(serde_json::Map::is_empty) {
            return Ok(None);
        }
        let allowed = &self.app.allowed_helper_metadata;
        if allowed.is_empty() {
            return Err(Failure::new("'helper_metadata' is not allowed"));
        }
        // Which keys are allowed is checked, and said, where messages are built.
        match keys {
            Some(_) => Ok(Some(metadata.to_string())),
            None => Err(Failure::new("'helper_metadata' must be object or null.")),
        }
    }
}

fn content(given: &Arguments) -> Result<Option<String>, Failure> {
    match given.get("content") {
        None => Err(Failure::new("'content' must be given.")),
        Some(Value::Null) => Ok(None),
        Some(Value::String(content)) => Ok(Some(content.clone())),
        Some(_) => Err(Failure::new("'content' must be unicode or null.")),
    }
}
