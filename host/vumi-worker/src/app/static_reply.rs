//! Answers every message with the same text.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::component::Component;
use vumi_core::{Application, Handled, Input, Result};

use crate::registry::AppComponent;
use crate::shared::AppPlace;

/// Answers every message with the same text.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaticReplyConfig {
    /// The text.
    pub reply_text: String,
}

impl Component for StaticReplyConfig {
    const CLASS: &'static str = "static_reply";
    const ALIASES: &'static [&'static str] = &["vumi.demos.static_reply.StaticReplyApplication"];
}

impl AppComponent for StaticReplyConfig {
    fn build(self, place: AppPlace) -> Result<Arc<dyn Application>> {
        Ok(Arc::new(StaticReply { config: self, place }))
    }
}

struct StaticReply {
    config: StaticReplyConfig,
    place: AppPlace,
}

#[async_trait]
impl Application for StaticReply {
    fn name(&self) -> &str {
        &self.place.name
    }

    async fn handle(&self, _: &Input) -> Handled {
        let _ = &self.config;
        Handled::default()
    }
}
