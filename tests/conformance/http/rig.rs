//! A transport in its worker with the embedded broker and stores. Every wait has a limit.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::component::Configured;
use vumi_core::{Admission, Broker, Context, Happening, Keyspace, RedisManager, Sequenced, Stack, SystemClock, names};
use vumi_message::UserMessage;
use vumi_tests::context::context_with;
use vumi_transport::http::Sites;
use vumi_transport::{Readiness, TransportConfig, TransportPlace, TransportShared, TransportWorker};

use super::mailbox::Mailbox;

/// How long a case waits for what should happen soon.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// How long a look waits for what is written soon after an answer.
pub(super) const SOON: Duration = Duration::from_secs(5);

/// The name of the transport.
pub(super) const NAME: &str = "golden";

/// What a case has before its transport is there.
pub(super) struct Ground {
    context: Context,
    /// The stores, without a prefix.
    pub(super) keys: Keyspace,
}

/// A running transport.
pub(super) struct Rig {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) inbound: Mailbox,
    pub(super) event: Mailbox,
    pub(super) failure: Mailbox,
    pub(super) status: Mailbox,
    readiness: Readiness,
    feed: broadcast::Receiver<Arc<Sequenced>>,
    shutdown: CancellationToken,
    worker: JoinHandle<vumi_core::Result<()>>,
}

/// A transport's map as it stands in a configuration file.
struct Read(Configured<TransportShared, TransportConfig>);

impl<'de> serde::Deserialize<'de> for Read {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TransportConfig::read(deserializer).map(Read)
    }
}

/// Waits, with a limit.
pub(super) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> Result<T, String> {
    tokio::time::timeout(LIMIT, work).await.map_err(|_| format!("{what} did not come within {} s", LIMIT.as_secs()))
}

/// Asks until it is right; the last mistake when it is not within `limit`.
pub(super) async fn until<F: Future<Output = Result<(), String>>>(
    limit: Duration,
    mut ask: impl FnMut() -> F,
) -> Result<(), String> {
    let end = tokio::time::Instant::now() + limit;
    loop {
        match ask().await {
            Err(_) if tokio::time::Instant::now() < end => tokio::time::sleep(Duration::from_millis(10)).await,
            outcome => return outcome,
        }
    }
}

impl Ground {
    pub(super) fn new() -> Self {
        Self::with(BrokerOptions::default())
    }

    /// With a broker of these bounds.
    pub(super) fn with(bounds: BrokerOptions) -> Self {
        let context = context_with(EmbeddedBroker::in_memory(bounds), Arc::new(SystemClock));
        let keys = context.keyspaces.open(&RedisManager::default()).unwrap();
        Self { context, keys }
    }

    /// Reads a configuration and looks for mistakes, as `config check` does.
    pub(super) fn check(config: &Map<String, Value>) -> Result<Configured<TransportShared, TransportConfig>, String> {
        let text = serde_json::to_string(config).unwrap();
        // Below its first line an error shows the place, which says nothing here.
        let told = |error: serde_saphyr::Error| error.to_string().lines().next().unwrap_or_default().to_owned();
        let Read(configured) = serde_saphyr::from_str(&text).map_err(told)?;
        configured.component.check(NAME).map_err(|error| error.report())?;
        Ok(configured)
    }

    /// Starts the transport; does not wait until it is ready.
    pub(super) async fn launch(&self, config: &Map<String, Value>) -> Result<Rig, String> {
        let Configured { shared, component } = Self::check(config)?;
        let sites = Sites::default();
        let place = TransportPlace { name: NAME, shared: &shared, context: &self.context, sites: &sites };
        let built = component.build(place).map_err(|error| error.report())?;
        let broker = Arc::clone(&self.context.broker);
        let readiness = Readiness::default();
        let (shutdown, feed) = (CancellationToken::new(), self.context.feed.watch());
        let inbound = Mailbox::open(&broker, names::inbound(NAME)).await;
        let event = Mailbox::open(&broker, names::event(NAME)).await;
        let failure = Mailbox::open(&broker, names::failures(NAME)).await;
        let status = Mailbox::open(&broker, names::status(NAME)).await;
        let worker = TransportWorker {
            name: NAME.to_owned(),
            transport: built.transport,
            once: built.once,
            shared,
            broker: Arc::clone(&broker),
            kv: Arc::clone(&self.keys.kv),
            store: Arc::clone(&self.context.store),
            feed: self.context.feed.clone(),
            stack: Stack::default(),
            clock: Arc::clone(&self.context.clock),
            readiness: readiness.clone(),
        };
        let worker = tokio::spawn(Arc::new(worker).run(shutdown.clone()));
        Ok(Rig { broker, inbound, event, failure, status, readiness, feed, shutdown, worker })
    }
}

impl Rig {
    /// Waits until the transport is ready, with the address where it listens; or until its start has failed.
    pub(super) async fn ready(&mut self) -> Result<String, String> {
        let failed = async {
            loop {
                let Ok(entry) = self.feed.recv().await else { return std::future::pending().await };
                if let Happening::Worker { state, reason, .. } = &entry.happening
                    && state == "waiting"
                {
                    return reason.clone().unwrap_or_default();
                }
            }
        };
        let either = async {
            tokio::select! {
                at = self.readiness.wait() => Ok(at),
                reason = failed => Err(reason),
            }
        };
        soon("the start of the transport", either).await?
    }

    /// Puts a message into the queue of messages to users.
    pub(super) async fn put(&mut self, message: &UserMessage) {
        let body = Bytes::from(message.to_json());
        self.broker.publish(&names::outbound(NAME), body, Admission::Inside).await.unwrap().await.unwrap();
    }

    /// Waits until every message to users is settled.
    pub(super) async fn settled(&mut self) -> Result<(), String> {
        let broker = Arc::clone(&self.broker);
        until(LIMIT, || async {
            let queues = broker.queues().await.map_err(|error| error.report())?;
            match queues.iter().find(|queue| queue.name == names::outbound(NAME)) {
                Some(queue) if queue.ready + queue.unacked > 0 => Err("messages to users are not settled".to_owned()),
                _ => Ok(()),
            }
        })
        .await
    }

    /// True once it was told to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.shutdown.is_cancelled()
    }

    /// What went to the dead letters, if anything did.
    pub(super) async fn dead(&mut self) -> Option<String> {
        let dead = self.broker.dead_letters(&names::outbound(NAME), 1).await.unwrap();
        dead.first().map(|letter| letter.reason.clone())
    }

    /// Stops the transport, which must end well and soon.
    pub(super) async fn stop(&mut self) -> Result<(), String> {
        if self.shutdown.is_cancelled() {
            return Ok(());
        }
        self.shutdown.cancel();
        match soon("the end of the transport", &mut self.worker).await? {
            Ok(ended) => ended.map_err(|error| format!("the transport ended with: {}", error.report())),
            Err(panic) => Err(format!("the transport's worker panicked: {panic}")),
        }
    }
}

/// The address within what a transport says about where it listens.
pub(super) fn address(at: &str) -> Option<SocketAddr> {
    let start = at.find("127.0.0.1:")?;
    let text: String = at.get(start..)?.chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
    text.parse().ok()
}
