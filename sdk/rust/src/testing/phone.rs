//! A user with a phone.

use super::desk;
use crate::bindings::vumi::app::types;
use crate::dialogue::Dialogue;
use crate::{Message, SessionEvent};

/// A message with this text from `+27820000001`, as an SMS.
pub fn message(content: &str) -> Message {
    Message::new(fields("+27820000001", Some(content), None))
}

fn fields(user: &str, content: Option<&str>, session_event: Option<SessionEvent>) -> types::Message {
    types::Message {
        message_id: "0".repeat(32),
        timestamp: 1_769_846_400_000_000,
        to_addr: Some("*120*8007#".into()),
        from_addr: Some(user.to_owned()),
        to_addr_type: None,
        from_addr_type: None,
        content: content.map(str::to_owned),
        session_event,
        in_reply_to: None,
        transport_name: Some("test".into()),
        transport_type: Some(if session_event.is_some() { "ussd" } else { "sms" }.into()),
        group: None,
        provider: None,
        endpoint: "default".into(),
        transport_metadata: "{}".into(),
        helper_metadata: "{}".into(),
    }
}

/// A user who talks with a dialogue, over USSD or by SMS. See [the module](crate::testing).
#[derive(Debug)]
pub struct Phone {
    user: String,
    dialogue: fn() -> Dialogue,
    sessions: bool,
    closed: bool,
}

impl Phone {
    /// Over USSD.
    pub fn ussd(dialogue: fn() -> Dialogue) -> Self {
        Self { user: "+27820000001".into(), dialogue, sessions: true, closed: true }
    }

    /// By SMS: without sessions.
    pub fn sms(dialogue: fn() -> Dialogue) -> Self {
        Self { sessions: false, ..Self::ussd(dialogue) }
    }

    /// Of this address instead of `+27820000001`.
    #[must_use]
    pub fn from(self, user: &str) -> Self {
        Self { user: user.to_owned(), ..self }
    }

    /// From now on the app is this one.
    pub fn update(&mut self, dialogue: fn() -> Dialogue) {
        self.dialogue = dialogue;
    }

    /// Begins a session; the answer is what is on the screen then.
    pub fn dial(&mut self) -> String {
        self.give(None, self.sessions.then_some(SessionEvent::New))
    }

    /// Answers, or sends an SMS.
    pub fn say(&mut self, text: &str) -> String {
        self.give(Some(text), self.sessions.then_some(SessionEvent::Resume))
    }

    /// Hangs up.
    pub fn hang_up(&mut self) {
        self.give(None, Some(SessionEvent::Close));
        self.closed = true;
    }

    /// Whether the last answer ended the session.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn give(&mut self, content: Option<&str>, session_event: Option<SessionEvent>) -> String {
        let message = Message::new(fields(&self.user, content, session_event));
        let dialogue = (self.dialogue)();
        let before = desk::with(|desk| desk.sent.len());
        if let Err(error) = dialogue.answer(&message) {
            return format!("error: {error}");
        }
        let replies: Vec<_> = desk::with(|desk| desk.sent.drain(before..).collect());
        self.closed = replies.iter().any(|reply| reply.closes);
        let texts = replies.into_iter().filter(|sent| sent.to_addr.is_none()).map(|sent| sent.content);
        texts.collect::<Vec<_>>().join("\n")
    }
}
