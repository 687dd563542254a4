//! A dispatcher at work: consumes from both sides, asks its router, hands on.
//!
//! A message is removed from the queue it came from in the same step in which its copies enter the queues they go
//! to, where the broker can do that; so a dispatcher neither loses a message nor doubles one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use vumi_core::feed::worker_name;
use vumi_core::{
    Backoff, Broker, Channel, Consumer, Delivery, Direction, Error, Feed, Flow, Happening, Hook, Outgoing, Result,
    Route, Router, Stack, names, trace,
};
use tracing::Instrument;
use vumi_message::{Event, Message};

use crate::shared::DispatcherShared;

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
    /// Messages for which the router named no target.
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
    /// When a queue cannot be consumed.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let prefetch = self.shared.amqp_prefetch_count.unwrap_or(0);
        let mut work = tokio::task::JoinSet::new();
        for transport in &self.shared.transport_names {
            for (channel, queue) in
                [(Channel::Inbound, names::inbound(transport)), (Channel::Event, names::event(transport))]
            {
                let consumer = self.broker.consume(&queue, prefetch).await?;
                work.spawn(Arc::clone(&self).take(consumer, transport.clone(), channel, shutdown.clone()));
            }
        }
        for exposed in &self.shared.exposed_names {
            let consumer = self.broker.consume(&names::outbound(exposed), prefetch).await?;
            work.spawn(Arc::clone(&self).take(consumer, exposed.clone(), Channel::Outbound, shutdown.clone()));
        }
        let name = worker_name("dispatcher", &self.name);
        self.feed.tell(|| Happening::Ready { name, at: None });
        while let Some(ended) = work.join_next().await {
            ended.map_err(|error| Error::temporary("a dispatcher's loop panicked").because(error))??;
        }
        Ok(())
    }

    /// One queue, in order.
    async fn take(
        self: Arc<Self>,
        mut consumer: Box<dyn Consumer>,
        connector: String,
        channel: Channel,
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
            let span = tracing::debug_span!("dispatch", otel.kind = "consumer", dispatcher = self.name, connector);
            trace::adopt(&span, delivery.trace.as_deref());
            match self.handle(delivery, &connector, channel, &shutdown).instrument(span).await {
                Ok(()) => backoff.reset(),
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
        let outgoing = match self.decide(message, connector, channel).await {
            Ok(outgoing) => outgoing,
            Err(error) if error.is_temporary() => return Err(error),
            Err(error) => {
                tracing::error!(
                    dispatcher = self.name,
                    connector,
                    "a message could not be dispatched: {}",
                    error.report()
                );
                delivery.reject(&error.report()).await?;
                return Ok(());
            }
        };
        if channel != Channel::Event {
            for copy in &outgoing {
                // A full queue holds this one up, and so its source; events pass, for replies drain by them.
                tokio::select! {
                    () = self.broker.room(&copy.queue) => {}
                    () = shutdown.cancelled() => {
                        delivery.release();
                        return Ok(());
                    }
                }
            }
        }
        match delivery.done(outgoing).await {
            Err(error) if !error.is_temporary() => {
                tracing::error!(dispatcher = self.name, "a message goes to the dead letters: {}", error.report());
                delivery.reject(&error.report()).await?;
            }
            // A failed confirm puts the delivery back by itself, so there is nothing to wait for.
            done => drop(done?),
        }
        self.passed.count(channel);
        Ok(())
    }

    async fn decide(&self, message: Message, connector: &str, channel: Channel) -> Result<Vec<Outgoing>> {
        let hook = Hook { direction: Direction::Consume, channel };
        let id = message.message_id().unwrap_or_default().to_owned();
        let message = match self.stack.pass(hook, connector, message).await? {
            Flow::Continue(message) => message,
            Flow::Stop(reason) => {
                tracing::debug!(dispatcher = self.name, connector, "middleware stopped a message: {reason}");
                return Ok(nack(&id, &reason, connector, channel));
            }
        };
        let targets = match self.router.route(connector, channel, &message).await? {
            Route::To(targets) => targets,
            Route::Discarded => {
                tracing::debug!(dispatcher = self.name, connector, message_id = id, "the router discards a message");
                return Ok(Vec::new());
            }
            Route::Nowhere(reason) => {
                tracing::error!(dispatcher = self.name, connector, message_id = id, "no route for a message: {reason}");
                self.unroutable();
                return Ok(Vec::new());
            }
            Route::Refused(reason) => {
                tracing::warn!(dispatcher = self.name, connector, message_id = id, "{reason}");
                self.unroutable();
                return Ok(nack(&id, &reason, connector, channel));
            }
        };
        let mut outgoing = Vec::with_capacity(targets.len());
        for target in targets {
            let hook = Hook { direction: Direction::Publish, channel: target.channel };
            match self.stack.pass(hook, &target.connector, target.message).await? {
                Flow::Continue(message) => outgoing.push(Outgoing {
                    queue: target.channel.queue(&target.connector),
                    body: Bytes::from(message.to_json()),
                }),
                Flow::Stop(reason) => {
                    tracing::debug!(dispatcher = self.name, target.connector, "middleware dropped a copy: {reason}");
                }
            }
        }
        Ok(outgoing)
    }

    fn unroutable(&self) {
        self.passed.unroutable.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("vumi_unroutable_total", "dispatcher" => self.name.clone()).increment(1);
    }
}

/// An outbound message that is stopped is answered with a nack (specification: routing names, section 4).
fn nack(message_id: &str, reason: &str, connector: &str, channel: Channel) -> Vec<Outgoing> {
    if channel != Channel::Outbound {
        return Vec::new();
    }
    let event = Event::nack(message_id, reason);
    vec![Outgoing { queue: names::event(connector), body: Bytes::from(event.to_json()) }]
}
