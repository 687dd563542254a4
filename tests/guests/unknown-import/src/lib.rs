//! A guest that wants something that no host offers.

use vumi_sdk::prelude::*;

mod wanted {
    wit_bindgen::generate!({
        inline: "
            package nobody:offers@1.0.0;
            interface this { do-it: func() -> u32; }
            world wants { import this; }
        ",
        world: "wants",
    });
}

struct Wants;

impl App for Wants {
    fn on_message(message: &Message) -> Result<()> {
        message.reply(wanted::nobody::offers::this::do_it().to_string()).map(drop)
    }
}

vumi_sdk::app!(Wants);
