//! Messages from users, and answers to them.

use serde::de::DeserializeOwned;

use crate::bindings::vumi::app::{outbound, types};
use crate::{Result, host};

pub use types::{DeliveryStatus, EventKind, SessionEvent};

/// A message from a user.
#[derive(Clone, Debug)]
pub struct Message {
    fields: types::Message,
}

impl Message {
    pub(crate) fn new(fields: types::Message) -> Self {
        Self { fields }
    }

    /// Names this message.
    pub fn id(&self) -> &str {
        &self.fields.message_id
    }

    /// Who sent it; the empty text when the network did not say.
    pub fn user(&self) -> &str {
        self.fields.from_addr.as_deref().unwrap_or_default()
    }

    /// Where it was sent to, e.g. a short code.
    pub fn to_addr(&self) -> Option<&str> {
        self.fields.to_addr.as_deref()
    }

    /// The text; none when the network sent none, as at the beginning of many USSD sessions.
    pub fn content(&self) -> Option<&str> {
        self.fields.content.as_deref()
    }

    /// The text without surrounding white space; empty when there is none.
    pub fn text(&self) -> &str {
        self.content().unwrap_or_default().trim()
    }

    /// Where it stands in its session; none for messages that belong to no session (SMS).
    pub fn session_event(&self) -> Option<SessionEvent> {
        self.fields.session_event
    }

    /// True when it begins a session.
    pub fn is_new(&self) -> bool {
        self.session_event() == Some(SessionEvent::New)
    }

    /// True when it ends a session: nobody is there to read a reply.
    pub fn is_close(&self) -> bool {
        self.session_event() == Some(SessionEvent::Close)
    }

    /// `sms`, `ussd`, `telnet`, …
    pub fn transport_type(&self) -> Option<&str> {
        self.fields.transport_type.as_deref()
    }

    /// The name of the transport that it came through.
    pub fn transport_name(&self) -> Option<&str> {
        self.fields.transport_name.as_deref()
    }

    /// The group or channel, in chat networks.
    pub fn group(&self) -> Option<&str> {
        self.fields.group.as_deref()
    }

    /// The mobile network operator, where known.
    pub fn provider(&self) -> Option<&str> {
        self.fields.provider.as_deref()
    }

    /// The app's endpoint that it arrived at.
    pub fn endpoint(&self) -> &str {
        &self.fields.endpoint
    }

    /// When it was made: microseconds since 1970-01-01T00:00:00Z.
    pub fn timestamp_micros(&self) -> i64 {
        self.fields.timestamp
    }

    /// What dispatchers and middleware noted on it.
    ///
    /// # Errors
    /// When it does not have the shape of `T`.
    pub fn helper_metadata<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_str(&self.fields.helper_metadata)?)
    }

    /// All fields, as the contract has them.
    pub fn fields(&self) -> &types::Message {
        &self.fields
    }

    /// Answers, and keeps the session open. The answer is the new message's id.
    ///
    /// # Errors
    /// When the run has sent too many messages, or the host cannot take it now.
    pub fn reply(&self, content: impl AsRef<str>) -> Result<String> {
        self.answer(content.as_ref(), false)
    }

    /// Answers, and ends the session.
    ///
    /// # Errors
    /// As [`Message::reply`].
    pub fn reply_and_close(&self, content: impl AsRef<str>) -> Result<String> {
        self.answer(content.as_ref(), true)
    }

    /// Answers to the whole group that the message came from, if it came from one.
    ///
    /// # Errors
    /// As [`Message::reply`].
    pub fn reply_to_group(&self, content: impl AsRef<str>) -> Result<String> {
        let options = outbound::ReplyOptions { close_session: false, helper_metadata: None };
        Ok(host::reply_to_group(content.as_ref(), &options)?)
    }

    fn answer(&self, content: &str, close_session: bool) -> Result<String> {
        let options = outbound::ReplyOptions { close_session, helper_metadata: None };
        Ok(host::reply(content, &options)?)
    }
}

/// A message to anybody, not as an answer.
///
/// ```no_run
/// # use vumi_sdk::prelude::*;
/// # fn f() -> Result<()> {
/// Send::to("+27820000001").endpoint("sms").content("Your parcel is here.")?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `content`"]
pub struct Send {
    to_addr: String,
    endpoint: Option<String>,
}

impl Send {
    /// To this address.
    pub fn to(address: impl Into<String>) -> Self {
        Self { to_addr: address.into(), endpoint: None }
    }

    /// Through this endpoint of the app; `default` unless given.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Sends this text. The answer is the new message's id.
    ///
    /// # Errors
    /// When the endpoint is not the app's, the run has sent too many messages, or the host cannot take it now.
    pub fn content(self, content: impl AsRef<str>) -> Result<String> {
        let options = outbound::SendOptions { endpoint: self.endpoint, helper_metadata: None };
        Ok(host::send_to(&self.to_addr, content.as_ref(), &options)?)
    }
}

/// Something that happened to a message that the app sent.
#[derive(Clone, Debug)]
pub struct Event {
    fields: types::Event,
}

impl Event {
    pub(crate) fn new(fields: types::Event) -> Self {
        Self { fields }
    }

    /// The message that it is about.
    pub fn message_id(&self) -> Option<&str> {
        self.fields.user_message_id.as_deref()
    }

    /// What happened.
    pub fn kind(&self) -> &EventKind {
        &self.fields.kind
    }

    /// All fields, as the contract has them.
    pub fn fields(&self) -> &types::Event {
        &self.fields
    }
}
