//! A guest that traps while its instance is being made.

use vumi_sdk::prelude::*;

/// Called when the instance is made, before any message.
#[unsafe(export_name = "_initialize")]
pub extern "C" fn initialize() {
    core::arch::wasm32::unreachable()
}

struct Never;

impl App for Never {
    fn on_message(message: &Message) -> Result<()> {
        message.reply("this is never sent").map(drop)
    }
}

vumi_sdk::app!(Never);
