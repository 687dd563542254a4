//! A router: the first word of a message chooses the app, and the user stays with that app until the next such word.
//!
//! In the dispatcher's configuration:
//!
//! ```yaml
//! class: wasm
//! transport_names: [sms]
//! exposed_names: [shop, news]
//! component: keyword-router.wasm
//! config: { words: "BUY=shop NEWS=news", fallback: news }
//! ```

use std::time::Duration;

use vumi_sdk::parts::{Channel, EventFields, EventRoute, MessageFields, MessageRoute, Router};
use vumi_sdk::{Result, config, kv};

/// How long a user stays with an app.
const STAY: Duration = Duration::from_secs(24 * 60 * 60);

struct KeywordRouter;

impl Router for KeywordRouter {
    fn route_message(connector: &str, channel: Channel, message: &MessageFields) -> Result<MessageRoute> {
        if channel == Channel::Outbound {
            // Back to where the conversation came from; and whoever reports on the message will find the app.
            kv::set_for(&format!("sent:{}", message.message_id), connector, STAY)?;
            return Ok(match &message.transport_name {
                Some(transport) => MessageRoute::one(transport),
                None => MessageRoute::Refused("the message names no transport".to_owned()),
            });
        }
        let user = format!("app:{}", message.from_addr.as_deref().unwrap_or_default());
        if let Some(app) = message.content.as_deref().and_then(chosen) {
            kv::set_for(&user, &app, STAY)?;
            return Ok(MessageRoute::one(app));
        }
        match kv::get::<String>(&user)?.or_else(|| config("fallback")) {
            Some(app) => Ok(MessageRoute::one(app)),
            None => Ok(MessageRoute::Nowhere("no word chose an app, and there is no fallback".to_owned())),
        }
    }

    fn route_event(_: &str, event: &EventFields) -> Result<EventRoute> {
        let sent = format!("sent:{}", event.user_message_id.as_deref().unwrap_or_default());
        Ok(match kv::get::<String>(&sent)? {
            Some(app) => EventRoute::To(vec![app]),
            None => EventRoute::Nowhere("nobody here sent the message that the event is about".to_owned()),
        })
    }
}

/// The app of a message's first word, from `words`: `WORD=app WORD=app`.
fn chosen(content: &str) -> Option<String> {
    let first = content.split_whitespace().next()?;
    let words = config("words").unwrap_or_default();
    let pairs = words.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(first)).map(|(_, app)| app.to_owned())
}

vumi_sdk::router!(KeywordRouter);
