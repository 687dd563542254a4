//! A router that sends messages of its own, which no router may: it must be refused when it is loaded.

use vumi_sdk::parts::{Channel, MessageFields, MessageRoute, Router};
use vumi_sdk::{Result, Send};

struct Sending;

impl Router for Sending {
    fn route_message(_: &str, _: Channel, _: &MessageFields) -> Result<MessageRoute> {
        Send::to("+27820000001").content("from a router")?;
        Ok(MessageRoute::Discarded)
    }
}

vumi_sdk::router!(Sending);
