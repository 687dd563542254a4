//! Starting the apps: the threads that guests run on, and from an app's configuration to its worker.

use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinHandle;
use vumi_core::{AppWorker, Application, Context, Error, KvStore, Outbox, QueueOutbox, Recordings, Result, Stack};
use vumi_sandbox::{
    App, AppConfig, ComponentCache, Dialect, EngineOptions, LoadError, LoadedComponent, MetricSink, Sandbox,
    ScriptSource, Surroundings,
};
use vumi_worker::AppPlace;

use crate::board::Board;
use crate::config::{self, AppChoice, SystemConfig};
use crate::control::{AppEntry, AppKind};
use crate::project::Source;
use crate::reload::Watch;
use crate::script_engine;
use crate::system::Extras;
use crate::workers::Workers;

/// A place for every conversation that the apps handle side by side, so that no app waits for another's, and some more
/// that all deployed apps share.
pub(crate) fn places(config: &SystemConfig) -> EngineOptions {
    const MOST: usize = 2_048;
    const DEPLOYED: u32 = 256;
    let wanted: usize = config.apps.iter().filter_map(|(_, app)| app.guest()).map(|app| app.parallel).sum();
    if wanted > MOST {
        tracing::warn!(wanted, most = MOST, "the apps' `parallel` add up to more than the sandbox runs at a time");
    }
    let default = EngineOptions::default();
    EngineOptions {
        instances: u32::try_from(wanted.min(MOST)).unwrap_or(default.instances).max(default.instances) + DEPLOYED,
        script_engine: script_engine::find(),
    }
}

/// Guests have threads of their own: however busy they keep those, networks and disks are served by others.
pub(crate) struct Guests(Option<tokio::runtime::Runtime>);

impl Guests {
    pub(crate) fn start() -> Result<Self> {
        tokio::runtime::Builder::new_multi_thread()
            .thread_name("vumi-guest")
            .enable_all()
            .build()
            .map(|runtime| Self(Some(runtime)))
            .map_err(|error| Error::permanent("no threads for the guests").because(error))
    }

    /// Where guests run.
    pub(crate) fn handle(&self) -> tokio::runtime::Handle {
        self.0.as_ref().map_or_else(tokio::runtime::Handle::current, |runtime| runtime.handle().clone())
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Option<JoinHandle<()>> {
        self.0.as_ref().map(|runtime| runtime.spawn(task))
    }
}

impl Drop for Guests {
    /// Also when a system does not start: a runtime that is simply dropped waits for its threads, and must not do so
    /// within another one.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// What starting apps needs.
pub(crate) struct AppStart<'a> {
    pub(crate) cache: &'a ComponentCache,
    pub(crate) watch: bool,
    pub(crate) context: &'a Context,
    pub(crate) kv: &'a Arc<dyn KvStore>,
    pub(crate) sandbox: &'a Arc<Sandbox>,
    pub(crate) sink: &'a Arc<dyn MetricSink>,
    pub(crate) recordings: &'a Arc<dyn Recordings>,
    pub(crate) board: &'a Arc<Board>,
    pub(crate) guests: &'a Guests,
}

impl AppStart<'_> {
    pub(crate) fn app(&self, name: &str, choice: &AppChoice, workers: &mut Workers) -> Result<AppEntry> {
        let context = self.context.of(name);
        let connector = choice.connector(name).to_owned();
        let stack = config::stack(choice.middleware(), &context)?;
        let outbox: Arc<dyn Outbox> =
            Arc::new(QueueOutbox::new(Arc::clone(&context.broker), &connector, stack.clone()));
        match choice {
            AppChoice::Guest(app) => self.guest(name, &app.component, connector, stack, outbox, workers),
            AppChoice::Native(app) => {
                let class = app.component.class();
                let shared = app.shared.clone();
                let parallel = shared.parallel;
                let place = AppPlace {
                    name: name.to_owned(),
                    connector: connector.clone(),
                    shared: shared.clone(),
                    outbox,
                    context,
                };
                let worker = Arc::new(AppWorker {
                    app: app.component.clone().build(place)?,
                    connector: connector.clone(),
                    broker: Arc::clone(&self.context.broker),
                    feed: self.context.feed.clone(),
                    stack,
                    prefetch: shared.amqp_prefetch_count.unwrap_or(0),
                    parallel,
                    inbound_endpoints: shared.inbound_endpoints,
                });
                workers.app(&worker, self.board, &self.context.feed);
                Ok(AppEntry { name: name.to_owned(), connector, kind: AppKind::Native { class, parallel } })
            }
        }
    }

    fn guest(
        &self,
        name: &str,
        app_config: &AppConfig,
        connector: String,
        stack: Stack,
        outbox: Arc<dyn Outbox>,
        workers: &mut Workers,
    ) -> Result<AppEntry> {
        let loader = Loader {
            sandbox: Arc::clone(self.sandbox),
            cache: self.cache.clone(),
            app_context: app_config.app_context.clone(),
            is_legacy: app_config.is_of_vumi(),
        };
        let unfit = |error: LoadError| Error::permanent(error.to_string());
        let (source, component) = match &app_config.javascript {
            Some(code) => (None, loader.inline(name, code).map_err(unfit)?),
            None => {
                let source = Source::of(Path::new(&app_config.component))?;
                let component = loader.load(&source.component()?).map_err(unfit)?;
                (Some(source), component)
            }
        };
        let around = Surroundings {
            kv: Arc::clone(self.kv),
            store: Arc::clone(&self.context.store),
            feed: self.context.feed.clone(),
            outbox,
            metrics: Arc::clone(self.sink),
            io: tokio::runtime::Handle::current(),
            recordings: Some(Arc::clone(self.recordings)),
        };
        let app = Arc::new(App::new(self.sandbox, name, app_config, &component, around)?);
        let worker = Arc::new(AppWorker {
            app: Arc::clone(&app) as Arc<dyn Application>,
            connector: connector.clone(),
            broker: Arc::clone(&self.context.broker),
            feed: self.context.feed.clone(),
            stack,
            prefetch: app_config.amqp_prefetch_count,
            parallel: app_config.parallel,
            inbound_endpoints: app_config.inbound_endpoints.clone(),
        });
        workers.guest(&worker, self.board, &self.context.feed, self.guests);
        // Vumi read the file of such an app for every message.
        let is_watched = self.watch || app_config.is_of_vumi();
        if let Some(source) = source.filter(|_| is_watched) {
            let board = self.watch.then(|| Arc::clone(self.board));
            let watch = Watch { source, app: Arc::clone(&app), loader, board };
            watch.start(workers.inner().clone());
        }
        let kind = AppKind::Guest { app, config: Arc::new(app_config.clone()) };
        Ok(AppEntry { name: name.to_owned(), connector, kind })
    }
}

/// Makes components and scripts ready, as one app's configuration has it.
#[derive(Clone)]
pub(crate) struct Loader {
    sandbox: Arc<Sandbox>,
    cache: ComponentCache,
    app_context: Option<String>,
    /// Whether every file is a script of Vumi's sandbox, whatever its name.
    is_legacy: bool,
}

impl Loader {
    pub(crate) fn load(&self, path: &Path) -> std::result::Result<LoadedComponent, LoadError> {
        if !self.is_legacy {
            return self.sandbox.load(&self.cache, path);
        }
        let code = std::fs::read_to_string(path);
        let code = code.map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        let name = path.file_name().map_or_else(|| "app.js".into(), |name| name.to_string_lossy());
        self.script(&name, code, &path.display().to_string())
    }

    fn inline(&self, app: &str, code: &str) -> std::result::Result<LoadedComponent, LoadError> {
        self.script("javascript", code.to_owned(), &format!("`javascript` of the app `{app}`"))
    }

    fn script(&self, name: &str, code: String, what: &str) -> std::result::Result<LoadedComponent, LoadError> {
        let (dialect, app_context) = (Dialect::Legacy, self.app_context.clone());
        let source = ScriptSource { name: name.to_owned(), code, dialect, app_context, source_map: None };
        self.sandbox.load_script(&self.cache, &source, what)
    }
}

/// Where compiled components are kept; opened and checked once for all apps.
pub(crate) fn cache(extras: &Extras) -> Result<ComponentCache> {
    match &extras.component_cache {
        Some(folder) => ComponentCache::at(folder).map_err(|error| Error::permanent(error.to_string())),
        None => Ok(ComponentCache::none()),
    }
}
