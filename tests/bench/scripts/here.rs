//! A script in the sandbox without the rest of the host: kv in memory, an outbox that counts, nobody who keeps records.

#[path = "../nothing.rs"]
mod nothing;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::Semaphore;
use vumi_core::{Confirm, Feed, Input, KvStore, Outbox, Outcome, Result, SystemClock};
use vumi_message::UserMessage;
use vumi_sandbox::{
    App, AppConfig, ComponentCache, EngineOptions, LoadedComponent, Sandbox, ScriptSource, Surroundings,
};
use vumi_store::MemoryBounds;

use nothing::{NoMetrics, NoStore};

/// One app, ready to run.
pub struct Here {
    app: App,
    /// The script again, for more apps of its kind.
    script: ScriptSource,
    config: String,
    gate: Arc<Gate>,
}

/// What the apps of one host share.
pub struct House {
    sandbox: Arc<Sandbox>,
    kv: Arc<dyn KvStore>,
    feed: Feed,
}

impl House {
    /// A host with the script engine that `cargo xtask engine` makes.
    pub fn new() -> Self {
        let engine = vumi_tests::guests::guest("script-engine");
        let options = EngineOptions { script_engine: Some(engine), ..EngineOptions::default() };
        Self {
            sandbox: Sandbox::new(&options).expect("an engine"),
            kv: vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock)),
            feed: Feed::default(),
        }
    }
}

impl Here {
    /// A module of a bundler.
    pub fn module(path: &Path) -> Self {
        let code = std::fs::read_to_string(path).expect("the module can be read");
        Self::of(ScriptSource::new("echo.mjs", code), &Value::Null)
    }

    /// An app for Vumi's sandbox.
    pub fn legacy(name: &str, code: &str, context: Option<&str>, config: &Value) -> Self {
        let mut script = ScriptSource::new(name, code);
        script.app_context = context.map(str::to_owned);
        Self::of(script, config)
    }

    fn of(script: ScriptSource, config: &Value) -> Self {
        Self::within(&House::new(), script, config.to_string())
    }

    /// One more app of its kind, with a text of its own.
    pub fn another(&self, house: &House, number: usize) -> Self {
        let mut script = self.script.clone();
        script.code.push_str(&format!("\n// {number}\n"));
        Self::within(house, script, self.config.clone())
    }

    fn within(house: &House, script: ScriptSource, config: String) -> Self {
        let loaded = load(&house.sandbox, &script);
        let gate = Arc::new(Gate::default());
        let around = Surroundings {
            kv: Arc::clone(&house.kv),
            store: Arc::new(NoStore),
            feed: house.feed.clone(),
            outbox: Arc::clone(&gate) as Arc<dyn Outbox>,
            metrics: Arc::new(NoMetrics),
            io: tokio::runtime::Handle::current(),
            recordings: None,
        };
        let mut settings = AppConfig::of(&script.name);
        settings.config.insert("config".into(), config.clone());
        let app = App::new(&house.sandbox, "bench", &settings, &loaded, around).expect("an app");
        Self { app, script, config, gate }
    }

    /// One message.
    pub async fn run(&self) {
        let finished = self.app.run(&Input::Message(Arc::new(crate::message()))).await;
        assert_eq!((finished.run.outcome, finished.run.sent), (Outcome::Ok, 1), "{:?}", finished.run.error);
    }

    /// From now on a reply waits until it is let go; or not.
    pub fn hold(&self, held: bool) {
        self.gate.hold(held);
    }
}

fn load(sandbox: &Sandbox, script: &ScriptSource) -> LoadedComponent {
    let folder = vumi_tests::guests::target().join("bench-components");
    let cache = ComponentCache::at(&folder).expect("the cache opens");
    sandbox.load_script(&cache, script, &script.name).unwrap_or_else(|error| panic!("{error}"))
}

/// An outbox that takes everything at once, or holds its senders.
struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

impl Gate {
    fn hold(&self, held: bool) {
        if held {
            self.0.forget_permits(1);
        } else {
            self.0.add_permits(1);
        }
    }
}

#[async_trait]
impl Outbox for Gate {
    async fn send(&self, _: UserMessage) -> Result<Option<Confirm>> {
        drop(self.0.acquire().await);
        Ok(None)
    }
}
