//! A guest that traps while its instance is being made.

use vumi_sdk::prelude::*;

extern "C" fn trap() {
    core::arch::wasm32::unreachable()
}

/// Constructors run when the instance starts, before any message.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = trap;

struct Never;

impl App for Never {
    fn on_message(message: &Message) -> Result<()> {
        message.reply("this is never sent").map(drop)
    }
}

vumi_sdk::app!(Never);
