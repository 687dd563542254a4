//! The arguments of `vumi:app/outbound` on a tape.

use serde_json::{Value, json};
use vumi_bindings::app::vumi::app::outbound::{ReplyOptions, SendOptions};

/// Of `reply` and `reply-to-group`.
pub(crate) fn reply_values(content: Option<&str>, options: &ReplyOptions) -> Vec<Value> {
    let options = json!({ "close_session": options.close_session, "helper_metadata": options.helper_metadata });
    vec![content.into(), options]
}

/// Of `send-to`.
pub(crate) fn send_values(to_addr: &str, content: Option<&str>, options: &SendOptions) -> Vec<Value> {
    let options = json!({ "endpoint": options.endpoint, "helper_metadata": options.helper_metadata });
    vec![to_addr.into(), content.into(), options]
}
