//! A router: the first word of a message chooses the app, and the user stays with that app until the next such word.
//!
//! In the host's configuration:
//!
//! ```yaml
//! dispatchers:
//!   main:
//!     class: wasm
//!     transport_names: [sms]
//!     exposed_names: [shop, news]
//!     component: keyword-router.wasm
//!     config: { words: "BUY=shop NEWS=news", fallback: news }
//!     limits: { kv_keys: 1000000 } # one for each user and for each message sent, for a day
//! ```

use std::time::Duration;

use vumi_sdk::parts::{Channel, EventFields, EventRoute, MessageFields, MessageRoute, Router};
use vumi_sdk::{Result, config, kv, warning};

/// How long a user stays with an app, and events find the way back to it.
const STAY: Duration = Duration::from_secs(24 * 60 * 60);

struct KeywordRouter;

impl Router for KeywordRouter {
    fn route_message(connector: &str, channel: Channel, message: &MessageFields) -> Result<MessageRoute> {
        match channel {
            Channel::Inbound => inbound(connector, message),
            Channel::Outbound => outbound(connector, message),
        }
    }

    fn route_event(_: &str, event: &EventFields) -> Result<EventRoute> {
        let sender = match &event.user_message_id {
            Some(id) => kv::get::<String>(&sent(id))?,
            None => None,
        };
        Ok(match sender {
            Some(app) => EventRoute::To(vec![app]),
            None => EventRoute::Nowhere("nobody here sent the message that the event is about".to_owned()),
        })
    }
}

/// To the app of the first word, else to the app that the user is with, else to the fallback.
fn inbound(transport: &str, message: &MessageFields) -> Result<MessageRoute> {
    let user = message.from_addr.as_ref().map(|address| format!("app:{transport}:{address}"));
    if let Some(app) = message.content.as_deref().and_then(chosen) {
        if let Some(user) = &user {
            remember(user, &app)?;
        }
        return Ok(MessageRoute::one(app));
    }
    let stays = match &user {
        Some(user) => kv::get::<String>(user)?,
        None => None,
    };
    Ok(match stays.or_else(|| config("fallback")) {
        Some(app) => MessageRoute::one(app),
        None => MessageRoute::Nowhere("no word chose an app, and there is no fallback".to_owned()),
    })
}

/// Back to the transport that the conversation came through; and whoever reports on the message will find the app.
fn outbound(app: &str, message: &MessageFields) -> Result<MessageRoute> {
    let Some(transport) = &message.transport_name else {
        return Ok(MessageRoute::Refused("the message names no transport".to_owned()));
    };
    remember(&sent(&message.message_id), app)?;
    Ok(MessageRoute::one(transport))
}

/// The key under which the sender of a message is kept.
fn sent(message_id: &str) -> String {
    format!("sent:{message_id}")
}

/// Keeps an app under a key. When there is no room for it the message goes its way all the same.
fn remember(key: &str, app: &str) -> Result<()> {
    match kv::set_for(key, app, STAY) {
        Err(error) if error.is_quota() => {
            warning!("{key} is not kept, raise the limit kv_keys: {error}");
            Ok(())
        }
        done => done,
    }
}

/// The app of a message's first word, from the text `words` of the configuration: `WORD=app WORD=app`.
fn chosen(content: &str) -> Option<String> {
    let first = content.split_whitespace().next()?.to_lowercase();
    let words = config("words")?;
    let mut pairs = words.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.find(|(word, _)| word.to_lowercase() == first).map(|(_, app)| app.to_owned())
}

vumi_sdk::router!(KeywordRouter);
