//! A dispatcher at work: consumes from both sides, asks its router, hands on.
//!
//! A message is removed from the queue it came from in the same step in which its copies enter the queues they go
//! to, where the broker can do that; so a dispatcher neither loses a message nor doubles one.
//!
//! The connectors of the configuration are consumed for as long as the dispatcher works. Apps that its router knows
//! besides, from a table that changes, are the business of `apps`.

mod apps;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use vumi_core::feed::worker_name;
use vumi_core::{
    Backoff, BindingTable, Broker, Channel, Consumer, Delivery, Direction, Error, Feed, Flow, Happening, Hook,
    Outgoing, Result, Route, Router, Stack, Target, names, trace,
};
use vumi_message::{Event, Message};

use crate::shared::DispatcherShared;
use apps::{Apps, Hands};

/// See the module's text.
pub struct Dispatcher {
    /// The dispatcher's name, for logs.
    pub name: String,
    /// Its connectors.
    pub shared: DispatcherShared,
    /// Decides.
    pub router: Arc<dyn Router>,
    /// Its middleware.
    pub stack: Stack,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// The live feed.
    pub feed: Feed,
    /// What has passed.
    pub passed: Passed,
}

/// What has passed a dispatcher since it was started.
#[derive(Debug, Default)]
pub struct Passed {
    /// Messages from transports to apps.
    pub inbound: AtomicU64,
    /// Messages from apps to transports.
    pub outbound: AtomicU64,
    /// Acks, nacks and delivery reports.
    pub events: AtomicU64,
    /// Messages for which the router named no target, and copies for connectors that the dispatcher does not have.
    pub unroutable: AtomicU64,
}

impl Passed {
    fn count(&self, channel: Channel) {
        let counter = match channel {
            Channel::Inbound => &self.inbound,
            Channel::Outbound => &self.outbound,
            Channel::Event | Channel::Failure | Channel::Status => &self.events,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Dispatcher {
    /// Works until `shutdown` ends.
    ///
    /// # Errors
    /// When a queue of the configuration cannot be consumed. Those of deployed apps are tried again by themselves: one
    /// of them stops nothing else.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let prefetch = self.shared.amqp_prefetch_count.unwrap_or(0);
        let mut work = tokio::task::JoinSet::new();
        for transport in &self.shared.transport_names {
            for (channel, queue) in
                [(Channel::Inbound, names::inbound(transport)), (Channel::Event, names::event(transport))]
            {
                let consumer = self.broker.consume(&queue, prefetch).await?;
                let (taker, hands) = (Arc::clone(&self), Arc::new(Hands::default()));
                work.spawn(taker.take(consumer, transport.clone(), channel, hands, shutdown.clone()));
            }
        }
        for exposed in &self.shared.exposed_names {
            let consumer = self.broker.consume(&names::outbound(exposed), prefetch).await?;
            let (taker, hands) = (Arc::clone(&self), Arc::new(Hands::default()));
            work.spawn(taker.take(consumer, exposed.clone(), Channel::Outbound, hands, shutdown.clone()));
        }
        let mut apps = Apps::new(Arc::clone(&self), shutdown);
        let name = worker_name("dispatcher", &self.name);
        self.feed.tell(|| Happening::Ready { name, at: None });
        let configured = async {
            while let Some(ended) = work.join_next().await {
                ended.map_err(|error| Error::temporary("a dispatcher's loop panicked").because(error))??;
            }
            Ok::<(), Error>(())
        };
        tokio::select! {
            ended = configured => ended?,
            never = apps.follow() => match never {},
        }
        apps.finish().await;
        Ok(())
    }

    /// One queue, in order. `hands` tells others whether a message of it is being worked on.
    async fn take(
        self: Arc<Self>,
        mut consumer: Box<dyn Consumer>,
        connector: String,
        channel: Channel,
        hands: Arc<Hands>,
        shutdown: CancellationToken,
    ) -> Result<()> {
        let mut backoff = Backoff::for_messages();
        loop {
            let delivery = tokio::select! {
                delivery = consumer.next() => delivery,
                () = shutdown.cancelled() => return Ok(()),
            };
            let Some(delivery) = delivery else {
                return if shutdown.is_cancelled() {
                    Ok(())
                } else {
                    Err(Error::temporary(format!("the broker closed a queue of {connector}")))
                };
            };
            hands.fill();
            let span = tracing::debug_span!("dispatch", otel.kind = "consumer", dispatcher = self.name, connector);
            trace::adopt(&span, delivery.trace.as_deref());
            match self.handle(delivery, &connector, channel, &shutdown).instrument(span).await {
                Ok(()) => {
                    backoff.reset();
                    hands.empty();
                }
                Err(error) => {
                    let delay = backoff.next_delay();
                    tracing::warn!(dispatcher = self.name, "a message is tried again: {}", error.report());
                    tokio::select! {
                        () = tokio::time::sleep(delay) => {}
                        () = shutdown.cancelled() => return Ok(()),
                    }
                }
            }
        }
    }

    /// One message. An error returns it to its queue.
    async fn handle(
        &self,
        mut delivery: Delivery,
        connector: &str,
        channel: Channel,
        shutdown: &CancellationToken,
    ) -> Result<()> {
        let message = match channel.parse(&delivery.body) {
            Ok(message) => message,
            Err(reason) => {
                tracing::error!(dispatcher = self.name, "a message goes to the dead letters: {reason}");
                delivery.reject(&reason).await?;
                return Ok(());
            }
        };
        let id = message.message_id().unwrap_or_default().to_owned();
        let outgoing = match self.decide(message, &id, connector, channel).await {
            Ok(outgoing) => outgoing,
            Err(error) if error.is_temporary() => return Err(error),
            Err(error) => {
                tracing::error!(
                    dispatcher = self.name,
                    message_id = id,
                    "Error routing message for {connector}: {}",
                    error.report()
                );
                delivery.reject(&error.report()).await?;
                return Ok(());
            }
        };
        for (_, copy) in outgoing.iter().filter(|(channel, _)| *channel != Channel::Event) {
            // A full queue holds this one up, and so its source; events pass, for replies drain by them.
            tokio::select! {
                () = self.broker.room(&copy.queue) => {}
                () = shutdown.cancelled() => {
                    delivery.release();
                    return Ok(());
                }
            }
        }
        match delivery.done(outgoing.into_iter().map(|(_, copy)| copy).collect()).await {
            Err(error) if !error.is_temporary() => {
                tracing::error!(
                    dispatcher = self.name,
                    message_id = id,
                    "a message goes to the dead letters: {}",
                    error.report()
                );
                delivery.reject(&error.report()).await?;
                return Ok(());
            }
            // A failed confirm puts the delivery back by itself, so there is nothing to wait for.
            done => drop(done?),
        }
        self.passed.count(channel);
        Ok(())
    }

    /// What is to be published for a message, each with the kind of its queue.
    async fn decide(&self, message: Message, id: &str, connector: &str, channel: Channel) -> Result<Vec<Addressed>> {
        let hook = Hook { direction: Direction::Consume, channel };
        let message = match self.stack.pass(hook, connector, message).await? {
            Flow::Continue(message) => message,
            Flow::Stop(reason) => {
                tracing::debug!(dispatcher = self.name, connector, "middleware stopped a message: {reason}");
                return self.nack(id, &reason, connector, channel).await;
            }
        };
        let targets = loop {
            let table = self.table();
            let targets = match self.router.route(connector, channel, &message).await? {
                Route::To(targets) => targets,
                Route::Discarded => {
                    tracing::debug!(
                        dispatcher = self.name,
                        connector,
                        message_id = id,
                        "the router discards a message"
                    );
                    return Ok(Vec::new());
                }
                Route::Nowhere(reason) => {
                    tracing::error!(
                        dispatcher = self.name,
                        connector,
                        message_id = id,
                        "no route for a message: {reason}"
                    );
                    self.unroutable();
                    return Ok(Vec::new());
                }
                Route::Refused(reason) => {
                    tracing::warn!(dispatcher = self.name, connector, message_id = id, "{reason}");
                    self.unroutable();
                    return self.nack(id, &reason, connector, channel).await;
                }
            };
            // Looked up once, since the table may change at any moment.
            let targets: Vec<(Target, bool)> = targets
                .into_iter()
                .map(|target| {
                    let reached = self.reaches(&target);
                    (target, reached)
                })
                .collect();
            // An app that went while the router thought is no reason to lose the message: it is decided anew.
            if targets.iter().all(|(_, reached)| *reached) || same(table.as_ref(), self.table().as_ref()) {
                break targets;
            }
        };
        let mut outgoing = Vec::with_capacity(targets.len());
        for (target, reached) in targets {
            if reached {
                outgoing.extend(self.copy(target).await?);
            } else {
                let (to, way) = (target.connector, target.channel);
                tracing::error!(
                    dispatcher = self.name,
                    connector,
                    message_id = id,
                    to,
                    ?way,
                    "no route for a copy: the dispatcher does not have the connector that its router names"
                );
                self.unroutable();
            }
        }
        Ok(outgoing)
    }

    /// Whether a target is one of this dispatcher's queues. A router may be somebody's guest: whatever name it gives,
    /// it reaches no other.
    fn reaches(&self, target: &Target) -> bool {
        match target.channel {
            Channel::Inbound | Channel::Event => self.has_app(&target.connector),
            Channel::Outbound => self.shared.transport_names.contains(&target.connector),
            Channel::Failure | Channel::Status => false,
        }
    }

    /// Whether there is such an app now: in the configuration, or in the router's table.
    fn has_app(&self, connector: &str) -> bool {
        self.shared.exposed_names.iter().any(|name| name == connector)
            || (self.may_deploy(connector) && self.table().is_some_and(|table| table.app(connector).is_some()))
    }

    /// Whether a deployed app may have this connector. One that is called like a transport would take the transport's
    /// own messages.
    fn may_deploy(&self, connector: &str) -> bool {
        !self.shared.transport_names.iter().any(|name| name == connector)
    }

    /// The router's table as it is now.
    fn table(&self) -> Option<Arc<BindingTable>> {
        self.router.bindings().map(|watch| Arc::clone(&watch.borrow()))
    }

    /// A copy as it leaves the middleware, unless that stops it.
    async fn copy(&self, target: Target) -> Result<Option<Addressed>> {
        let Target { connector, channel, message } = target;
        let hook = Hook { direction: Direction::Publish, channel };
        match self.stack.pass(hook, &connector, message).await? {
            Flow::Continue(message) => {
                let outgoing = Outgoing { queue: channel.queue(&connector), body: Bytes::from(message.to_json()) };
                Ok(Some((channel, outgoing)))
            }
            Flow::Stop(reason) => {
                tracing::debug!(dispatcher = self.name, connector, "middleware dropped a copy: {reason}");
                Ok(None)
            }
        }
    }

    /// An outbound message that is stopped is answered with a nack (specification: routing names, section 4).
    async fn nack(&self, id: &str, reason: &str, connector: &str, channel: Channel) -> Result<Vec<Addressed>> {
        // An app that is gone has nobody who could be told.
        if channel != Channel::Outbound || !self.has_app(connector) {
            return Ok(Vec::new());
        }
        let message = Message::Event(Event::nack(id, reason));
        let target = Target { connector: connector.to_owned(), channel: Channel::Event, message };
        Ok(self.copy(target).await?.into_iter().collect())
    }

    fn unroutable(&self) {
        self.passed.unroutable.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("vumi_unroutable_total", "dispatcher" => self.name.clone()).increment(1);
    }
}

/// Whether two readings of the table found the very same one.
fn same(before: Option<&Arc<BindingTable>>, now: Option<&Arc<BindingTable>>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => Arc::ptr_eq(before, now),
        (before, now) => before.is_none() && now.is_none(),
    }
}

/// A body for a queue of this kind.
type Addressed = (Channel, Outgoing);

#[cfg(test)]
mod tests;
