//! What the unit tests of the middleware share.

use std::sync::Arc;

use serde_json::{Value, json};
use vumi_core::{Channel, Direction, Flow, Hook, Middleware};
use vumi_message::{Message, NewUserMessage, UserMessage};

use crate::registry::MiddlewareComponent;
use crate::testing::context;

/// A middleware from its own keys.
pub(super) fn build<C: MiddlewareComponent>(json: &str) -> Arc<dyn Middleware> {
    let config: C = serde_json::from_str(json).expect("a configuration");
    config.build(&context()).expect("a middleware")
}

/// What is wrong with a middleware's own keys: said when they are read, or by `check` and by `build` alike.
pub(super) fn refusal<C: MiddlewareComponent>(json: &str) -> String {
    let config: C = match serde_json::from_str(json) {
        Ok(config) => config,
        Err(error) => return error.to_string(),
    };
    let text = config.check(()).expect_err("a mistake").report();
    assert_eq!(config.build(&context()).err().map(|error| error.report()), Some(text.clone()));
    text
}

/// A user message as it leaves a middleware.
pub(super) async fn pass(middleware: &dyn Middleware, channel: Channel, message: UserMessage) -> UserMessage {
    let hook = Hook { direction: Direction::Publish, channel };
    match middleware.handle(hook, "t1", message.into()).await.expect("it passes") {
        Flow::Continue(Message::User(message)) => message,
        other => panic!("no user message: {other:?}"),
    }
}

/// A user message with these addresses.
pub(super) fn user(from_addr: &str, to_addr: Option<&str>) -> UserMessage {
    UserMessage::new(NewUserMessage {
        from_addr: Some(from_addr.into()),
        to_addr: to_addr.map(str::to_owned),
        transport_name: Some("t1".into()),
        ..NewUserMessage::default()
    })
}

/// Gives a message this helper metadata.
pub(super) fn noted(mut message: UserMessage, helper_metadata: Value) -> UserMessage {
    assert!(helper_metadata.is_object());
    message.set("helper_metadata", helper_metadata).expect("an object");
    message
}

/// The helper metadata of a message.
pub(super) fn notes(message: &UserMessage) -> Value {
    message.get("helper_metadata").cloned().unwrap_or_else(|| json!(null))
}
