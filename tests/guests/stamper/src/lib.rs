//! A small guest that tells which version of itself it is, and how many messages it has told that.

use std::hint::black_box;

use vumi_sdk::prelude::*;

/// Tests change these bytes within the component, and so make versions of it.
static STAMP: [u8; 22] = *b"STAMP=0000000000000000";

struct Stamper;

impl App for Stamper {
    fn on_message(message: &Message) -> Result<()> {
        if message.is_close() {
            return Ok(());
        }
        let Some("stamp") = message.content() else { return message.reply("ready").map(drop) };
        // Read byte by byte behind a black box, so that the text stays in the component as it is.
        let text: String = black_box(&STAMP).iter().map(|byte| char::from(*black_box(byte))).collect();
        let count = kv::incr("stamped", 1)?;
        message.reply(format!("{text} {count}")).map(drop)
    }
}

vumi_sdk::app!(Stamper);
