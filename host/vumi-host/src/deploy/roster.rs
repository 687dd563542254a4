//! The deployed apps that run: started, changed and stopped one by one while everything else goes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_admin::model::WorkerKind;
use vumi_core::bindings::conflicts;
use vumi_core::supervise::supervise;
use vumi_core::{
    AppWorker, Application, BindingTable, BoundApp, Context, KvStore, Outbox, QueueOutbox, Recordings, Result, Stack,
    names,
};
use vumi_sandbox::{App, LoadedComponent, MetricSink, Sandbox, Surroundings};

use super::settings::Settings;
use crate::board::{Board, key};
use crate::control::{AppEntry, AppKind};

/// How long a removed app may work off what has come for it, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

/// What deployed apps are made with.
pub(crate) struct Ground {
    pub(crate) context: Context,
    pub(crate) kv: Arc<dyn KvStore>,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) sink: Arc<dyn MetricSink>,
    pub(crate) recordings: Arc<dyn Recordings>,
    pub(crate) board: Arc<Board>,
    /// Where guests run.
    pub(crate) guests: tokio::runtime::Handle,
    /// Where their HTTP is done.
    pub(crate) io: tokio::runtime::Handle,
    /// Whether a dispatcher routes by bindings.
    pub(crate) routes_bindings: bool,
    /// Tells when all apps are to stop.
    pub(crate) stop: CancellationToken,
}

/// One that runs.
struct Running {
    app: Arc<App>,
    settings: Settings,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// See the module's text.
pub(crate) struct Roster {
    ground: Ground,
    running: RwLock<BTreeMap<String, Running>>,
    table: watch::Sender<Arc<BindingTable>>,
}

impl Roster {
    pub(crate) fn new(ground: Ground, table: watch::Sender<Arc<BindingTable>>) -> Self {
        Self { ground, running: RwLock::default(), table }
    }

    /// An app that could run: checks everything that its settings say.
    ///
    /// # Errors
    /// One sentence for settings that make no sense.
    pub(crate) fn make(&self, name: &str, settings: &Settings, component: &LoadedComponent) -> Result<Arc<App>> {
        let context = &self.ground.context;
        let outbox: Arc<dyn Outbox> = Arc::new(QueueOutbox::new(Arc::clone(&context.broker), name, Stack::default()));
        let around = Surroundings {
            kv: Arc::clone(&self.ground.kv),
            store: Arc::clone(&context.store),
            feed: context.feed.clone(),
            outbox,
            metrics: Arc::clone(&self.ground.sink),
            io: self.ground.io.clone(),
            recordings: Some(Arc::clone(&self.ground.recordings)),
        };
        let app = App::new(&self.ground.sandbox, name, &settings.app, component, around)?;
        app.hide(settings.secrets.clone());
        Ok(Arc::new(app))
    }

    /// Starts an app, or puts it in the place of the one of its name: that one finishes what it has in hand first.
    pub(crate) async fn start(&self, name: &str, settings: Settings, app: Arc<App>) {
        self.stop(name).await;
        let ground = &self.ground;
        ground.board.expect(WorkerKind::App, name);
        let worker = Arc::new(AppWorker {
            app: Arc::clone(&app) as Arc<dyn Application>,
            connector: name.to_owned(),
            broker: Arc::clone(&ground.context.broker),
            feed: ground.context.feed.clone(),
            stack: Stack::default(),
            prefetch: settings.app.amqp_prefetch_count,
            parallel: settings.app.parallel,
            inbound_endpoints: settings.app.inbound_endpoints.clone(),
        });
        let stop = ground.stop.child_token();
        let (feed, ended, worker_name) = (ground.context.feed.clone(), stop.clone(), key(WorkerKind::App, name));
        let task = ground.guests.spawn(async move {
            supervise(&worker_name, &feed, &ended, || Arc::clone(&worker).run(ended.clone())).await;
        });
        self.running.write().insert(name.to_owned(), Running { app, settings, stop, task });
        self.publish();
    }

    /// The app of this name, if it runs.
    pub(crate) fn app(&self, name: &str) -> Option<Arc<App>> {
        self.running.read().get(name).map(|running| Arc::clone(&running.app))
    }

    /// Stops an app: it finishes what it has in hand.
    async fn stop(&self, name: &str) {
        let gone = self.running.write().remove(name);
        if let Some(running) = gone {
            running.stop.cancel();
            let _ = running.task.await;
        }
    }

    /// Stops an app for good; nothing reaches it any more.
    pub(crate) async fn remove(&self, name: &str) {
        // First no message is led to it; what has come is answered, and its replies still find their way.
        self.rewrite(|table| {
            for app in table.apps.iter_mut().filter(|app| app.connector == name) {
                app.bindings.clear();
            }
        });
        self.drained(name).await;
        self.stop(name).await;
        self.rewrite(|table| table.apps.retain(|app| app.connector != name));
        self.ground.board.forget(WorkerKind::App, name);
    }

    fn rewrite(&self, change: impl FnOnce(&mut BindingTable)) {
        let mut table = BindingTable::clone(&self.table.borrow());
        change(&mut table);
        self.table.send_replace(Arc::new(table));
    }

    /// Waits until an app's queue is empty, for a while.
    async fn drained(&self, name: &str) {
        let queue = names::inbound(name);
        let empty = async {
            while let Ok(queues) = self.ground.context.broker.queues().await {
                if queues.iter().all(|found| found.name != queue || found.ready + found.unacked == 0) {
                    return;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(PATIENCE, empty).await.is_err() {
            tracing::warn!("the app {name} is removed although messages wait for it; they stay in {queue}");
        }
    }

    /// What whoever deploys an app should know of how it is reached.
    pub(crate) fn warnings(&self, name: &str) -> Vec<String> {
        let table = self.table.borrow();
        let Some(app) = table.app(name) else { return Vec::new() };
        let quoted = format!("`{name}`");
        let mut found: Vec<String> =
            conflicts(&table).into_iter().filter(|sentence| sentence.contains(&quoted)).collect();
        if !app.bindings.is_empty() && !self.ground.routes_bindings {
            found.push(format!(
                "nothing routes the bindings of `{name}`: the configuration has no dispatcher of class `bindings`"
            ));
        }
        found
    }

    /// Waits for all apps, which have been told to stop.
    pub(crate) async fn ended(&self, until: tokio::time::Instant) {
        let running = std::mem::take(&mut *self.running.write());
        for (name, running) in running {
            if tokio::time::timeout_at(until, running.task).await.is_err() {
                tracing::warn!("the app {name} did not stop in time");
            }
        }
    }

    /// The apps as the desk shows them.
    pub(crate) fn entries(&self) -> Vec<AppEntry> {
        self.running.read().iter().map(|(name, running)| entry(name, running)).collect()
    }

    /// One of them.
    pub(crate) fn entry(&self, name: &str) -> Option<AppEntry> {
        self.running.read().get(name).map(|running| entry(name, running))
    }

    fn publish(&self) {
        let running = self.running.read();
        let bound = running
            .iter()
            .map(|(name, running)| BoundApp { connector: name.clone(), bindings: running.settings.bindings.clone() });
        let table = BindingTable { apps: bound.collect() };
        self.table.send_if_modified(|now| {
            let differs = **now != table;
            if differs {
                *now = Arc::new(table);
            }
            differs
        });
    }
}

fn entry(name: &str, running: &Running) -> AppEntry {
    let mut config = running.settings.app.clone();
    config.component = "deployed".to_owned();
    AppEntry {
        name: name.to_owned(),
        connector: name.to_owned(),
        kind: AppKind::Guest { app: Arc::clone(&running.app), config: Arc::new(config) },
    }
}
