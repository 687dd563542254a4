//! Group chat: rooms in which everybody reads what one writes, by SMS, USSD, telnet or any other network.
//!
//! `commands` says what a text means, `people` keeps names, `rooms` who is where, and `chat` does what was asked.
//!
//! Run it with the app's option `parallel: 1`: then one message is handled after another. Two people who enter a room at
//! once cannot spoil each other's change of the list, and all read the same words in the same order.

mod chat;
mod commands;
mod people;
mod rooms;

use vumi_sdk::prelude::*;

struct GroupChat;

impl App for GroupChat {
    fn on_message(message: &Message) -> Result<()> {
        if message.user().is_empty() {
            return Ok(());
        }
        if message.is_close() {
            // Who hangs up leaves. There is nobody to answer.
            return chat::gone(message.user());
        }
        if let Some(text) = chat::answer(message)? {
            message.reply(text)?;
        }
        Ok(())
    }
}

vumi_sdk::app!(GroupChat);
