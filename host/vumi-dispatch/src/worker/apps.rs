//! Apps that come and go while a dispatcher works: what they send is consumed for as long as they are in the table of
//! the dispatcher's router (`Router::bindings`), and a while longer.
//!
//! Each app's queue has a task of its own. When that fails it is tried again, later each time, and nothing else is
//! disturbed. The apps of the configuration are none of this business, even where the table has them too.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use vumi_core::{Backoff, BindingTable, Channel, Result, names};

use super::Dispatcher;

/// Nobody can tell when an app that is gone has sent its last reply: one may still be on its way from a run that has
/// just ended. When nothing has come for this long, nothing is expected any more.
const QUIET: Duration = Duration::from_secs(5);

/// The queue of an app that is gone is let go after this time in any case: no run takes longer, unless told to, so what
/// still comes is somebody else's. It stays in the queue, for the app may come back.
const LONGEST: Duration = Duration::from_secs(60);

/// A queue that was consumed for this long counts as a success: its next failure waits the first delay again.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// Whether a queue's consumer has a message in its hands, and if not, since when. The hands of a new consumer count as
/// full until it has been given its queue, since nobody knows what is in there.
#[derive(Debug, Default)]
pub(super) struct Hands(Mutex<Option<Instant>>);

impl Hands {
    /// There is a message.
    pub(super) fn fill(&self) {
        *self.0.lock() = None;
    }

    /// The message is done with.
    pub(super) fn empty(&self) {
        *self.0.lock() = Some(Instant::now());
    }

    fn empty_since(&self) -> Option<Instant> {
        *self.0.lock()
    }
}

/// The apps whose queues are consumed.
pub(super) struct Apps {
    dispatcher: Arc<Dispatcher>,
    shutdown: CancellationToken,
    open: BTreeMap<String, Open>,
    work: JoinSet<String>,
}

/// One consumed queue.
struct Open {
    stop: CancellationToken,
    hands: Arc<Hands>,
    /// Since when the app is no longer in the table.
    gone: Option<Instant>,
}

impl Open {
    /// When the queue of an app that is gone is to be looked at again, or let go.
    fn due(&self) -> Option<Instant> {
        if self.stop.is_cancelled() {
            return None;
        }
        let gone = self.gone?;
        let quiet = self.hands.empty_since().map_or_else(|| Instant::now() + QUIET, |since| since.max(gone) + QUIET);
        Some(quiet.min(gone + LONGEST))
    }
}

impl Apps {
    /// None yet. All end with `shutdown`.
    pub(super) fn new(dispatcher: Arc<Dispatcher>, shutdown: CancellationToken) -> Self {
        Self { dispatcher, shutdown, open: BTreeMap::new(), work: JoinSet::new() }
    }

    /// Follows the router's table, for ever.
    pub(super) async fn follow(&mut self) -> Infallible {
        let Some(mut watch) = self.dispatcher.router.bindings().cloned() else { return std::future::pending().await };
        let mut watched = true;
        let table = Arc::clone(&watch.borrow_and_update());
        self.change(&table);
        loop {
            let due = self.open.values().filter_map(Open::due).min();
            let alarm = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // When nobody can change the table any more it stays as it is.
                changed = watch.changed(), if watched => {
                    watched = changed.is_ok();
                    let table = Arc::clone(&watch.borrow_and_update());
                    self.change(&table);
                }
                Some(ended) = self.work.join_next() => self.ended(ended.ok()),
                () = alarm => self.let_go(),
            }
        }
    }

    /// Waits for what is in hand, after `shutdown`.
    pub(super) async fn finish(mut self) {
        while self.work.join_next().await.is_some() {}
    }

    /// Makes what is consumed follow from a table.
    fn change(&mut self, table: &BindingTable) {
        for app in &table.apps {
            if let Some(open) = self.open.get_mut(&app.connector) {
                // If it is being let go at this moment, it is opened again when that has ended.
                open.gone = None;
            } else if self.is_ours(&app.connector) {
                self.start(app.connector.clone());
            }
        }
        for (connector, open) in &mut self.open {
            if open.gone.is_none() && table.app(connector).is_none() {
                open.gone = Some(Instant::now());
            }
        }
    }

    /// Whether an app is deployed, and not one of the configuration. The router says what is wrong with one that is
    /// called like a transport.
    fn is_ours(&self, connector: &str) -> bool {
        !self.dispatcher.shared.exposed_names.iter().any(|name| name == connector)
            && self.dispatcher.may_deploy(connector)
    }

    fn start(&mut self, connector: String) {
        let (stop, hands) = (self.shutdown.child_token(), Arc::<Hands>::default());
        self.work.spawn(serve(Arc::clone(&self.dispatcher), connector.clone(), Arc::clone(&hands), stop.clone()));
        self.open.insert(connector, Open { stop, hands, gone: None });
    }

    /// Lets those go that have been quiet, or gone, for long enough. What they have in hand is finished.
    fn let_go(&mut self) {
        let now = Instant::now();
        for (connector, open) in &self.open {
            if open.due().is_some_and(|due| due <= now) {
                if open.gone.is_some_and(|gone| gone + LONGEST <= now) {
                    tracing::warn!(
                        dispatcher = self.dispatcher.name,
                        connector,
                        "the app is gone for {} s, and its messages do not end: the rest waits in its queue",
                        LONGEST.as_secs()
                    );
                }
                open.stop.cancel();
            }
        }
    }

    /// A queue was let go.
    fn ended(&mut self, connector: Option<String>) {
        let Some(connector) = connector else { return };
        let back = self.open.remove(&connector).is_some_and(|open| open.gone.is_none());
        if back && !self.shutdown.is_cancelled() {
            self.start(connector);
        }
    }
}

/// Consumes one app's queue until `stop`, whatever happens. Returns the connector.
async fn serve(dispatcher: Arc<Dispatcher>, connector: String, hands: Arc<Hands>, stop: CancellationToken) -> String {
    let mut backoff = Backoff::for_workers();
    loop {
        let began = Instant::now();
        let work = consume(Arc::clone(&dispatcher), connector.clone(), Arc::clone(&hands), stop.clone());
        // In a task of its own, so that a panic is a failure like any other.
        let reason = match AbortOnDropHandle::new(tokio::spawn(work)).await {
            Ok(Ok(())) => return connector,
            Ok(Err(error)) => error.report(),
            Err(join) => format!("it panicked: {join}"),
        };
        hands.fill();
        if began.elapsed() >= HEALTHY_AFTER {
            backoff.reset();
        }
        let delay = backoff.next_delay();
        tracing::error!(
            dispatcher = dispatcher.name,
            connector,
            retry_in_ms = delay.as_millis(),
            "the messages of a deployed app could not be consumed: {reason}"
        );
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = stop.cancelled() => return connector,
        }
    }
}

async fn consume(
    dispatcher: Arc<Dispatcher>,
    connector: String,
    hands: Arc<Hands>,
    stop: CancellationToken,
) -> Result<()> {
    let queue = names::outbound(&connector);
    let prefetch = dispatcher.shared.amqp_prefetch_count.unwrap_or(0);
    let consumer = tokio::select! {
        consumer = dispatcher.broker.consume(&queue, prefetch) => consumer?,
        () = stop.cancelled() => return Ok(()),
    };
    hands.empty();
    dispatcher.take(consumer, connector, Channel::Outbound, hands, stop).await
}

#[cfg(test)]
mod tests;
