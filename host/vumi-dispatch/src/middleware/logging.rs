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
