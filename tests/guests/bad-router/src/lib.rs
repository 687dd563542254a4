//! A router and middleware that does what the message tells it, above all what it must not: `command argument`.
//!
//! A message without command goes to the app `a1`, and out to its own transport; the middleware passes it. Of events the
//! id of the user's message is the command.

use std::hint::black_box;
use std::time::Duration;

use vumi_sdk::parts::{
    Channel, Direction, EventFields, EventFlow, EventRoute, MessageFields, MessageFlow, MessageRoute, MessageTarget,
    Middleware, Router,
};
use vumi_sdk::{Error, Result, SessionEvent, info, kv};

struct Bad;

impl Router for Bad {
    fn route_message(_: &str, channel: Channel, message: &MessageFields) -> Result<MessageRoute> {
        let (command, rest) = command(message.content.as_deref());
        harm(command, rest)?;
        let changed = |message| Ok(MessageRoute::To(vec![MessageTarget::to("a1").with(message)]));
        match command {
            "to" => Ok(MessageRoute::To(rest.split(' ').map(MessageTarget::to).collect())),
            "out" => Ok(MessageRoute::To(vec![MessageTarget::to(rest).through(Channel::Outbound)])),
            "nowhere" => Ok(MessageRoute::Nowhere(rest.to_owned())),
            "refuse" => Ok(MessageRoute::Refused(rest.to_owned())),
            "discard" => Ok(MessageRoute::Discarded),
            "many" => Ok(MessageRoute::To(vec![MessageTarget::to("a1"); number(rest)])),
            "long" => Ok(MessageRoute::one("x".repeat(number(rest)))),
            "set" => changed(with(message.clone(), rest)),
            _ if channel == Channel::Outbound => {
                Ok(MessageRoute::one(message.transport_name.as_deref().unwrap_or_default()))
            }
            _ => Ok(MessageRoute::one("a1")),
        }
    }

    fn route_event(_: &str, event: &EventFields) -> Result<EventRoute> {
        let (command, rest) = command(event.user_message_id.as_deref());
        harm(command, rest)?;
        Ok(match command {
            "to" => EventRoute::To(rest.split(' ').map(str::to_owned).collect()),
            "nowhere" => EventRoute::Nowhere(rest.to_owned()),
            "discard" => EventRoute::Discarded,
            "many" => EventRoute::To(vec!["a1".to_owned(); number(rest)]),
            _ => EventRoute::To(vec!["a1".to_owned()]),
        })
    }
}

impl Middleware for Bad {
    fn on_message(_: &str, _: Direction, _: Channel, message: &MessageFields) -> Result<MessageFlow> {
        let (command, rest) = command(message.content.as_deref());
        harm(command, rest)?;
        Ok(match command {
            "stop" => MessageFlow::Stop(rest.to_owned()),
            "set" => MessageFlow::Change(with(message.clone(), rest)),
            _ => MessageFlow::Pass,
        })
    }

    fn on_event(_: &str, _: Direction, event: &EventFields) -> Result<EventFlow> {
        let (command, rest) = command(event.user_message_id.as_deref());
        harm(command, rest)?;
        let mut changed = event.clone();
        if command == "set" {
            let (field, value) = rest.split_once(' ').unwrap_or((rest, ""));
            match field {
                "event-id" => changed.event_id = value.to_owned(),
                "user-message-id" => changed.user_message_id = None,
                "timestamp" => changed.timestamp += 1,
                "kind" => changed.kind = vumi_sdk::EventKind::Nack(value.to_owned()),
                "transport-name" => changed.transport_name = some(value),
                "endpoint" => changed.endpoint = value.to_owned(),
                "transport-metadata" => changed.transport_metadata = value.to_owned(),
                "helper-metadata" => changed.helper_metadata = value.to_owned(),
                _ => return Err(Error::new(format!("an event has no {field}"))),
            }
        }
        Ok(match command {
            "stop" => EventFlow::Stop(rest.to_owned()),
            "set" => EventFlow::Change(changed),
            _ => EventFlow::Pass,
        })
    }
}

fn command(text: Option<&str>) -> (&str, &str) {
    let text = text.unwrap_or_default();
    text.split_once(' ').unwrap_or((text, ""))
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_default()
}

/// What no part should do.
fn harm(command: &str, rest: &str) -> Result<()> {
    match command {
        "trap" => panic!("on purpose"),
        "loop" => {
            let mut rounds = 0_u64;
            while black_box(rounds) != u64::MAX {
                rounds += 1;
            }
        }
        "memory" => {
            let mut all = Vec::new();
            loop {
                all.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        "sleep" => std::thread::sleep(Duration::from_secs(600)),
        "fail" => return Err(Error::new(rest)),
        "kv" => kv::incr("asked", 1).map(drop)?,
        "log" => info!("{rest}"),
        _ => {}
    }
    Ok(())
}

/// The message with one field set, to nothing when the value is `-`: `field value`.
fn with(mut message: MessageFields, change: &str) -> MessageFields {
    let (field, value) = change.split_once(' ').unwrap_or((change, "-"));
    match field {
        "message-id" => message.message_id = value.to_owned(),
        "timestamp" => message.timestamp += 1,
        "to-addr" => message.to_addr = some(value),
        "from-addr" => message.from_addr = some(value),
        "to-addr-type" => message.to_addr_type = some(value),
        "from-addr-type" => message.from_addr_type = some(value),
        "content" => message.content = some(value),
        "session-event" => message.session_event = (value != "-").then_some(SessionEvent::Close),
        "in-reply-to" => message.in_reply_to = some(value),
        "transport-name" => message.transport_name = some(value),
        "transport-type" => message.transport_type = some(value),
        "group" => message.group = some(value),
        "provider" => message.provider = some(value),
        "endpoint" => message.endpoint = value.to_owned(),
        "transport-metadata" => message.transport_metadata = value.to_owned(),
        "helper-metadata" => message.helper_metadata = value.to_owned(),
        _ => {}
    }
    message
}

fn some(value: &str) -> Option<String> {
    (value != "-").then(|| value.to_owned())
}

vumi_sdk::router!(Bad);
vumi_sdk::middleware!(Bad);
