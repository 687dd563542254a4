//! A whole system: everything that a configuration names, joined, started, and stopped again in order.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::PrometheusHandle;
use vumi_admin::AdminOptions;
use vumi_core::{Context, Error, MessageQuery, QueueInfo, Result, SystemClock};
use vumi_message::Timestamp;
use vumi_sandbox::{App, MetricSink, PartSurroundings, Sandbox};
use vumi_transport::Sites;
use vumi_worker::metrics::MetricManager;

use crate::access::Access;
use crate::apps::{Guests, cache, places};
use crate::backends::{Backends, Engine};
use crate::board::Board;
use crate::build::{Build, connector_of};
use crate::config::SystemConfig;
use crate::control::{AppEntry, Desk};
use crate::deploy;
use crate::parts::HostParts;
use crate::telemetry::{self, ToAll};
use crate::workers::Workers;

/// Messages of the simulator that are read back into its phones at the start.
const RECALLED: usize = 1_000;

/// What the command line adds to a configuration.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// Where compiled components are kept; nowhere when `None`.
    pub component_cache: Option<PathBuf>,
    /// This program, to compile uploaded components in a process of their own; `None` compiles them in this one.
    pub compiler: Option<PathBuf>,
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
    admin: Option<SocketAddr>,
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
        let admin = Admin::bind(config.admin.clone()).await?;
        let backends = Backends::open(&config)?;
        let simulator = config.transports.iter().find(|(_, transport)| transport.component.class() == "simulator");
        let (board, feed) = Board::with_feed(simulator.map(|(name, transport)| connector_of(name, transport)));
        let sandbox = Sandbox::new(&places(&config)).map_err(|error| Error::permanent(error.to_string()))?;
        let guests = Guests::start()?;
        let numbers = Arc::new(MetricManager::new("", Arc::new(SystemClock)));
        let sink: Arc<dyn MetricSink> = Arc::new(ToAll { first: sink, numbers: Arc::clone(&numbers) });
        let cache = cache(&extras)?;
        let (table, bindings) = tokio::sync::watch::channel(Arc::default());
        let parts = HostParts {
            sandbox: Arc::clone(&sandbox),
            cache: cache.clone(),
            around: PartSurroundings {
                kv: Arc::clone(&backends.kv),
                store: Arc::clone(&backends.store),
                feed: feed.clone(),
                metrics: Arc::clone(&sink),
                io: tokio::runtime::Handle::current(),
                guests: guests.handle(),
            },
            folder: config.folder.clone(),
        };
        let context = Context {
            name: String::new(),
            system_id: config.system_id.clone(),
            broker: Arc::clone(&backends.broker),
            keyspaces: Arc::clone(&backends.keyspaces),
            store: Arc::clone(&backends.store),
            feed,
            clock: Arc::new(SystemClock),
            guests: Arc::new(parts),
            bindings,
        };
        let mut build = Build {
            config: &config,
            backends: &backends,
            context,
            board: &board,
            workers: Workers::new(),
            sites: Sites::default(),
        };
        let apps = build.apps(&cache, extras.watch, &sandbox, &guests, &sink)?;
        let dispatchers = build.dispatchers()?;
        let (transports, phones) = build.transports()?;
        let beside = build.workers()?;
        let context = build.context.clone();
        let mut workers = build.workers;
        let deployed = deploy::open(deploy::Parts {
            config: &config,
            catalog: Arc::clone(&backends.catalog),
            recordings: Arc::clone(&backends.recordings),
            cache,
            program: extras.compiler.clone(),
            ground: deploy::Ground {
                context,
                kv: Arc::clone(&backends.kv),
                sandbox: Arc::clone(&sandbox),
                sink,
                recordings: Arc::clone(&backends.recordings),
                board: Arc::clone(&board),
                guests: guests.handle(),
                io: tokio::runtime::Handle::current(),
                routes_bindings: config.dispatchers.iter().any(|(_, found)| found.component.class() == "bindings"),
                stop: workers.inner().clone(),
            },
            table,
        })?;
        deployed.start_all().await?;
        let (broker, stop) = (Arc::clone(&backends.broker), workers.inner().clone());
        workers.beside(async move { numbers.run(broker, stop).await });
        let (handle, stop) = (metrics.clone(), workers.inner().clone());
        workers.beside(async move { telemetry::keep_metrics_small(&handle, &stop).await });
        if let Some(phones) = &phones {
            recall(&backends, &board, &phones.transport_name).await?;
        }
        let guest_apps = apps.iter().filter_map(AppEntry::guest).map(Arc::clone).collect();
        let desk = Arc::new(Desk {
            board,
            engines: backends.engines.clone(),
            broker: Arc::clone(&backends.broker),
            kv: Arc::clone(&backends.kv),
            store: Arc::clone(&backends.store),
            metrics,
            apps,
            transports,
            dispatchers,
            workers: beside,
            phones,
            deployed,
            access: Access(Arc::clone(&backends.catalog)),
            data_dir: config.data_dir.as_ref().map(|folder| folder.display().to_string()),
            pagemap_scan: sandbox.pagemap_scan(),
            admin_address: admin.as_ref().map(|admin| admin.address.to_string()),
            warnings: config.warnings.clone(),
            started,
            started_at: Timestamp::now(),
            draining: AtomicBool::new(false),
        });
        let address = admin.as_ref().map(|admin| admin.address);
        if let Some(Admin { listener, options, .. }) = admin {
            workers.admin(listener, options, &desk);
        }
        let grace = config.shutdown_timeout;
        Ok(Self { backends, desk, apps: guest_apps, workers, guests, grace, admin: address })
    }

    /// Where the admin server listens, if there is one.
    pub fn admin(&self) -> Option<SocketAddr> {
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

    /// The engines outside of this process.
    pub(crate) fn engines(&self) -> &[Engine] {
        &self.backends.engines
    }

    /// The guests.
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
        self.desk.deployed.roster.ended(deadline).await;
        self.report_leftovers().await;
        self.backends.close().await;
        drop(self.guests);
    }

    /// Waits until no message is on its way. Of queues that other processes use too, only what this one has in hand
    /// counts.
    async fn drained(&self, until: tokio::time::Instant) {
        let shared = self.backends.broker.is_shared();
        let waiting = |queue: &QueueInfo| if shared { queue.unacked } else { queue.ready + queue.unacked };
        let idle = async {
            loop {
                match self.backends.broker.queues().await {
                    Ok(queues) if queues.iter().any(|queue| is_live(&queue.name) && waiting(queue) > 0) => {}
                    _ => return,
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout_at(until, idle).await;
    }

    async fn report_leftovers(&self) {
        if self.backends.broker.is_shared() {
            return;
        }
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

/// Queues that somebody in this system empties; failures and statuses may have no consumer.
fn is_live(queue: &str) -> bool {
    [".inbound", ".outbound", ".event"].iter().any(|ending| queue.ends_with(ending))
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

/// The admin server before it serves.
struct Admin {
    listener: tokio::net::TcpListener,
    options: AdminOptions,
    address: SocketAddr,
}

impl Admin {
    async fn bind(options: Option<AdminOptions>) -> Result<Option<Self>> {
        let Some(options) = options else { return Ok(None) };
        let listener = vumi_admin::bind(&options).await.map_err(|error| Error::permanent(error.to_string()))?;
        let address =
            listener.local_addr().map_err(|error| Error::permanent("the admin address is gone").because(error))?;
        Ok(Some(Self { listener, options, address }))
    }
}
