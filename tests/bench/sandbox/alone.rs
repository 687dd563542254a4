//! The sandbox without the rest of the host: kv in memory, an outbox that counts, nobody who keeps records.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use vumi_core::{
    Confirm, Feed, Input, LogLine, MessageQuery, MessageRecord, Outbox, Outcome, Result, Run, Store, SystemClock,
};
use vumi_message::UserMessage;
use vumi_sandbox::{
    App, AppConfig, ComponentCache, Datapoint, EngineOptions, Instances, MetricSink, Sandbox, Surroundings,
};
use vumi_store::MemoryBounds;

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

/// Drops what apps measure.
pub struct NoMetrics;

impl MetricSink for NoMetrics {
    fn fire(&self, _: Datapoint) {}
}

/// Keeps nothing.
struct NoStore;

#[async_trait]
impl Store for NoStore {
    async fn put_message(&self, _: MessageRecord) -> Result<bool> {
        Ok(true)
    }

    async fn messages(&self, _: MessageQuery) -> Result<Vec<MessageRecord>> {
        Ok(Vec::new())
    }

    fn put_run(&self, _: Run) {}

    async fn runs(&self, _: Option<&str>, _: usize) -> Result<Vec<Run>> {
        Ok(Vec::new())
    }

    fn put_log(&self, _: LogLine) {}

    async fn logs(&self, _: Option<&str>, _: usize) -> Result<Vec<LogLine>> {
        Ok(Vec::new())
    }

    async fn close(&self) {}
}
