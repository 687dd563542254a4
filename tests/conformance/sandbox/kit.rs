//! A sandbox in this process: an app with everything around it in memory, asked one message at a time.
//!
//! All tests of one binary share the engine, and the guests are compiled once (`target/test-components`).

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use self::shelf::Shelf;
use async_trait::async_trait;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use vumi_core::{
    ByteSize, Confirm, Difference, Error, Feed, Happening, Input, KvStore, LogLevel, LogLine, Outbox, Outcome,
    Recording, RecordingQuery, Recordings, Result, Run, Sequenced, Store, SystemClock,
};
use vumi_message::{Event, NewUserMessage, UserMessage};
use vumi_sandbox::{
    App, AppConfig, ComponentCache, Datapoint, EngineOptions, Finished, LoadedComponent, MetricSink, Sandbox,
    Surroundings,
};
use vumi_store::{MemoryBounds, SqliteStore};
use vumi_tests::guests;

/// The engine of this test binary.
pub fn sandbox() -> &'static Arc<Sandbox> {
    let script_engine = guests::target_of_guests().join("script-engine.wasm");
    sandbox_of(&EngineOptions { script_engine: Some(script_engine), ..EngineOptions::default() })
}

/// As [`sandbox`], set up like this if this is its first use.
pub fn sandbox_of(options: &EngineOptions) -> &'static Arc<Sandbox> {
    static SANDBOX: OnceLock<Arc<Sandbox>> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::new(options).expect("the engine starts"))
}

/// The cache of this test binary.
pub fn cache() -> ComponentCache {
    ComponentCache::at(&guests::target().join("test-components")).expect("the cache opens")
}

/// A compiled guest.
pub fn component(guest: &str) -> LoadedComponent {
    load(&guests::guest(guest))
}

/// A compiled component.
pub fn load(path: &Path) -> LoadedComponent {
    sandbox().load(&cache(), path).unwrap_or_else(|error| panic!("{error}"))
}

/// A list that tests look into.
mod shelf {
    use std::sync::Mutex;

    /// See the module's text.
    #[derive(Debug)]
    pub struct Shelf<T>(Mutex<Vec<T>>);

    impl<T> Default for Shelf<T> {
        fn default() -> Self {
            Self(Mutex::default())
        }
    }

    impl<T> Shelf<T> {
        pub fn put(&self, item: T) {
            self.0.lock().expect("no test panicked within").push(item);
        }

        pub fn take(&self) -> Vec<T> {
            std::mem::take(&mut *self.0.lock().expect("no test panicked within"))
        }
    }
}

/// Keeps what the app sends; or fails.
#[derive(Debug, Default)]
pub struct Letters {
    sent: Shelf<UserMessage>,
    failing: std::sync::atomic::AtomicBool,
}

impl Letters {
    /// From now on sending fails, or not.
    pub fn fail(&self, failing: bool) {
        self.failing.store(failing, std::sync::atomic::Ordering::SeqCst);
    }

    /// What was sent since the last call.
    pub fn take(&self) -> Vec<UserMessage> {
        self.sent.take()
    }
}

#[async_trait]
impl Outbox for Letters {
    async fn send(&self, message: UserMessage) -> Result<Option<Confirm>> {
        if self.failing.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(Error::temporary("the broker is away"));
        }
        self.sent.put(message);
        Ok(Some(Confirm::ready()))
    }
}

/// Keeps what the app measures.
#[derive(Debug, Default)]
pub struct Datapoints(Shelf<Datapoint>);

impl Datapoints {
    /// What was fired since the last call.
    pub fn take(&self) -> Vec<Datapoint> {
        self.0.take()
    }
}

impl MetricSink for Datapoints {
    fn fire(&self, datapoint: Datapoint) {
        self.0.put(datapoint);
    }
}

/// Keeps what is recorded.
#[derive(Debug, Default)]
pub struct Tapes(Shelf<Recording>);

impl Tapes {
    /// What was recorded since the last call.
    pub fn take(&self) -> Vec<Recording> {
        self.0.take()
    }
}

#[async_trait]
impl Recordings for Tapes {
    fn put(&self, recording: Recording) {
        self.0.put(recording);
    }

    async fn list(&self, _: RecordingQuery) -> Result<Vec<Recording>> {
        Ok(Vec::new())
    }

    async fn get(&self, _: &str) -> Result<Option<Recording>> {
        Ok(None)
    }

    fn put_difference(&self, _: Difference) {}

    async fn differences(&self, _: &str, _: Option<u64>, _: usize) -> Result<Vec<Difference>> {
        Ok(Vec::new())
    }

    async fn close(&self) {}
}

/// An app and everything around it.
pub struct Rig {
    pub app: Arc<App>,
    pub kv: Arc<dyn KvStore>,
    pub store: Arc<SqliteStore>,
    pub letters: Arc<Letters>,
    pub datapoints: Arc<Datapoints>,
    pub tapes: Arc<Tapes>,
    feed: Receiver<Arc<Sequenced>>,
}

/// What came of one message.
#[derive(Debug)]
pub struct Answer {
    pub finished: Finished,
    pub sent: Vec<UserMessage>,
    pub logs: Vec<LogLine>,
}

impl Answer {
    pub fn run(&self) -> &Run {
        &self.finished.run
    }

    pub fn outcome(&self) -> Outcome {
        self.finished.run.outcome
    }

    /// The text of the only message sent.
    #[track_caller]
    pub fn text(&self) -> &str {
        self.only().content().unwrap_or("null")
    }

    /// The only message sent.
    #[track_caller]
    pub fn only(&self) -> &UserMessage {
        assert_eq!(self.sent.len(), 1, "one message was expected: {self:?}");
        &self.sent[0]
    }

    /// The entries at a level, as text.
    pub fn at(&self, level: LogLevel) -> Vec<&str> {
        self.logs.iter().filter(|line| line.level == level).map(|line| line.text.as_str()).collect()
    }

    /// Asserts how the run ended, and that a bad end is told to the owner with the sandbox id and the cause.
    #[track_caller]
    pub fn ended(&self, outcome: Outcome) -> &Self {
        assert_eq!(self.outcome(), outcome, "{:?}", self.run().error);
        if outcome == Outcome::Ok {
            assert_eq!(self.run().error, None);
        } else {
            let error = self.run().error.as_deref().unwrap_or_default();
            assert!(!error.is_empty(), "no sentence for {outcome:?}");
            let (id, code) = (&self.run().sandbox_id, outcome.code());
            let told = self.logs.iter().any(|line| {
                line.level == LogLevel::Error && line.text.contains(id.as_str()) && line.text.contains(code)
            });
            assert!(told, "the log does not tell of {code}: {:?}", self.logs);
        }
        self
    }
}

/// A user message as a transport would publish it.
pub fn message(content: &str) -> UserMessage {
    UserMessage::new(NewUserMessage {
        to_addr: Some("8007".into()),
        from_addr: Some("+27710000001".into()),
        transport_name: Some("sms_1".into()),
        transport_type: Some("sms".into()),
        content: Some(content.to_owned()),
        ..NewUserMessage::default()
    })
}

/// The defaults for tests: an app called `probe` whose CPU limit a busy machine without optimisation never reaches by
/// accident.
pub fn config() -> AppConfig {
    let mut config = AppConfig::of("probe.wasm");
    config.limits.cpu_ms = 10_000;
    config
}

impl Rig {
    /// A probe with the defaults.
    pub fn probe() -> Self {
        Self::with("probe", |_| {})
    }

    /// An app of this name (the component is always the probe), its configuration changed.
    pub fn with(name: &str, change: impl FnOnce(&mut AppConfig)) -> Self {
        let kv = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
        Self::on(name, kv, change)
    }

    /// On this key-value store.
    pub fn on(name: &str, kv: Arc<dyn KvStore>, change: impl FnOnce(&mut AppConfig)) -> Self {
        Self::of(name, &component("probe"), kv, change)
    }

    /// Of this component.
    pub fn of(
        name: &str,
        component: &LoadedComponent,
        kv: Arc<dyn KvStore>,
        change: impl FnOnce(&mut AppConfig),
    ) -> Self {
        let mut config = config();
        change(&mut config);
        Self::try_of(name, component, kv, &config).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`Rig::of`], unless the configuration makes no sense.
    pub fn try_of(name: &str, component: &LoadedComponent, kv: Arc<dyn KvStore>, config: &AppConfig) -> Result<Self> {
        let letters = Arc::new(Letters::default());
        let tapes = Arc::new(Tapes::default());
        let datapoints = Arc::new(Datapoints::default());
        let store = vumi_store::store_in_memory().expect("the store opens");
        let feed = Feed::default();
        let watcher = feed.watch();
        let around = Surroundings {
            kv: Arc::clone(&kv),
            store: Arc::clone(&store) as Arc<dyn Store>,
            feed,
            outbox: Arc::clone(&letters) as Arc<dyn Outbox>,
            metrics: Arc::clone(&datapoints) as Arc<dyn MetricSink>,
            io: tokio::runtime::Handle::current(),
            recordings: Some(Arc::clone(&tapes) as Arc<dyn Recordings>),
        };
        let app = Arc::new(App::new(sandbox(), name, config, component, around)?);
        Ok(Self { app, kv, store, letters, datapoints, tapes, feed: watcher })
    }

    /// One message with this text.
    pub async fn ask(&mut self, text: &str) -> Answer {
        self.give(message(text)).await
    }

    /// One message.
    pub async fn give(&mut self, message: UserMessage) -> Answer {
        self.run(Input::Message(Arc::new(message))).await
    }

    /// One event.
    pub async fn tell(&mut self, event: Event) -> Answer {
        self.run(Input::Event(Arc::new(event))).await
    }

    async fn run(&mut self, input: Input) -> Answer {
        let finished = self.app.run(&input).await;
        let mut logs = Vec::new();
        loop {
            match self.feed.try_recv() {
                Ok(entry) => {
                    if let Happening::Log(line) = &entry.happening {
                        logs.push(line.clone());
                    }
                }
                // A flood: what is left are its last entries.
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        Answer { finished, sent: self.letters.take(), logs }
    }
}

/// Asks until there is an answer.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let answer = tokio::time::timeout(vumi_tests::PATIENCE, asking).await;
    answer.unwrap_or_else(|_| panic!("waited in vain: {what}"))
}

/// So many bytes.
pub fn bytes(count: u64) -> ByteSize {
    ByteSize(count)
}
