//! Keyword SMS: people join topics by sending a word, and leave with STOP, as operators require of every such service.
//!
//! `words` says what a text means, `service` what the owner configured, `people` who gets what, and `send` brings the
//! owner's news to all who joined. This file joins them.

mod people;
mod send;
mod service;
mod words;

use people::Person;
use service::{Service, Topic};
use vumi_sdk::prelude::*;
use words::Order;

struct KeywordSms;

impl App for KeywordSms {
    fn on_message(message: &Message) -> Result<()> {
        if message.is_close() || message.user().is_empty() {
            return Ok(());
        }
        let service = Service::configured()?;
        match answer(&service, message) {
            Ok(Some(text)) => message.reply(text).map(|_| ()),
            Ok(None) => Ok(()),
            Err(error) => {
                // The sender hears something in any case; the error is recorded for the owner.
                message.reply("Sorry, that did not work. Please try again later.")?;
                Err(error)
            }
        }
    }

    fn on_event(event: &Event) -> Result<()> {
        if let EventKind::Nack(reason) = event.kind() {
            warning!("message {} was refused: {reason}", event.message_id().unwrap_or("?"));
        }
        Ok(())
    }
}

/// What goes back to the sender; nothing when nothing may.
fn answer(service: &Service, message: &Message) -> Result<Option<String>> {
    let user = message.user();
    let mut person = Person::load(user)?;
    let order = Order::of(message.text(), service, service.is_owner(user));
    // After STOP there is one confirmation and then silence. Only START and HELP are still heard.
    if person.stopped && !matches!(order, Order::Start | Order::Help) {
        info!("{user} has said STOP and hears nothing");
        return Ok(None);
    }
    let name = &service.name;
    Ok(Some(match order {
        Order::Start => {
            person.start(user)?;
            metrics::count("start")?;
            format!("Welcome to {name}. To join, send {}. STOP ends it, HELP helps.", service.keywords(" or "))
        }
        Order::Stop => {
            person.stop(user)?;
            metrics::count("stop")?;
            format!("{name}: you are unsubscribed and will get no more messages. Send START to come back.")
        }
        Order::Help => service.help(),
        Order::Join(topic) => join(service, user, &mut person, topic)?,
        Order::Leave(topic) if person.leave(user, &topic.keyword)? => {
            format!("You no longer get {}. Send STOP to end all messages.", topic.title)
        }
        Order::Leave(topic) => format!("You do not get {}. Send LIST to see what you get.", topic.title),
        Order::List => list(service, &person),
        Order::Send(rest) => send::start(service, user, rest)?,
        Order::Next => send::go_on(service, user)?,
        Order::Unknown(word) => format!("Sorry, we do not know the word {word}. Send HELP for help."),
    }))
}

fn join(service: &Service, user: &str, person: &mut Person, topic: &Topic) -> Result<String> {
    let (name, title) = (&service.name, &topic.title);
    if !person.join(user, &topic.keyword)? {
        return Ok(format!("You get {title} from {name} already. Send HELP for help, STOP to end."));
    }
    metrics::count("join")?;
    Ok(format!("You now get {title} from {name}. Send HELP for help, STOP to end. Standard rates apply."))
}

fn list(service: &Service, person: &Person) -> String {
    let (has, other): (Vec<&Topic>, Vec<&Topic>) =
        service.topics.iter().partition(|topic| person.places.contains_key(&topic.keyword));
    let titles: Vec<&str> = has.iter().map(|topic| topic.title.as_str()).collect();
    let keywords: Vec<&str> = other.iter().map(|topic| topic.keyword.as_str()).collect();
    match (titles.as_slice(), keywords.as_slice()) {
        ([], _) => format!("You get nothing yet. To join, send {}.", keywords.join(" or ")),
        (_, []) => format!("You get {}. That is all there is.", titles.join(", ")),
        _ => format!("You get {}. To join more, send {}.", titles.join(", "), keywords.join(" or ")),
    }
}

vumi_sdk::app!(KeywordSms);
