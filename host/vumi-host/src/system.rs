//! A whole system: everything that a configuration names, joined, started, and stopped again in order.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::PrometheusHandle;
use vumi_core::{Context, Error, MessageQuery, NoGuests, Result, SystemClock};
use vumi_dispatch::{Dispatcher, Place};
use vumi_message::Timestamp;
use vumi_sandbox::{App, MetricSink, Sandbox};
use vumi_transport::{Built, Readiness, TransportConfig, TransportShared, TransportWorker};

use crate::apps::{AppStart, Guests, cache, places};
use crate::backends::Backends;
use crate::board::Board;
use crate::config::{self, SystemConfig};
use crate::control::{AppEntry, Desk, DispatcherEntry, Phones, TransportEntry};
use crate::workers::Workers;

/// Messages of the simulator that are read back into its phones at the start.
const RECALLED: usize = 1_000;

/// What the command line adds to a configuration.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// Where compiled components are kept; nowhere when `None`.
    pub component_cache: Option<PathBuf>,
    /// Whether apps are put in place anew when their source changes.
    pub watch: bool,
}

/// A running system.
pub struct System {
    backends: Backends,
    desk: Arc<Desk>,
    apps: Vec<Arc<App>>,
    workers: Workers,
    guests: Guests,
    grace: Duration,
    admin: std::net::SocketAddr,
}

impl System {
    /// Builds and starts everything.
    ///
    /// # Errors
    /// One sentence for the first thing that cannot be built.
    pub async fn start(
        config: SystemConfig,
        extras: Extras,
        metrics: PrometheusHandle,
        sink: Arc<dyn MetricSink>,
    ) -> Result<Self> {
        let started = Instant::now();
        let admin_options = config.admin.clone();
        let listener = vumi_admin::bind(&admin_options).await.map_err(|error| Error::permanent(error.to_string()))?;
        let admin =
            listener.local_addr().map_err(|error| Error::permanent("the admin address is gone").because(error))?;
        let backends = Backends::open(&config)?;
        let simulator = config.transports.iter().find(|(_, transport)| transport.component.class() == "simulator");
        let (board, feed) = Board::with_feed(
            simulator.map(|(name, transport)| transport.shared.transport_name.clone().unwrap_or_else(|| name.clone())),
        );
        let mut workers = Workers::new();
        let guests = Guests::start()?;

        let sandbox = Sandbox::new(&places(&config)).map_err(|error| Error::permanent(error.to_string()))?;
        let cache = cache(&extras)?;
        let mut entries = Vec::new();
        for (name, app_config) in &config.apps {
            let start = AppStart {
                cache: &cache,
                watch: extras.watch,
                backends: &backends,
                feed: &feed,
                sandbox: &sandbox,
                sink: &sink,
            };
            let entry = start.app(name, app_config, &board, &guests, &mut workers)?;
            entries.push(entry);
        }
        let context = Context {
            name: String::new(),
            system_id: "global".to_owned(),
            broker: Arc::clone(&backends.broker),
            keyspaces: Arc::clone(&backends.keyspaces),
            store: Arc::clone(&backends.store),
            feed: feed.clone(),
            clock: Arc::new(SystemClock),
            guests: Arc::new(NoGuests),
        };
        let mut dispatchers = Vec::new();
        for (name, dispatcher) in &config.dispatchers {
            let class = dispatcher.component.class();
            let built = Arc::new(Dispatcher {
                name: name.clone(),
                shared: dispatcher.shared.clone(),
                router: dispatcher
                    .component
                    .clone()
                    .build(Place { shared: &dispatcher.shared, context: &named(&context, name) })?,
                stack: config::stack(&dispatcher.shared.middleware, &named(&context, name))?,
                broker: Arc::clone(&backends.broker),
                feed: feed.clone(),
                passed: vumi_dispatch::Passed::default(),
            });
            workers.dispatcher(&built, &board, &feed);
            dispatchers.push(DispatcherEntry { class, dispatcher: built });
        }
        let mut transports = Vec::new();
        let mut phones = None;
        for (name, transport) in &config.transports {
            let class = transport.component.class();
            let connector = transport.shared.transport_name.clone().unwrap_or_else(|| name.clone());
            let Built { transport: built, once, simulator } = transport.component.clone().build(&connector)?;
            if let (Some(handle), TransportConfig::Simulator(offered)) = (simulator, &transport.component) {
                let offered = offered.clone();
                phones.get_or_insert(Phones { transport_name: connector.clone(), handle, offered });
            }
            let worker = Arc::new(TransportWorker {
                name: connector.clone(),
                transport: built,
                once,
                shared: remembering(&transport.shared, config.data_dir.is_some()),
                broker: Arc::clone(&backends.broker),
                kv: Arc::clone(&backends.transport_kv),
                store: Arc::clone(&backends.store),
                feed: feed.clone(),
                stack: config::stack(&transport.shared.middleware, &named(&context, name))?,
                clock: Arc::new(SystemClock),
                readiness: Readiness::default(),
            });
            workers.transport(&worker, &board, &feed);
            transports.push(TransportEntry { name: connector, class });
        }
        if let Some(phones) = &phones {
            recall(&backends, &board, &phones.transport_name).await?;
        }
        let apps = entries.iter().map(|entry: &AppEntry| Arc::clone(&entry.app)).collect();
        let desk = Arc::new(Desk {
            board,
            broker: Arc::clone(&backends.broker),
            kv: Arc::clone(&backends.kv),
            store: Arc::clone(&backends.store),
            metrics,
            apps: entries,
            transports,
            dispatchers,
            phones,
            data_dir: config.data_dir.as_ref().map(|folder| folder.display().to_string()),
            pagemap_scan: sandbox.pagemap_scan(),
            admin_address: admin.to_string(),
            warnings: config.warnings.clone(),
            started,
            started_at: Timestamp::now(),
            draining: AtomicBool::new(false),
        });
        workers.admin(listener, admin_options, &desk);
        let grace = config.shutdown_timeout;
        Ok(Self { backends, desk, apps, workers, guests, grace, admin })
    }

    /// Where the admin server listens.
    pub fn admin(&self) -> std::net::SocketAddr {
        self.admin
    }

    /// Waits until every worker has come up, or the time is over; false in the latter case.
    pub async fn up(&self, patience: Duration) -> bool {
        let up = async {
            while !self.desk.board.all_up() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(patience, up).await.is_ok()
    }

    /// The system as the admin API describes it.
    pub(crate) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// The apps.
    pub fn apps(&self) -> &[Arc<App>] {
        &self.apps
    }

    /// Stops in order: no new input, then what is on its way is finished, within the deadline, then the workers, then
    /// the stores.
    pub async fn stop(mut self) {
        let deadline = tokio::time::Instant::now() + self.grace;
        self.desk.draining.store(true, Ordering::Relaxed);
        // Replies to what is already inside should still reach their users.
        let third = self.grace / 3;
        self.drained(tokio::time::Instant::now() + third).await;
        self.workers.stop_transports(deadline).await;
        // The end of the connections was itself a message to the apps.
        self.drained(deadline.min(tokio::time::Instant::now() + third)).await;
        self.workers.stop_the_rest(deadline).await;
        self.report_leftovers().await;
        self.backends.close().await;
        drop(self.guests);
    }

    /// Waits until no message is on its way.
    async fn drained(&self, until: tokio::time::Instant) {
        let idle = async {
            loop {
                match self.backends.broker.queues().await {
                    Ok(queues)
                        if queues.iter().any(|queue| is_live(&queue.name) && queue.ready + queue.unacked > 0) => {}
                    _ => return,
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout_at(until, idle).await;
    }

    async fn report_leftovers(&self) {
        let Ok(queues) = self.backends.broker.queues().await else { return };
        let left: u64 =
            queues.iter().filter(|queue| is_live(&queue.name)).map(|queue| queue.ready + queue.unacked).sum();
        if left > 0 && self.desk.data_dir.is_some() {
            tracing::info!(messages = left, "messages wait in the queues for the next start");
        } else if left > 0 {
            tracing::warn!(messages = left, "messages were still in the queues; without --data-dir they are lost now");
        }
    }
}

/// The context of one worker.
fn named(context: &Context, name: &str) -> Context {
    Context { name: name.to_owned(), ..context.clone() }
}

/// Queues that somebody in this system empties; failures and statuses may have no consumer.
fn is_live(queue: &str) -> bool {
    [".inbound", ".outbound", ".event"].iter().any(|ending| queue.ends_with(ending))
}

/// Without a `data_dir` the record of what was sent only outlives a guest that is run again, and it must fit into
/// memory: an hour of it is plenty.
fn remembering(shared: &TransportShared, durable: bool) -> TransportShared {
    let mut shared = shared.clone();
    if !durable {
        shared.sent_record_hours = shared.sent_record_hours.min(1);
    }
    shared
}

/// Reads the simulator's newest messages back into its phones.
async fn recall(backends: &Backends, board: &Board, transport_name: &str) -> Result<()> {
    let query =
        MessageQuery { transport_name: Some(transport_name.to_owned()), limit: RECALLED, ..MessageQuery::default() };
    let mut records = backends.store.messages(query).await?;
    records.reverse();
    board.recall(&records);
    Ok(())
}
