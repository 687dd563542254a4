//! A middleware: stops what blocked users send and what is sent to them, and notes on every other message that it was
//! checked.
//!
//! In the host's configuration, for a transport, a dispatcher or an app:
//!
//! ```yaml
//! transports:
//!   sms:
//!     class: simulator
//!     middleware:
//!       - blocklist: wasm
//!     blocklist: { component: blocklist.wasm, config: { blocked: "+27820000001 +27820000002" } }
//! ```

use vumi_sdk::parts::{Channel, Direction, MessageFields, MessageFlow, Middleware};
use vumi_sdk::{Result, config, info, metrics};

struct Blocklist;

impl Middleware for Blocklist {
    fn on_message(_: &str, _: Direction, channel: Channel, message: &MessageFields) -> Result<MessageFlow> {
        let user = match channel {
            Channel::Inbound => message.from_addr.as_deref(),
            Channel::Outbound => message.to_addr.as_deref(),
        };
        if let Some(user) = user.filter(|user| is_blocked(user)) {
            info!("stopped a message of {user}");
            metrics::count("blocked")?;
            return Ok(MessageFlow::Stop("this user is blocked".to_owned()));
        }
        let mut checked = message.clone();
        checked.note("blocklist", "checked")?;
        Ok(MessageFlow::Change(checked))
    }
}

fn is_blocked(user: &str) -> bool {
    config("blocked").is_some_and(|blocked| blocked.split_whitespace().any(|one| one == user))
}

vumi_sdk::middleware!(Blocklist);
