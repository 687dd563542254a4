//! Reverse: replies with what it was sent, backwards.

use vumi_sdk::prelude::*;

struct Reverse;

impl App for Reverse {
    fn on_message(message: &Message) -> Result<()> {
        if message.is_close() {
            return Ok(());
        }
        match message.content() {
            Some(content) => message.reply(content.chars().rev().collect::<String>())?,
            None => message.reply("Enter text to reverse:")?,
        };
        Ok(())
    }
}

vumi_sdk::app!(Reverse);
