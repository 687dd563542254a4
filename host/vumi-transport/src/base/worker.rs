//! A transport at work: start, restart, stop.
//!
//! The order of the start is Vumi's (transport specification "common", C2): queues, then the transport, and outbound
//! messages only once the transport says that it is ready. The order of the stop is its reverse: take no more
//! outbound messages, let those that are being sent finish, then end the transport while the broker still works, so
//! that it can publish its goodbyes.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use vumi_core::supervise::supervise;
use vumi_core::{
    Backoff, Broker, Channel, Clock, Direction, Error, Feed, Flow, Hook, KvStore, Lanes, Link, Result, Stack, Store,
    Transport, names,
};
use vumi_message::Message;

use super::journal::Journal;
use super::link::WorkerLink;
use super::meters::Meters;
use super::outbound::Outbound;
use super::readiness::Readiness;
use super::shared::TransportShared;

/// Users served side by side where the prefetch sets no bound.
const UNBOUND_LANES: usize = 1024;

/// How a message that comes again is recognised, so that it goes out once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Once {
    /// By the record of sent ids in kv.
    #[default]
    Record,
    /// By the store: the record there *is* the message as its receiver sees it. It is written, once for each id,
    /// before the message is acknowledged, and kv is not touched.
    Store,
}

/// A transport with everything around it. See the module's text.
pub struct TransportWorker {
    /// The transport's name, first part of the names of its queues.
    pub name: String,
    /// The transport.
    pub transport: Arc<dyn Transport>,
    /// How a message that comes again is recognised.
    pub once: Once,
    /// Its shared configuration keys.
    pub shared: TransportShared,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// The key-value store.
    pub kv: Arc<dyn KvStore>,
    /// The store of records.
    pub store: Arc<dyn Store>,
    /// The live feed.
    pub feed: Feed,
    /// Its middleware.
    pub stack: Stack,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Tells when the transport is ready; [`Readiness::default`] at first.
    pub readiness: Readiness,
}

/// What the two directions have in common.
pub(super) struct Common {
    pub(super) worker: Arc<TransportWorker>,
    pub(super) journal: Journal,
    pub(super) meters: Meters,
}

impl TransportWorker {
    /// Its name on the live feed, where an app may have the same one.
    pub(super) fn feed_name(&self) -> String {
        format!("transport:{}", self.name)
    }

    /// Works until `shutdown` ends, then stops in order. The transport is started again when it fails.
    ///
    /// # Errors
    /// When the name is no name, a queue cannot be declared, or the transport ends although nobody asked it to.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        names::check(&self.name)?;
        for queue in [names::outbound, names::inbound, names::event, names::failures] {
            self.broker.declare(&queue(&self.name)).await?;
        }
        if self.shared.publish_status {
            self.broker.declare(&names::status(&self.name)).await?;
        }
        let meters = Meters::new(&self.name);
        let journal = Journal {
            transport_name: self.name.clone(),
            store: Arc::clone(&self.store),
            feed: self.feed.clone(),
            clock: Arc::clone(&self.clock),
            unrecorded: meters.unrecorded.clone(),
        };
        let common = Arc::new(Common { worker: Arc::clone(&self), journal, meters });

        // The transport has a token of its own: it ends after the outbound side has. Should this future be dropped,
        // both end.
        let stop = CancellationToken::new();
        let halt = shutdown.child_token();
        let _ends_both = (stop.clone().drop_guard(), halt.clone().drop_guard());
        let mut serving = tokio::spawn(serve(Arc::clone(&common), stop.clone()));
        let lanes = Lanes::new(match self.shared.amqp_prefetch_count {
            Some(prefetch) if prefetch > 0 => usize::from(prefetch),
            _ => UNBOUND_LANES,
        });
        let outbound = Arc::new(Outbound::new(common, halt.clone()));

        let mut taking = std::pin::pin!(take_outbound(&outbound, &lanes));
        let ended_early = tokio::select! {
            () = &mut taking => false,
            _ = &mut serving => true,
        };
        if ended_early {
            halt.cancel();
            taking.await;
        }
        stop.cancel();
        if ended_early {
            if shutdown.is_cancelled() {
                return Ok(());
            }
            return Err(Error::temporary(format!("the transport `{}` ended although nobody asked it to", self.name)));
        }
        serving.await.map_err(|error| Error::temporary("the transport's supervisor failed").because(error))
    }
}

/// Runs the transport, again after each failure, until `stop` ends.
async fn serve(common: Arc<Common>, stop: CancellationToken) {
    let link = Arc::new(WorkerLink::new(Arc::clone(&common), stop.clone()));
    let worker = &common.worker;
    supervise(&worker.feed_name(), &worker.feed, &stop, || {
        let link: Arc<dyn Link> = Arc::<WorkerLink>::clone(&link);
        let worker = Arc::clone(worker);
        async move {
            let _unready = Unready(&worker.readiness);
            Arc::clone(&worker.transport).run(link).await
        }
    })
    .await;
}

/// However the transport ends, by a panic too: it is no longer ready.
struct Unready<'a>(&'a Readiness);

impl Drop for Unready<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// Takes outbound messages until told to halt; a broker that is away does not end the transport's sessions.
async fn take_outbound(outbound: &Arc<Outbound>, lanes: &Lanes) {
    let mut backoff = Backoff::for_workers();
    while let Err(error) = Arc::clone(outbound).take(lanes, &mut backoff).await {
        let delay = backoff.next_delay();
        tracing::error!(
            transport = outbound.name(),
            retry_in_ms = delay.as_millis(),
            "outbound messages cannot be taken: {}",
            error.report()
        );
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = outbound.halt.cancelled() => return,
        }
    }
}

impl Common {
    pub(super) fn name(&self) -> &str {
        &self.worker.name
    }

    /// Sends a message through the publish middleware; `None` when it is to be dropped.
    ///
    /// # Errors
    /// The first error of a middleware.
    pub(super) async fn on_publish(&self, channel: Channel, message: Message) -> Result<Option<Message>> {
        let hook = Hook { direction: Direction::Publish, channel };
        match self.worker.stack.pass(hook, &self.worker.name, message).await? {
            Flow::Continue(message) => Ok(Some(message)),
            Flow::Stop(reason) => {
                tracing::debug!(transport = self.worker.name, ?channel, "middleware dropped a message: {reason}");
                Ok(None)
            }
        }
    }
}
