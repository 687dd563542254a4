//! The threads of the simulated phones, folded from the messages of the simulator's transport.
//!
//! A phone's screen shows what was sent from it, what the app answered, and how far each answer got. All of that is
//! in the messages and events that pass; [`PhoneBook::record`] takes them one after the other and says what changed.
//! It keeps a bounded number of phones and messages, in memory only: after a restart screens are empty.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use serde_json::Value;

use crate::model::{
    Delivery, Direction, MessageView, PhoneInfo, PhoneKind, PhoneMessage, PhoneSession, PhoneThread, PhoneUpdate,
    Sender,
};

/// How many phones are remembered; the one unused for longest is forgotten first.
const MAX_PHONES: usize = 100;
/// How many messages of a phone are remembered, newest last.
const MAX_MESSAGES: usize = 200;

/// The threads of all simulated phones.
#[derive(Debug, Default)]
pub struct PhoneBook {
    phones: Mutex<HashMap<String, Phone>>,
}

#[derive(Debug, Default)]
struct Phone {
    messages: VecDeque<PhoneMessage>,
    session: Option<PhoneSession>,
    last_at: u64,
}

impl PhoneBook {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a message or event of the simulator's transport. Answers with what changed on a phone's screen, or
    /// nothing when it concerns none (no address, a status, an event about a forgotten message).
    pub fn record(&self, view: &MessageView) -> Option<PhoneUpdate> {
        let mut phones = self.phones.lock();
        match view.direction {
            Direction::Inbound => add(&mut phones, view, Sender::Phone),
            Direction::Outbound => add(&mut phones, view, Sender::App),
            Direction::Event => mark(&mut phones, view),
            Direction::Status | Direction::Failure => None,
        }
    }

    /// All phones, the most recently used first.
    #[must_use]
    pub fn phones(&self) -> Vec<PhoneInfo> {
        let phones = self.phones.lock();
        let mut list: Vec<_> = phones
            .iter()
            .map(|(addr, phone)| PhoneInfo {
                addr: addr.clone(),
                messages: u64::try_from(phone.messages.len()).unwrap_or(u64::MAX),
                last_at: phone.last_at,
                session: phone.session.clone(),
            })
            .collect();
        list.sort_by(|a, b| b.last_at.cmp(&a.last_at).then_with(|| a.addr.cmp(&b.addr)));
        list
    }

    /// One phone's thread; empty for a phone that nothing is known of.
    #[must_use]
    pub fn thread(&self, addr: &str) -> PhoneThread {
        let phones = self.phones.lock();
        let phone = phones.get(addr);
        PhoneThread {
            addr: addr.to_owned(),
            session: phone.and_then(|phone| phone.session.clone()),
            messages: phone.map_or_else(Vec::new, |phone| phone.messages.iter().cloned().collect()),
        }
    }
}

fn text(payload: &Value, field: &str) -> Option<String> {
    payload.get(field)?.as_str().map(str::to_owned)
}

fn add(phones: &mut HashMap<String, Phone>, view: &MessageView, sender: Sender) -> Option<PhoneUpdate> {
    let payload = &view.payload;
    let (own, other) = match sender {
        Sender::Phone => ("from_addr", "to_addr"),
        Sender::App => ("to_addr", "from_addr"),
    };
    let addr = text(payload, own)?;
    let kind = match payload.get("transport_type").and_then(Value::as_str) {
        Some("ussd") => PhoneKind::Ussd,
        _ => PhoneKind::Sms,
    };
    let message = PhoneMessage {
        seq: view.seq,
        at: view.at,
        kind,
        sender,
        service: text(payload, other).unwrap_or_default(),
        message_id: text(payload, "message_id")?,
        in_reply_to: text(payload, "in_reply_to"),
        content: text(payload, "content"),
        session_event: text(payload, "session_event"),
        delivery: match sender {
            Sender::Phone => Delivery::Accepted,
            Sender::App => Delivery::Pending,
        },
        delivery_reason: None,
    };
    if !phones.contains_key(&addr) && phones.len() >= MAX_PHONES {
        let oldest = phones.iter().min_by_key(|(_, phone)| phone.last_at);
        if let Some(oldest) = oldest.map(|(addr, _)| addr.clone()) {
            phones.remove(&oldest);
        }
    }
    let phone = phones.entry(addr.clone()).or_default();
    phone.last_at = view.at;
    if kind == PhoneKind::Ussd {
        phone.session = next_session(phone.session.take(), &message);
    }
    // The same id again is a redelivery: the screen shows it once.
    phone.messages.retain(|known| known.message_id != message.message_id);
    if phone.messages.len() >= MAX_MESSAGES {
        phone.messages.pop_front();
    }
    phone.messages.push_back(message.clone());
    Some(PhoneUpdate { addr, session: phone.session.clone(), message })
}

/// The session after a message: specs of `session_event`, seen from the network.
fn next_session(session: Option<PhoneSession>, message: &PhoneMessage) -> Option<PhoneSession> {
    match (message.sender, message.session_event.as_deref()) {
        (_, Some("close")) => None,
        (Sender::Phone, Some("new")) => {
            Some(PhoneSession { service: message.service.clone(), since: message.at, waiting_for_app: true })
        }
        (sender, _) => session.map(|open| PhoneSession { waiting_for_app: sender == Sender::Phone, ..open }),
    }
}

fn mark(phones: &mut HashMap<String, Phone>, view: &MessageView) -> Option<PhoneUpdate> {
    let payload = &view.payload;
    let id = payload.get("user_message_id")?.as_str()?;
    let status = payload.get("delivery_status").and_then(Value::as_str);
    let (delivery, reason) = match (payload.get("event_type")?.as_str()?, status) {
        ("ack", _) => (Delivery::Accepted, None),
        ("nack", _) => (Delivery::Failed, text(payload, "nack_reason")),
        ("delivery_report", Some("delivered")) => (Delivery::Delivered, None),
        ("delivery_report", Some("failed")) => (Delivery::Failed, None),
        _ => return None,
    };
    let (addr, phone, index) = phones.iter_mut().find_map(|(addr, phone)| {
        let index = phone.messages.iter().rposition(|message| message.message_id == id)?;
        Some((addr, phone, index))
    })?;
    let message = phone.messages.get_mut(index)?;
    // An ack that arrives after the delivery report tells less than is known already.
    if message.delivery == Delivery::Delivered && delivery == Delivery::Accepted {
        return None;
    }
    message.delivery = delivery;
    message.delivery_reason = reason;
    Some(PhoneUpdate { addr: addr.clone(), session: phone.session.clone(), message: message.clone() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn view(seq: u64, direction: Direction, payload: Value) -> MessageView {
        MessageView {
            seq,
            at: seq,
            direction,
            transport_name: Some("simulator".into()),
            user: None,
            app: None,
            payload,
        }
    }

    fn inbound(seq: u64, id: &str, session_event: Option<&str>) -> MessageView {
        let payload = json!({"message_id": id, "from_addr": "+27", "to_addr": "*120#", "content": null,
            "transport_type": "ussd", "session_event": session_event});
        view(seq, Direction::Inbound, payload)
    }

    fn outbound(seq: u64, id: &str, session_event: Option<&str>) -> MessageView {
        let payload = json!({"message_id": id, "to_addr": "+27", "from_addr": "*120#", "content": "hi",
            "transport_type": "ussd", "session_event": session_event, "in_reply_to": "m1"});
        view(seq, Direction::Outbound, payload)
    }

    #[test]
    fn a_session_opens_takes_turns_and_closes() {
        let book = PhoneBook::new();
        let waiting = |update: Option<PhoneUpdate>| update.unwrap().session.map(|session| session.waiting_for_app);
        assert_eq!(waiting(book.record(&outbound(1, "push", None))), None);
        assert_eq!(waiting(book.record(&inbound(2, "m1", Some("new")))), Some(true));
        assert_eq!(waiting(book.record(&outbound(3, "r1", None))), Some(false));
        assert_eq!(waiting(book.record(&inbound(4, "m2", Some("resume")))), Some(true));
        assert_eq!(book.phones()[0].session.as_ref().unwrap().service, "*120#");
        assert_eq!(waiting(book.record(&outbound(5, "r2", Some("close")))), None);
        book.record(&inbound(6, "m3", Some("new")));
        assert_eq!(waiting(book.record(&inbound(7, "m4", Some("close")))), None);
    }

    #[test]
    fn events_mark_the_message_and_never_take_a_delivery_back() {
        let book = PhoneBook::new();
        book.record(&outbound(1, "r1", None));
        let event = |payload| view(9, Direction::Event, payload);
        let ack = json!({"event_type": "ack", "user_message_id": "r1", "sent_message_id": "x"});
        let delivered = json!({"event_type": "delivery_report", "user_message_id": "r1",
            "delivery_status": "delivered"});
        let nack = json!({"event_type": "nack", "user_message_id": "r1", "nack_reason": "busy"});
        let state = |payload| Some(book.record(&event(payload))?.message.delivery);
        assert_eq!(state(ack.clone()), Some(Delivery::Accepted));
        assert_eq!(state(delivered), Some(Delivery::Delivered));
        assert_eq!(state(ack), None);
        assert_eq!(state(nack), Some(Delivery::Failed));
        let message = &book.thread("+27").messages[0];
        assert_eq!(message.delivery_reason.as_deref(), Some("busy"));
        assert_eq!(state(json!({"event_type": "ack", "user_message_id": "?"})), None);
        assert_eq!(state(json!("not an object")), None);
    }

    #[test]
    fn phones_and_messages_are_bounded_and_a_redelivery_shows_once() {
        let book = PhoneBook::new();
        for seq in 0..(MAX_MESSAGES as u64 + 7) {
            book.record(&outbound(seq, &format!("r{seq}"), None));
        }
        book.record(&outbound(999, "r206", None));
        let thread = book.thread("+27");
        assert_eq!(thread.messages.len(), MAX_MESSAGES);
        assert_eq!(thread.messages.last().unwrap().seq, 999);
        for seq in 0..MAX_PHONES as u64 {
            let payload = json!({"message_id": "m", "from_addr": format!("+1{seq}"), "to_addr": "1"});
            book.record(&view(1000 + seq, Direction::Inbound, payload));
        }
        assert_eq!(book.phones().len(), MAX_PHONES);
        assert_eq!(book.phones()[0].addr, "+199");
        assert!(book.thread("+27").messages.is_empty());
    }
}
