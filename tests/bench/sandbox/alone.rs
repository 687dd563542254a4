//! The sandbox without the rest of the host: kv in memory, an outbox that counts, nobody who keeps records.

#[path = "../nothing.rs"]
mod nothing;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use vumi_core::{Confirm, Feed, Input, Outbox, Outcome, Result, SystemClock};
use vumi_message::UserMessage;
use vumi_sandbox::{App, AppConfig, ComponentCache, EngineOptions, Instances, Sandbox, Surroundings};
use vumi_store::MemoryBounds;

pub use nothing::NoMetrics;
use nothing::NoStore;

/// One app, ready to run.
pub struct Alone {
    app: App,
    input: Input,
}

impl Alone {
    /// Loads the component. To be called from within a runtime.
    pub fn new(component: &Path) -> Self {
        Self::of(component, Instances::Fresh, EngineOptions::default())
    }

    /// With instances of this kind, in a pool of this size.
    pub fn of(component: &Path, instances: Instances, options: EngineOptions) -> Self {
        let sandbox = Sandbox::new(&options).expect("an engine");
        let loaded = sandbox.load(&ComponentCache::none(), component).expect("the component fits");
        let around = Surroundings {
            kv: vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock)),
            store: Arc::new(NoStore),
            feed: Feed::default(),
            outbox: Arc::new(Counter::default()),
            metrics: Arc::new(NoMetrics),
            io: tokio::runtime::Handle::current(),
            recordings: None,
        };
        let config = AppConfig { instances, ..AppConfig::of(component.display().to_string()) };
        let app = App::new(&sandbox, "bench", &config, &loaded, around).expect("an app");
        Self { app, input: Input::Message(Arc::new(crate::message())) }
    }

    /// One message.
    pub async fn run(&self) {
        let finished = self.app.run(&self.input).await;
        assert_eq!((finished.run.outcome, finished.run.sent), (Outcome::Ok, 1), "{:?}", finished.run.error);
    }
}

/// An outbox that only counts.
#[derive(Default)]
struct Counter {
    sent: AtomicU64,
}

#[async_trait]
impl Outbox for Counter {
    async fn send(&self, _: UserMessage) -> Result<Option<Confirm>> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }
}
