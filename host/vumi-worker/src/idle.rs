//! Placeholder until the first worker stands in the registry.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use vumi_core::component::Component;
use vumi_core::{Result, Worker};

use crate::registry::{WorkerComponent, WorkerPlace};

/// Does nothing.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct IdleConfig {}

impl Component for IdleConfig {
    const CLASS: &'static str = "idle";
    const ALIASES: &'static [&'static str] = &[];
}

impl WorkerComponent for IdleConfig {
    fn build(self, _: WorkerPlace<'_>) -> Result<Arc<dyn Worker>> {
        Ok(Arc::new(self))
    }
}

#[async_trait]
impl Worker for IdleConfig {
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        shutdown.cancelled().await;
        Ok(())
    }
}
