//! Echo: replies with what it was sent, and counts the messages of each user.

use vumi_sdk::prelude::*;

struct Echo;

impl App for Echo {
    fn on_message(message: &Message) -> Result<()> {
        if message.is_close() {
            return Ok(());
        }
        let Some(content) = message.content() else {
            message.reply("Enter text to echo:")?;
            return Ok(());
        };
        match kv::incr(&format!("messages:{}", message.user()), 1) {
            Ok(count) => info!("message {count} of {}", message.user()),
            // An app may keep a limited number of keys; counting is not worth failing for.
            Err(error) if error.is_quota() => warning!("not counted: {error}"),
            Err(error) => return Err(error),
        }
        message.reply(content)?;
        Ok(())
    }
}

vumi_sdk::app!(Echo);
