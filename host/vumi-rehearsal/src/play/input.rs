//! From a step to what the app is given: a message of a user, or an event.

use std::sync::Arc;

use vumi_core::{Clock, Input};
use vumi_message::{Event, NewUserMessage, SessionEvent, UserMessage, derived_id};

use super::performance::Performance;
use crate::script::{Happened, HappenedKind, Said, SessionChoice};

/// Longest text that is shown of what a user sends, in characters.
const SHOWN: usize = 60;

/// What the app is given.
pub(super) struct Told {
    pub(super) input: Input,
    /// In words.
    pub(super) words: String,
}

impl Performance<'_> {
    /// Ids follow from the conversation and a number, so that each time they are the same.
    fn next_id(&mut self) -> String {
        self.inputs += 1;
        derived_id(&self.conversation.name, "rehearsal", self.inputs)
    }

    /// A message of a user.
    pub(super) fn message(&mut self, said: &Said) -> Result<Told, String> {
        let user = said.sender().to_owned();
        let session = match said.session {
            Some(SessionChoice::Event(event)) => Some(event),
            Some(SessionChoice::None) => None,
            None if !said.has_sessions() => None,
            None if self.in_session.get(&user).copied().unwrap_or_default() => Some(SessionEvent::Resume),
            None => Some(SessionEvent::New),
        };
        let text = said.text.clone().flatten();
        let id = self.next_id();
        let network = said.network().to_owned();
        let message = UserMessage::new(NewUserMessage {
            to_addr: Some(said.recipient().to_owned()),
            from_addr: Some(user.clone()),
            transport_name: Some(said.transport_name.clone().unwrap_or_else(|| network.clone())),
            transport_type: Some(network),
            content: text.clone(),
            session_event: session,
            in_reply_to: None,
            message_id: Some(said.message_id.clone().unwrap_or(id)),
            timestamp: Some(Clock::now(&*self.scene)),
            provider: said.provider.clone(),
            group: said.group.clone(),
            transport_metadata: said.transport_metadata.clone(),
            helper_metadata: said.helper_metadata.clone(),
            to_addr_type: said.to_addr_type.clone(),
            from_addr_type: said.from_addr_type.clone(),
            endpoint: said.endpoint.clone(),
        });
        let does = match (&text, session) {
            (None, Some(SessionEvent::New)) => "dials".to_owned(),
            (None, Some(SessionEvent::Close)) => "closes the session".to_owned(),
            (None, _) => "sends no text".to_owned(),
            (Some(text), _) => format!("sends {}", quoted(text)),
        };
        let words = format!("{} {does}", self.conversation.users.shown(&user));
        Ok(Told { input: Input::Message(Arc::new(message)), words })
    }

    /// An event about a message that the app sent.
    pub(super) fn event(&mut self, happened: &Happened) -> Result<Told, String> {
        let count = self.sent.len();
        let at = |back: u64| usize::try_from(back).ok().and_then(|back| count.checked_sub(back));
        let index = match happened.of {
            of if of < 0 => at(of.unsigned_abs()),
            of => usize::try_from(of - 1).ok(),
        };
        let Some(about) = index.and_then(|index| self.sent.get(index)) else {
            let of = happened.of;
            return Err(format!("the event is about message {of}, and the app has sent {count} so far"));
        };
        let id = about.message_id();
        let event = match &happened.kind {
            HappenedKind::Ack => Event::ack(id, id),
            HappenedKind::Nack(reason) => Event::nack(id, reason),
            HappenedKind::Report(status) => Event::delivery_report(id, *status),
        };
        let network = about.transport_name().or(about.transport_type()).unwrap_or("sms");
        let name = happened.transport_name.clone().unwrap_or_else(|| network.to_owned());
        let endpoint = happened.endpoint.clone().unwrap_or_else(|| about.endpoint().to_owned());
        let words =
            format!("{} for {}", happened.word(), about.content().map_or_else(|| "a message".to_owned(), quoted));
        let mut event = event.with_transport(&name, happened.transport_metadata.clone());
        let id = self.next_id();
        for (field, value) in [("event_id", id), ("timestamp", Clock::now(&*self.scene).to_string())] {
            event.set(field, value).map_err(|error| error.to_string())?;
        }
        event.set_endpoint(Some(&endpoint));
        for (key, value) in &happened.helper_metadata {
            event.put_helper_metadata(key, value.clone());
        }
        Ok(Told { input: Input::Event(Arc::new(event)), words })
    }
}

/// A text in quotes, on one line, cut.
fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).map(|c| if c == '\n' { '⏎' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
