//! Sending while an input is handled (specification: applications, section 5).
//!
//! Handled again after a crash, an input gives the same messages under the same ids, so that what already went out is
//! recognised: the id of the n-th message is derived from the input's id, the application's name and n.

use parking_lot::Mutex;
use vumi_core::{Confirm, Result};
use vumi_message::{Payload, UserMessage, derived_id};

use super::sender::{Reply, Sender};

/// What one input's handler sends with. That everything it sent is safe is awaited before the input is acknowledged,
/// so the handler need not.
pub struct Sending<'a> {
    sender: &'a Sender,
    /// The id of the message or event that is handled.
    cause: &'a str,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of the next message. It also counts those that the broker did not take, so that the ones behind
    /// them keep their ids when the input is handled again.
    next: u64,
    confirms: Vec<Confirm>,
    /// Why a message was lost on its way to the broker, even if the handler made light of it.
    lost: Option<String>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(sender: &'a Sender, cause: &'a str) -> Self {
        Self { sender, cause, state: Mutex::default() }
    }

    /// Replies to the sender of `original`, through the endpoint that it came from. `continue_session` false ends the
    /// session with this message; `extras` are further fields. The answer is the message as published.
    ///
    /// # Errors
    /// Permanent when `extras` are not allowed in a reply or not valid; otherwise those of the broker.
    pub async fn reply_to(
        &self,
        original: &UserMessage,
        content: Option<&str>,
        continue_session: bool,
        extras: Payload,
    ) -> Result<UserMessage> {
        self.reply(Reply::ToSender, original, content, continue_session, extras).await
    }

    /// As [`Sending::reply_to`], but to the whole group when `original` came from one.
    ///
    /// # Errors
    /// As [`Sending::reply_to`].
    pub async fn reply_to_group(
        &self,
        original: &UserMessage,
        content: Option<&str>,
        continue_session: bool,
        extras: Payload,
    ) -> Result<UserMessage> {
        self.reply(Reply::ToGroup, original, content, continue_session, extras).await
    }

    /// Sends a message that is no reply. Its fields are those of the shared key `send_to` for the endpoint (none means
    /// `default`), overlaid by `extras`. The answer is the message as published.
    ///
    /// # Errors
    /// Permanent for an endpoint that is not allowed and for fields that are not valid; otherwise those of the broker.
    pub async fn send_to(
        &self,
        to_addr: &str,
        content: Option<&str>,
        endpoint: Option<&str>,
        extras: Payload,
    ) -> Result<UserMessage> {
        let message = self.sender.build_send(to_addr, content, endpoint, self.id(), extras)?;
        self.hand_over(message).await
    }

    async fn reply(
        &self,
        kind: Reply,
        original: &UserMessage,
        content: Option<&str>,
        continue_session: bool,
        extras: Payload,
    ) -> Result<UserMessage> {
        let reply = self.sender.build_reply(kind, original, content, continue_session, self.id(), extras)?;
        self.hand_over(reply).await
    }

    fn id(&self) -> String {
        let mut state = self.state.lock();
        let id = derived_id(self.cause, self.sender.app(), state.next);
        state.next += 1;
        id
    }

    async fn hand_over(&self, message: UserMessage) -> Result<UserMessage> {
        let posted = self.sender.hand_over(message).await;
        let mut state = self.state.lock();
        match posted {
            Ok(posted) => {
                state.confirms.extend(posted.confirm);
                Ok(posted.message)
            }
            Err(error) => {
                if error.is_temporary() {
                    state.lost = Some(error.report());
                }
                Err(error)
            }
        }
    }

    /// What is still to be confirmed, and why the input is to be handled again, if it is.
    pub(super) fn finish(self) -> (Vec<Confirm>, Option<String>) {
        let state = self.state.into_inner();
        (state.confirms, state.lost)
    }
}
