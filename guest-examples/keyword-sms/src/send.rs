//! The owner's news, to all who joined a topic.
//!
//! One run may send a limited number of messages, so a long list is sent in parts: the place where it stopped is kept for
//! a day, and the owner's NEXT goes on from there.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use vumi_sdk::prelude::*;

use crate::people::{last_place, member};
use crate::service::Service;
use crate::words::{clean, split};

/// How long an owner may take to go on.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is still to be sent.
#[derive(Serialize, Deserialize)]
struct Rest {
    topic: String,
    text: String,
    /// The next place in the topic's list.
    place: i64,
    /// People who have it already.
    sent: usize,
}

/// The owner wrote `SEND <topic> <text>`. The answer is for the owner.
pub fn start(service: &Service, owner: &str, rest: &str) -> Result<String> {
    let (word, text) = split(rest);
    let Some(topic) = service.topic(&clean(word)).filter(|_| !text.is_empty()) else {
        return Ok(format!("Write SEND, a topic and the text. The topics are {}.", service.keywords(", ")));
    };
    part(service, owner, Rest { topic: topic.keyword.clone(), text: text.to_owned(), place: 1, sent: 0 })
}

/// The owner wrote `NEXT`.
pub fn go_on(service: &Service, owner: &str) -> Result<String> {
    match kv::get(&rest_key(owner))? {
        Some(rest) => part(service, owner, rest),
        None => Ok("There is nothing left to send.".into()),
    }
}

fn part(service: &Service, owner: &str, mut rest: Rest) -> Result<String> {
    let text = format!("{}: {} STOP to end.", service.name, rest.text);
    let last = last_place(&rest.topic)?;
    let mut room = service.batch;
    while rest.place <= last {
        if let Some(user) = member(&rest.topic, rest.place)? {
            if room == 0 {
                kv::set_for(&rest_key(owner), &rest, A_DAY)?;
                return Ok(format!("Sent to {} so far. Send NEXT to go on.", rest.sent));
            }
            Send::to(user).content(&text)?;
            metrics::count("sent")?;
            room -= 1;
            rest.sent += 1;
        }
        rest.place += 1;
    }
    kv::delete(&rest_key(owner))?;
    Ok(match rest.sent {
        0 => format!("Nobody has joined {} yet.", rest.topic),
        1 => "Sent to 1 person.".into(),
        count => format!("Sent to {count} people."),
    })
}

fn rest_key(owner: &str) -> String {
    format!("rest:{owner}")
}
