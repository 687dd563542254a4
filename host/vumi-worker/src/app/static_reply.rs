//! Answers every message with the same text, and ends the session with it.
//!
//! ```yaml
//! class: static_reply
//! reply_text: We are closed. Please write again tomorrow.
//! ```

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::component::Component;
use vumi_core::{Application, Result};
use vumi_message::{Payload, UserMessage};

use super::base::{Endpoints, Handler, NativeApp, Sender, Sending, check_send_to};
use crate::registry::AppComponent;
use crate::shared::{AppPlace, ApplicationShared};

/// Answers every message with the same text, and ends the session with it.
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
    fn check(&self, shared: &ApplicationShared) -> Result<()> {
        check_send_to(shared)
    }

    fn build(self, place: AppPlace) -> Result<Arc<dyn Application>> {
        self.check(&place.shared)?;
        let sender = Arc::new(Sender::new(&place, Endpoints::default()));
        Ok(Arc::new(NativeApp::new(StaticReply { text: self.reply_text }, sender)))
    }
}

struct StaticReply {
    text: String,
}

#[async_trait]
impl Handler for StaticReply {
    async fn on_user_message(&self, message: &UserMessage, sending: &Sending<'_>) -> Result<()> {
        sending.reply_to(message, Some(&self.text), false, Payload::new()).await.map(drop)
    }
}
