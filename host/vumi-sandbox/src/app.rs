//! One app: a compiled component, its configuration, and what it may reach.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use vumi_core::{Application, Error, Feed, Handled, Input, KvStore, Outbox, Recordings, Result, Store, names};
use vumi_message::Payload;

use crate::cache::{Compiled, ComponentCache, LoadError, read_file};
use crate::config::AppConfig;
use crate::engine::Sandbox;
use crate::gauges::Gauges;
use crate::library::Version;
use crate::limits::Limits;
use crate::plan::{Plan, Senders};
use crate::resources::MetricSink;
use crate::reuse::Pool;
use crate::run::Runner;
use crate::script::{Dialect, LegacyOptions, Runnable, ScriptSource, Sniffed, map_beside};
use crate::stage::MaybeStage;
use crate::tape::Deck;
use crate::turns::Account;
use crate::web::{WebClient, WebPolicy};

/// What an app is given by the host.
#[derive(Clone)]
pub struct Surroundings {
    /// Where its keys are kept.
    pub kv: Arc<dyn KvStore>,
    /// Where its runs and log lines are kept.
    pub store: Arc<dyn Store>,
    /// Who watches.
    pub feed: Feed,
    /// Where its messages go.
    pub outbox: Arc<dyn Outbox>,
    /// Where its metrics go.
    pub metrics: Arc<dyn MetricSink>,
    /// The runtime that does its HTTP; guests never hold that one up.
    pub io: tokio::runtime::Handle,
    /// Where recordings of its runs are kept; without, none can be made.
    pub recordings: Option<Arc<dyn Recordings>>,
}

/// What all runs of an app share.
pub(crate) struct AppShared {
    pub(crate) name: String,
    pub(crate) sandbox_id: String,
    pub(crate) limits: Limits,
    pub(crate) timeout: Duration,
    pub(crate) kv_prefix: String,
    pub(crate) kv_counter: String,
    pub(crate) config: BTreeMap<String, String>,
    /// What an app of Vumi's sandbox is given.
    pub(crate) legacy: Arc<LegacyOptions>,
    pub(crate) metrics_prefix: String,
    pub(crate) metric_names: Mutex<HashSet<String>>,
    pub(crate) allowed_helper_metadata: Vec<String>,
    pub(crate) endpoints: Vec<String>,
    pub(crate) send_to: BTreeMap<String, Payload>,
    pub(crate) web: Arc<WebClient>,
    pub(crate) http_timeout: Duration,
    pub(crate) http_data_limit: u64,
    pub(crate) kv: Arc<dyn KvStore>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) feed: Feed,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) metrics: Arc<dyn MetricSink>,
    pub(crate) io: tokio::runtime::Handle,
    pub(crate) gauges: Gauges,
    pub(crate) account: Arc<Account>,
    /// Which runs are recorded, and whether anybody is told of them.
    pub(crate) deck: Arc<Deck>,
    /// What stands in for the world, in a test.
    pub(crate) stage: MaybeStage,
}

impl AppShared {
    /// The same app, for another kind of run.
    pub(crate) fn beside(&self) -> Self {
        Self {
            name: self.name.clone(),
            sandbox_id: self.sandbox_id.clone(),
            limits: self.limits.clone(),
            timeout: self.timeout,
            kv_prefix: self.kv_prefix.clone(),
            kv_counter: self.kv_counter.clone(),
            config: self.config.clone(),
            legacy: Arc::clone(&self.legacy),
            metrics_prefix: self.metrics_prefix.clone(),
            metric_names: Mutex::new(self.metric_names.lock().clone()),
            allowed_helper_metadata: self.allowed_helper_metadata.clone(),
            endpoints: self.endpoints.clone(),
            send_to: self.send_to.clone(),
            web: Arc::clone(&self.web),
            http_timeout: self.http_timeout,
            http_data_limit: self.http_data_limit,
            kv: Arc::clone(&self.kv),
            store: Arc::clone(&self.store),
            feed: self.feed.clone(),
            outbox: Arc::clone(&self.outbox),
            metrics: Arc::clone(&self.metrics),
            io: self.io.clone(),
            gauges: Gauges::of(&self.name),
            account: Arc::clone(&self.account),
            deck: Arc::clone(&self.deck),
            stage: self.stage.clone(),
        }
    }
}

/// See the module's text.
pub struct App {
    runner: Runner,
    shared: Arc<AppShared>,
    plan: RwLock<Arc<Plan>>,
    /// Which version sent what, while two of them answer.
    senders: Senders,
    /// Live instances, where the app's owner asked for reuse.
    pool: Option<Arc<Pool>>,
    events: bool,
}

impl Sandbox {
    /// Compiles a component or a script, or takes it from the cache, and checks that it fits the world. What a file holds
    /// is told by its first bytes, then by its name: `.mjs`, `.js`, anything else is a component.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, cache: &ComponentCache, path: &Path) -> Result<LoadedComponent, LoadError> {
        let what = path.display().to_string();
        let bytes = read_file(path)?;
        match Sniffed::of(&bytes, Some(path), &what)? {
            Sniffed::Component => self.fit(cache.load(self.engine(), &bytes, &what)?, &what),
            Sniffed::Script(mut script) => {
                if script.dialect == Dialect::Module {
                    script.source_map = map_beside(path);
                }
                self.load_script(cache, &script, &what)
            }
        }
    }

    /// As [`Sandbox::load`], from bytes; `what` names them in errors. A script is known by its text: a module by its first
    /// line `// vumi-app: module`, any other one is of Vumi's sandbox.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load_bytes(&self, cache: &ComponentCache, bytes: &[u8], what: &str) -> Result<LoadedComponent, LoadError> {
        match Sniffed::of(bytes, None, what)? {
            Sniffed::Component => self.fit(cache.load(self.engine(), bytes, what)?, what),
            Sniffed::Script(script) => self.load_script(cache, &script, what),
        }
    }

    /// As [`Sandbox::load`], for a script that is at hand.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load_script(
        &self,
        cache: &ComponentCache,
        source: &ScriptSource,
        what: &str,
    ) -> Result<LoadedComponent, LoadError> {
        let engine = self.script_engine(cache, what)?;
        let (script, from_cache) = self.script_now(&engine, cache, source, what)?;
        let ready = Runnable::Script(Arc::new(script));
        let version = Version::staying(ready, source.hash(), source.code.len() as u64);
        Ok(LoadedComponent::new(from_cache, Arc::new(version)))
    }

    fn fit(&self, compiled: Compiled, what: &str) -> Result<LoadedComponent, LoadError> {
        let pre = Runnable::Component(Arc::new(self.ready(&compiled, what)?));
        let version = Version::staying(pre, compiled.hash, compiled.bytes);
        Ok(LoadedComponent::new(compiled.from_cache, Arc::new(version)))
    }
}

/// A component that fits the world, compiled.
#[derive(Clone)]
pub struct LoadedComponent {
    /// Whether it came from the cache.
    pub from_cache: bool,
    version: Arc<Version>,
}

impl LoadedComponent {
    pub(crate) fn new(from_cache: bool, version: Arc<Version>) -> Self {
        Self { from_cache, version }
    }

    pub(crate) fn version(&self) -> &Arc<Version> {
        &self.version
    }

    /// Brings it into memory, as the first message would.
    ///
    /// # Errors
    /// One sentence when that cannot be done.
    pub async fn prepare(&self) -> std::result::Result<(), String> {
        self.version.ready().await.map(drop)
    }

    /// Size of the component, in bytes.
    pub fn bytes(&self) -> u64 {
        self.version.bytes
    }

    /// SHA-256 of the component's bytes, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.version.hash
    }
}

impl App {
    /// Makes an app of a component and its configuration.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    pub fn new(
        sandbox: &Arc<Sandbox>,
        name: &str,
        config: &AppConfig,
        component: &LoadedComponent,
        around: Surroundings,
    ) -> Result<Self> {
        let sandbox_id = config.sandbox_id.clone().unwrap_or_else(|| name.to_owned());
        if sandbox_id.is_empty() || sandbox_id.contains('#') {
            return Err(Error::permanent(format!(
                "app `{name}`: sandbox_id `{sandbox_id}` must not be empty or hold a `#`, which separates the parts of its keys"
            )));
        }
        names::check(config.transport_name.as_deref().unwrap_or(name))?;
        let policy = WebPolicy::parse(&config.http.allow)
            .map_err(|error| Error::permanent(format!("app `{name}`: http.allow: {error}")))?;
        let deck = Deck::new(&config.record, around.recordings)
            .map_err(|error| Error::permanent(format!("app `{name}`: {error}")))?;
        let mut endpoints: Vec<String> = config.send_to.keys().cloned().collect();
        if !endpoints.iter().any(|endpoint| endpoint == "default") {
            endpoints.push("default".to_owned());
        }
        let send_to = config
            .send_to
            .iter()
            .map(|(endpoint, fields)| (endpoint.clone(), fields.clone().into_iter().collect::<Payload>()))
            .collect();
        let shared = AppShared {
            name: name.to_owned(),
            kv_prefix: format!("sandboxes#{sandbox_id}#"),
            kv_counter: format!("count#{sandbox_id}"),
            sandbox_id,
            limits: config.limits.clone(),
            timeout: Duration::from_secs(config.timeout.max(1)),
            config: config.config.clone(),
            legacy: Arc::new(config.legacy.clone()),
            metrics_prefix: config.metrics_prefix.clone().unwrap_or_else(|| name.to_owned()),
            metric_names: Mutex::default(),
            allowed_helper_metadata: config.allowed_helper_metadata.clone(),
            endpoints,
            send_to,
            web: Arc::new(WebClient::new(policy)),
            http_timeout: Duration::from_secs(config.http.timeout.max(1)),
            http_data_limit: config.http.data_limit.0,
            kv: around.kv,
            store: around.store,
            feed: around.feed,
            outbox: around.outbox,
            metrics: around.metrics,
            io: around.io,
            gauges: Gauges::of(name),
            account: Arc::default(),
            deck: Arc::new(deck),
            stage: MaybeStage::default(),
        };
        Ok(Self {
            runner: Runner::new(sandbox),
            shared: Arc::new(shared),
            plan: RwLock::new(Arc::new(Plan::of(component))),
            senders: Senders::default(),
            pool: Pool::of(config),
            events: config.events,
        })
    }

    /// The app's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The namespace of its kv.
    pub fn sandbox_id(&self) -> &str {
        &self.shared.sandbox_id
    }

    /// What its keys in the store begin with.
    pub fn kv_prefix(&self) -> &str {
        &self.shared.kv_prefix
    }

    /// SHA-256 of the component that runs now, and its size in bytes.
    pub fn component(&self) -> (String, u64) {
        let plan = self.plan();
        (plan.live.component.hash().to_owned(), plan.live.component.bytes())
    }

    /// Puts another component in its place. Runs that have begun end with the old one; the next message gets the
    /// new one.
    pub fn replace(&self, component: &LoadedComponent) {
        self.follow(Plan::of(component));
    }

    /// Which version answers whom, from the next message on. Every message is handled by one version from its
    /// beginning to its end.
    pub fn follow(&self, plan: Plan) {
        if plan.canary.is_none() {
            self.senders.forget();
        }
        *self.plan.write() = Arc::new(plan);
    }

    /// Which version answers whom now.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.read())
    }

    pub(crate) fn senders(&self) -> &Senders {
        &self.senders
    }

    pub(crate) fn shared(&self) -> &Arc<AppShared> {
        &self.shared
    }

    /// What all runs share, while nobody shares it yet.
    pub(crate) fn shared_mut(&mut self) -> Option<&mut AppShared> {
        Arc::get_mut(&mut self.shared)
    }

    pub(crate) fn pool(&self) -> Option<&Arc<Pool>> {
        self.pool.as_ref()
    }

    pub(crate) fn runner(&self) -> &Runner {
        &self.runner
    }
}

#[async_trait]
impl Application for App {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn takes_events(&self) -> bool {
        self.events
    }

    async fn handle(&self, input: &Input) -> Handled {
        let finished = self.run(input).await;
        Handled { confirms: finished.confirms, again: finished.again }
    }
}
