//! Word count: replies with the number of words and of characters that it was sent.

mod count;

use vumi_sdk::prelude::*;

struct WordCount;

impl App for WordCount {
    fn on_message(message: &Message) -> Result<()> {
        if message.is_close() {
            return Ok(());
        }
        match message.content() {
            Some(content) => message.reply(count::sentence(content))?,
            None => message.reply("Enter text to return word and character counts for:")?,
        };
        Ok(())
    }
}

vumi_sdk::app!(WordCount);
