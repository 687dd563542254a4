//! Writes each message to the host's log (specification: middleware, section 5, Logging).

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::middleware::Channel;
use vumi_core::{Context, Flow, Hook, Middleware, Result};
use vumi_message::Message;

use crate::registry::MiddlewareComponent;

/// A level of the host's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For developers.
    Debug,
    /// The usual course.
    Info,
    /// Something to look at.
    Warning,
    /// Something went wrong.
    Error,
    /// Something went badly wrong; the host's log has no higher level than error.
    Critical,
}

/// Logs every message that passes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LoggingConfig {
    /// Level for messages and events.
    pub log_level: Level,
    /// Level for failures.
    pub failure_log_level: Level,
}

impl Default for LoggingConfig {
    fn default() -> Self {
        Self { log_level: Level::Info, failure_log_level: Level::Error }
    }
}

impl Component for LoggingConfig {
    const CLASS: &'static str = "logging";
    const ALIASES: &'static [&'static str] =
        &["vumi.middleware.LoggingMiddleware", "vumi.middleware.logging.LoggingMiddleware"];
}

impl MiddlewareComponent for LoggingConfig {
    fn build(self, _: &Context) -> Result<Arc<dyn Middleware>> {
        Ok(Arc::new(self))
    }
}

#[async_trait]
impl Middleware for LoggingConfig {
    async fn handle(&self, hook: Hook, connector: &str, message: Message) -> Result<Flow> {
        let (kind, level) = match hook.channel {
            Channel::Inbound => ("inbound", self.log_level),
            Channel::Outbound => ("outbound", self.log_level),
            Channel::Event => ("event", self.log_level),
            Channel::Failure => ("failure", self.failure_log_level),
            Channel::Status => return Ok(Flow::Continue(message)),
        };
        let text = || format!("Processed {kind} message for {connector}: {}", message.to_json());
        match level {
            Level::Debug => tracing::debug!("{}", text()),
            Level::Info => tracing::info!("{}", text()),
            Level::Warning => tracing::warn!("{}", text()),
            Level::Error | Level::Critical => tracing::error!("{}", text()),
        }
        Ok(Flow::Continue(message))
    }
}

#[cfg(test)]
mod tests {
    use vumi_core::Direction;
    use vumi_message::{Failure, FailureCode, Payload, Status, StatusLevel};

    use super::*;
    use crate::middleware::testing::{build, refusal, user};
    use crate::testing::Logged;

    /// What is logged of a user message and of a failure.
    async fn lines(json: &str) -> Vec<String> {
        let log = Logged::start();
        let middleware = build::<LoggingConfig>(json);
        for (channel, message) in [
            (Channel::Outbound, Message::from(user("+1", None))),
            (Channel::Status, Status::new("c", StatusLevel::Ok, "t", "m").into()),
            (Channel::Failure, Failure::new(Payload::new(), FailureCode::Temporary, "r").into()),
        ] {
            let hook = Hook { direction: Direction::Publish, channel };
            assert_eq!(middleware.handle(hook, "t1", message.clone()).await.unwrap(), Flow::Continue(message));
        }
        log.lines()
    }

    #[tokio::test]
    async fn each_kind_at_its_level() {
        for (json, user_message, failure) in [
            ("{}", "INFO", "ERROR"),
            (r#"{"log_level": "debug", "failure_log_level": "warning"}"#, "DEBUG", "WARN"),
            (r#"{"log_level": "error", "failure_log_level": "critical"}"#, "ERROR", "ERROR"),
        ] {
            let lines = lines(json).await;
            let [first, second] = lines.as_slice() else { panic!("{lines:?}") };
            assert!(first.starts_with(&format!("{user_message} Processed outbound message for t1: {{")), "{first}");
            assert!(second.starts_with(&format!("{failure} Processed failure message for t1: {{")), "{second}");
        }
    }

    #[test]
    fn an_unknown_level_is_refused_at_the_start() {
        let text = "unknown variant `loud`, expected one of `debug`, `info`, `warning`, `error`, `critical`";
        assert!(refusal::<LoggingConfig>(r#"{"failure_log_level": "loud"}"#).contains(text));
    }
}
