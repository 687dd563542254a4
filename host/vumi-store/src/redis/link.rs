//! The way to Redis: connections that are kept up in the background, for ever.
//!
//! One task, the keeper, opens all connections, waits until one of them is reported broken, drops them and opens new
//! ones, with growing pauses between attempts (0.01 s to 5 s; specification: workers, section 9). Calls take the
//! connections in turn; while there are none they wait, for the response timeout at most.
//!
//! A connection carries many calls at once (they are sent as they come and answered in the same order), so few are
//! enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, ProtocolVersion, PushInfo, PushKind, RedisError};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use vumi_core::backoff::Backoff;

use super::fault::{Fault, judge};
use super::health::Health;
use super::options::RedisOptions;
use crate::StoreError;

/// Connections are made anew this often at most, whatever is reported of them.
const RENEW_PAUSE: Duration = Duration::from_millis(500);

/// The connections of the moment.
pub(super) struct Live {
    /// Counts the times that connections were made.
    pub(super) number: u64,
    pub(super) connections: Connections,
}

pub(super) enum Connections {
    Server { all: Vec<MultiplexedConnection>, next: AtomicUsize },
    Cluster(ClusterConnection),
}

/// What was reported of connections: the highest number of those that are broken, and of those to be looked at.
#[derive(Clone, Copy, Default)]
struct Reports {
    broken: u64,
    suspect: u64,
}

/// See the module's text.
pub(super) struct Link {
    pub(super) options: RedisOptions,
    pub(super) health: Health,
    live: watch::Sender<Option<Arc<Live>>>,
    reports: watch::Sender<Reports>,
    keeper: Mutex<Option<AbortHandle>>,
    started: AtomicBool,
    closed: AtomicBool,
}

impl Link {
    pub(super) fn new(options: RedisOptions) -> Self {
        Self {
            health: Health::new(options.place()),
            options,
            live: watch::Sender::new(None),
            reports: watch::Sender::new(Reports::default()),
            keeper: Mutex::new(None),
            started: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// Starts the keeper, unless it runs or there is no runtime yet.
    pub(super) fn start(self: &Arc<Self>) {
        if self.started.load(Ordering::Acquire) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let mut keeper = self.keeper.lock();
        if keeper.is_none() && !self.closed.load(Ordering::Acquire) {
            *keeper = Some(runtime.spawn(keep(Arc::clone(self))).abort_handle());
            self.started.store(true, Ordering::Release);
        }
    }

    /// Ends the keeper and drops the connections; calls fail from now on.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        if let Some(keeper) = self.keeper.lock().take() {
            keeper.abort();
        }
        self.live.send_replace(None);
    }

    pub(super) fn is_connected(&self) -> bool {
        self.live.borrow().is_some()
    }

    /// The connections; waits for them until `deadline`.
    pub(super) async fn live(self: &Arc<Self>, deadline: Instant) -> Result<Arc<Live>, StoreError> {
        self.start();
        if let Some(live) = &*self.live.borrow() {
            return Ok(Arc::clone(live));
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(self.away("this program has closed it"));
        }
        let mut watched = self.live.subscribe();
        let waited = tokio::time::timeout_at(deadline, watched.wait_for(Option::is_some)).await;
        let live = match &waited {
            Ok(Ok(live)) => live.as_ref().map(Arc::clone),
            _ => None,
        };
        drop(waited);
        live.ok_or_else(|| match self.health.sentence() {
            Some(sentence) => StoreError::Redis { sentence, temporary: true },
            None => self.away(&format!("no connection within {} s", self.options.response_timeout.as_secs_f64())),
        })
    }

    fn away(&self, why: &str) -> StoreError {
        let place = self.options.place();
        StoreError::Redis { sentence: format!("there is no connection to Redis at {place} ({why})"), temporary: true }
    }

    /// The connections of this number are of no use any more.
    pub(super) fn broken(&self, number: u64) {
        self.reports.send_if_modified(|reports| raise(&mut reports.broken, number));
    }

    /// The connections of this number should be looked at.
    pub(super) fn suspect(&self, number: u64) {
        self.reports.send_if_modified(|reports| raise(&mut reports.suspect, number));
    }
}

fn raise(mark: &mut u64, number: u64) -> bool {
    let higher = number > *mark;
    *mark = number.max(*mark);
    higher
}

/// Keeps connections up until it is aborted.
async fn keep(link: Arc<Link>) {
    let mut backoff = Backoff::new(Duration::from_millis(10), 2.0, Duration::from_secs(5));
    let mut reports = link.reports.subscribe();
    let mut number = 0;
    loop {
        number += 1;
        match connect(&link, number).await {
            Ok(connections) => {
                let since = Instant::now();
                link.live.send_replace(Some(Arc::new(Live { number, connections })));
                link.health.connected();
                watch(&link, number, &mut reports).await;
                link.live.send_replace(None);
                backoff.reset();
                // A server that takes connections but refuses the work must not be stormed.
                tokio::time::sleep_until(since + RENEW_PAUSE).await;
            }
            Err(fault) => {
                link.health.failed(&fault);
                tokio::time::sleep(backoff.next_delay()).await;
            }
        }
    }
}

/// Returns when the connections must be replaced.
async fn watch(link: &Link, number: u64, reports: &mut watch::Receiver<Reports>) {
    loop {
        let now = *reports.borrow_and_update();
        if now.broken >= number {
            return;
        }
        if now.suspect >= number {
            link.reports.send_if_modified(|reports| {
                reports.suspect = number.saturating_sub(1);
                false
            });
            let Some(live) = link.live.borrow().as_ref().map(Arc::clone) else { return };
            if let Err(error) = ping(&live.connections).await {
                link.health.failed(&judge(link.options.place(), link.options.response_timeout, &error, false));
                return;
            }
            // A server that is slow for everybody must not be asked all the time.
            let broke = reports.wait_for(|reports| reports.broken >= number);
            drop(tokio::time::timeout(RENEW_PAUSE, broke).await);
        } else if reports.changed().await.is_err() {
            return;
        }
    }
}

async fn connect(link: &Arc<Link>, number: u64) -> Result<Connections, Fault> {
    let options = &link.options;
    let limit = options.connect_timeout;
    let opened = async {
        let connections = if options.cluster { cluster(options).await? } else { server(link, number).await? };
        // A connection can be had where nothing can be done yet: a password is missing, data are being loaded.
        ping(&connections).await.map(|()| connections)
    };
    // The library has a limit of its own for each connection; this one is for all of it.
    let whole = limit.saturating_mul(2);
    let answer = tokio::time::timeout(whole, opened).await;
    answer
        .unwrap_or_else(|_| Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))))
        .map_err(|error| judge(options.place(), limit, &error, true))
}

/// Small requests are sent at once. Otherwise each could wait until the one before it is acknowledged, up to 40 ms.
fn at_once() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

async fn server(link: &Arc<Link>, number: u64) -> Result<Connections, RedisError> {
    let options = &link.options;
    let node = options.nodes.first().cloned();
    let node = node.ok_or((redis::ErrorKind::InvalidClientConfig, "no address"))?;
    let client = Client::open(node.set_tcp_settings(at_once()))?;
    let mut all = Vec::new();
    for _ in 0..options.connections.max(1) {
        let weak = Arc::downgrade(link);
        // Tells at once when the server goes away, so that the next call finds a new connection and not a dead one.
        let told = move |push: PushInfo| -> Result<(), ()> {
            if push.kind == PushKind::Disconnection
                && let Some(link) = weak.upgrade()
            {
                link.broken(number);
            }
            Ok(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.connect_timeout))
            .set_response_timeout(Some(options.response_timeout))
            .set_push_sender(told);
        all.push(client.get_multiplexed_async_connection_with_config(&config).await?);
    }
    Ok(Connections::Server { all, next: AtomicUsize::new(0) })
}

async fn cluster(options: &RedisOptions) -> Result<Connections, RedisError> {
    // No retries within the library: it would send a write again after a connection broke, although the first may have
    // been done. `call` repeats what was certainly not done.
    let client = ClusterClientBuilder::new(options.nodes.clone())
        .retries(0)
        .connection_timeout(options.connect_timeout)
        .response_timeout(options.response_timeout)
        .use_protocol(ProtocolVersion::RESP3)
        .tcp_settings(at_once())
        .build()?;
    Ok(Connections::Cluster(client.get_async_connection().await?))
}

async fn ping(connections: &Connections) -> Result<(), RedisError> {
    match connections {
        Connections::Server { all, .. } => {
            for connection in all {
                redis::cmd("PING").query_async::<()>(&mut connection.clone()).await?;
            }
            Ok(())
        }
        Connections::Cluster(connection) => redis::cmd("PING").query_async::<()>(&mut connection.clone()).await,
    }
}
