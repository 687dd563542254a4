//! A middleware: stops what blocked users send and what is sent to them, and notes on every other message that it was
//! checked.
//!
//! In the configuration of a transport, dispatcher or app:
//!
//! ```yaml
//! middleware:
//!   - blocklist: wasm
//! blocklist: { component: blocklist.wasm, config: { blocked: "+27820000001 +27820000002" } }
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
        let blocked = config("blocked").unwrap_or_default();
        if user.is_some_and(|user| blocked.split_whitespace().any(|one| one == user)) {
            info!("stopped a message of {}", user.unwrap_or_default());
            metrics::count("blocked")?;
            return Ok(MessageFlow::Stop("this user is blocked".to_owned()));
        }
        let mut changed = message.clone();
        changed.helper_metadata = checked(&message.helper_metadata);
        Ok(MessageFlow::Change(changed))
    }
}

/// The metadata with a note of ours.
fn checked(metadata: &str) -> String {
    match metadata.trim().strip_suffix('}').map(str::trim_end) {
        Some("{") | None => r#"{"blocklist":"checked"}"#.to_owned(),
        Some(others) if others.contains(r#""blocklist""#) => metadata.to_owned(),
        Some(others) => format!(r#"{others},"blocklist":"checked"}}"#),
    }
}

vumi_sdk::middleware!(Blocklist);
