//! Building an application's messages and handing them to its outbound queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use vumi_core::{Clock, Confirm, Error, Outbox, Result};
use vumi_message::{MessageError, Payload, UserMessage, new_id};

use super::Endpoints;
use crate::shared::{AppPlace, ApplicationShared};

/// What an application sends with. Its own methods are for messages that no input caused: each gets a fresh id, and
/// the caller awaits that it is safe ([`Posted::safe`]). What is sent for an input goes through
/// [`Sending`](super::Sending).
pub struct Sender {
    app: String,
    outbox: Arc<dyn Outbox>,
    send_to: BTreeMap<String, Payload>,
    endpoints: Endpoints,
    clock: Arc<dyn Clock>,
}

/// A message that was handed over.
#[derive(Debug)]
pub struct Posted {
    /// The message, as it was given to the publish middleware.
    pub message: UserMessage,
    /// Resolves when it is safe; `None` when middleware dropped it on purpose.
    pub confirm: Option<Confirm>,
}

impl Posted {
    /// Waits until the message is safe.
    ///
    /// # Errors
    /// When the broker did not get it safe.
    pub async fn safe(self) -> Result<UserMessage> {
        if let Some(confirm) = self.confirm {
            confirm.await?;
        }
        Ok(self.message)
    }
}

/// What kind of reply is meant.
#[derive(Clone, Copy)]
pub(super) enum Reply {
    ToSender,
    ToGroup,
}

/// Looks for mistakes in the shared key `send_to`.
///
/// # Errors
/// One sentence that names the endpoint and the field.
pub fn check_send_to(shared: &ApplicationShared) -> Result<()> {
    for (endpoint, fields) in &shared.send_to {
        let fields = fields.clone().into_iter().collect();
        UserMessage::send("", None, fields)
            .map_err(|error| Error::permanent(format!("send_to, endpoint `{endpoint}`: {error}")))?;
    }
    Ok(())
}

impl Sender {
    /// For an application at its place, which may send to these endpoints.
    pub fn new(place: &AppPlace, endpoints: Endpoints) -> Self {
        let fields = |fields: &BTreeMap<String, Value>| fields.clone().into_iter().collect();
        Self {
            app: place.name.clone(),
            outbox: Arc::clone(&place.outbox),
            send_to: place.shared.send_to.iter().map(|(endpoint, given)| (endpoint.clone(), fields(given))).collect(),
            endpoints,
            clock: Arc::clone(&place.context.clock),
        }
    }

    /// The application's name.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// Replies to the sender of `original`, with a fresh id. `continue_session` false ends the session with this
    /// message; `extras` are further fields.
    ///
    /// # Errors
    /// Permanent when `extras` are not allowed in a reply or not valid; otherwise those of the broker.
    pub async fn reply_to(
        &self,
        original: &UserMessage,
        content: Option<&str>,
        continue_session: bool,
        extras: Payload,
    ) -> Result<Posted> {
        let reply = self.build_reply(Reply::ToSender, original, content, continue_session, new_id(), extras)?;
        self.hand_over(reply).await
    }

    /// Sends a message that is no reply, with a fresh id; see [`Sending::send_to`](super::Sending::send_to).
    ///
    /// # Errors
    /// Permanent for an endpoint that is not allowed and for fields that are not valid; otherwise those of the broker.
    pub async fn send_to(
        &self,
        to_addr: &str,
        content: Option<&str>,
        endpoint: Option<&str>,
        extras: Payload,
    ) -> Result<Posted> {
        let message = self.build_send(to_addr, content, endpoint, new_id(), extras)?;
        self.hand_over(message).await
    }

    pub(super) fn build_reply(
        &self,
        kind: Reply,
        original: &UserMessage,
        content: Option<&str>,
        continue_session: bool,
        id: String,
        extras: Payload,
    ) -> Result<UserMessage> {
        let mut fields = self.stamp(id);
        fields.extend(extras);
        let reply = match kind {
            Reply::ToSender => original.reply(content, continue_session, fields),
            Reply::ToGroup => original.reply_group(content, continue_session, fields),
        };
        reply.map_err(|error| refused(&error))
    }

    pub(super) fn build_send(
        &self,
        to_addr: &str,
        content: Option<&str>,
        endpoint: Option<&str>,
        id: String,
        extras: Payload,
    ) -> Result<UserMessage> {
        let endpoint = self.endpoints.check(endpoint)?;
        // Order of precedence: the owner's fields for this endpoint, what the host itself says, what the app says.
        let mut fields = self.send_to.get(endpoint).cloned().unwrap_or_default();
        fields.extend(self.stamp(id));
        fields.extend(extras);
        let mut message = UserMessage::send(to_addr, content, fields).map_err(|error| refused(&error))?;
        message.set_endpoint(Some(endpoint));
        Ok(message)
    }

    pub(super) async fn hand_over(&self, message: UserMessage) -> Result<Posted> {
        let confirm = self.outbox.send(message.clone()).await?;
        Ok(Posted { message, confirm })
    }

    fn stamp(&self, id: String) -> Payload {
        let mut fields = Payload::new();
        fields.insert("message_id".to_owned(), id.into());
        fields.insert("timestamp".to_owned(), self.clock.now().to_string().into());
        fields
    }
}

fn refused(error: &MessageError) -> Error {
    Error::permanent(format!("a message could not be built: {error}"))
}
