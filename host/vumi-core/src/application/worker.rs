//! An app at work: takes messages and events from its queues, runs the app on each, acknowledges.
//!
//! Messages of one conversation run in order, conversations side by side. A message is acknowledged only after its
//! run ended and everything that it sent is safe. A guest that fails is not run again on the same message; a fault
//! of the host is, with growing delays, and after too many of those the message goes to the dead letters.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use vumi_message::Message;

use super::{Application, Input};
use crate::backoff::Backoff;
use crate::broker::{Broker, Consumer, Delivery};
use crate::error::{Error, Result};
use crate::feed::{Feed, Happening, worker_name};
use crate::lanes::Lanes;
use crate::middleware::{Channel, Direction, Flow, Hook, Stack};
use crate::{names, trace};

/// Tries of one message within one delivery, when the host could not do its part.
const TRIES: u32 = 10;

/// Deliveries of one message that never ended, i.e. during which the host went down.
const DELIVERIES: u32 = 10;

/// See the module's text.
pub struct AppWorker {
    /// The app.
    pub app: Arc<dyn Application>,
    /// Its connector.
    pub connector: String,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// The live feed.
    pub feed: Feed,
    /// Its middleware.
    pub stack: Stack,
    /// Messages taken from each queue ahead of their turn.
    pub prefetch: u16,
    /// Conversations side by side.
    pub parallel: usize,
    /// Endpoints from which messages are taken; `None` for all.
    pub inbound_endpoints: Option<Vec<String>>,
}

impl AppWorker {
    /// Works until `shutdown` ends, then finishes what has begun.
    ///
    /// # Errors
    /// When a queue cannot be consumed.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let lanes = Lanes::new(self.parallel);
        self.broker.declare(&names::outbound(&self.connector)).await?;
        let mut inbound = self.broker.consume(&names::inbound(&self.connector), self.prefetch).await?;
        let mut events = self.broker.consume(&names::event(&self.connector), self.prefetch).await?;
        let name = worker_name("app", self.app.name());
        self.feed.tell(|| Happening::Ready { name, at: None });
        let messages = Arc::clone(&self).take(&mut *inbound, Channel::Inbound, lanes.clone(), shutdown.clone());
        let reports = Arc::clone(&self).take(&mut *events, Channel::Event, lanes.clone(), shutdown.clone());
        // Whichever ends first for a reason of its own ends the others.
        let serving = Arc::clone(&self.app).serve(shutdown.clone());
        let answer = tokio::try_join!(messages, reports, serving);
        // The consumers live until everything that they gave is settled.
        lanes.idle().await;
        answer.map(drop)
    }

    async fn take(
        self: Arc<Self>,
        consumer: &mut dyn Consumer,
        channel: Channel,
        lanes: Lanes,
        shutdown: CancellationToken,
    ) -> Result<()> {
        let outbound = names::outbound(&self.connector);
        // Middleware sees events in any case.
        let looked_at = channel != Channel::Event || self.app.takes_events() || !self.stack.is_empty();
        loop {
            // New messages wait while the replies to earlier ones pile up. Events never wait: replies drain
            // through the transports, and those must be able to report.
            if channel == Channel::Inbound && !self.broker.has_room(&outbound) {
                tokio::select! {
                    () = self.broker.room(&outbound) => {}
                    () = shutdown.cancelled() => return Ok(()),
                }
            }
            let delivery = tokio::select! {
                delivery = consumer.next() => delivery,
                () = shutdown.cancelled() => return Ok(()),
            };
            let Some(delivery) = delivery else {
                return if shutdown.is_cancelled() {
                    Ok(())
                } else {
                    Err(Error::temporary("the broker closed the app's queue"))
                };
            };
            match channel.parse(&delivery.body) {
                Ok(_) if !looked_at => settle(delivery).await,
                Ok(message) => {
                    let lane = lane_of(&message);
                    let worker = Arc::clone(&self);
                    let shutdown = shutdown.clone();
                    lanes.submit(lane, async move { worker.handle(message, channel, delivery, shutdown).await });
                }
                Err(reason) => give_up(delivery, &reason).await,
            }
        }
    }

    async fn handle(&self, message: Message, channel: Channel, delivery: Delivery, shutdown: CancellationToken) {
        let id = message.message_id().unwrap_or_default();
        let span = tracing::debug_span!("app", otel.kind = "consumer", app = self.app.name(), message_id = id);
        trace::adopt(&span, delivery.trace.as_deref());
        self.handle_traced(message, channel, delivery, shutdown).instrument(span).await;
    }

    async fn handle_traced(&self, message: Message, channel: Channel, delivery: Delivery, shutdown: CancellationToken) {
        if delivery.attempts > DELIVERIES {
            let reason =
                format!("delivered {} times without an end: the host went down during each", delivery.attempts - 1);
            return give_up(delivery, &reason).await;
        }
        if shutdown.is_cancelled() {
            // What has not begun waits in its queue for the next start.
            return delivery.release();
        }
        if !self.takes(&message) {
            return settle(delivery).await;
        }
        let hook = Hook { direction: Direction::Consume, channel };
        let arrived = if self.stack.is_empty() { Arrived::Ready(input(message)) } else { Arrived::Raw(message) };
        let mut backoff = Backoff::for_messages();
        loop {
            let problem = match self.prepare(hook, &arrived).await {
                Ok(Prepared::Go(input)) => match self.run_once(input).await {
                    Ok(()) => return settle(delivery).await,
                    Err(problem) => problem,
                },
                Ok(Prepared::Stopped(reason)) => {
                    tracing::debug!(connector = self.connector, "middleware stopped a message: {reason}");
                    return settle(delivery).await;
                }
                Err(error) if error.is_temporary() => error.report(),
                Err(error) => {
                    tracing::error!(connector = self.connector, "middleware failed on a message: {}", error.report());
                    return settle(delivery).await;
                }
            };
            let delay = backoff.next_delay();
            if backoff.failures() >= TRIES {
                return give_up(delivery, &format!("tried {TRIES} times: {problem}")).await;
            }
            tracing::warn!(
                app = self.app.name(),
                retry_in_ms = delay.as_millis(),
                "a message is tried again: {problem}"
            );
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                // It goes back to its queue and waits there for the next start.
                () = shutdown.cancelled() => return delivery.release(),
            }
        }
    }

    /// Whether the app takes messages from this one's endpoint: as it was sent, whatever middleware makes of it.
    fn takes(&self, message: &Message) -> bool {
        let (Message::User(message), Some(taken)) = (message, &self.inbound_endpoints) else { return true };
        let endpoint = message.endpoint();
        let takes = taken.iter().any(|name| name == endpoint);
        if !takes {
            tracing::warn!(connector = self.connector, endpoint, "No inbound handler for '{}'", self.connector);
        }
        takes
    }

    /// What the app is given, after middleware has seen it. Each try sees the message as it came.
    async fn prepare(&self, hook: Hook, arrived: &Arrived) -> Result<Prepared> {
        Ok(match arrived {
            Arrived::Ready(input) => Prepared::Go(input.clone()),
            Arrived::Raw(message) => match self.stack.pass(hook, &self.connector, message.clone()).await? {
                Flow::Continue(message) => Prepared::Go(input(message)),
                Flow::Stop(reason) => Prepared::Stopped(reason),
            },
        })
    }

    /// One run; an error is the host's problem with it.
    async fn run_once(&self, input: Option<Input>) -> Result<(), String> {
        let Some(input) = input.filter(|input| self.app.takes_events() || matches!(input, Input::Message(_))) else {
            return Ok(());
        };
        let handled = self.app.handle(&input).await;
        for confirm in handled.confirms {
            confirm.await.map_err(|error| error.report())?;
        }
        handled.again.map_or(Ok(()), Err)
    }
}

/// A message as the queue gave it.
enum Arrived {
    /// Of no concern to middleware: all tries share it.
    Ready(Option<Input>),
    /// To pass the middleware first.
    Raw(Message),
}

/// A message that middleware has seen.
enum Prepared {
    /// For the app; `None` is nothing that an app is given.
    Go(Option<Input>),
    /// Middleware let it go no further, for this reason.
    Stopped(String),
}

fn input(message: Message) -> Option<Input> {
    match message {
        Message::User(message) => Some(Input::Message(Arc::new(message))),
        Message::Event(event) => Some(Input::Event(Arc::new(event))),
        // These queues carry no other kind.
        Message::Status(_) | Message::Failure(_) => None,
    }
}

/// The conversation that a message belongs to.
fn lane_of(message: &Message) -> String {
    match message {
        Message::User(message) => {
            format!("{}\0{}", message.transport_name().unwrap_or_default(), message.user().unwrap_or_default())
        }
        Message::Event(event) => format!("\0{}", event.user_message_id().unwrap_or_default()),
        Message::Status(_) | Message::Failure(_) => String::new(),
    }
}

async fn settle(mut delivery: Delivery) {
    // Whether the acknowledgement itself is safe need not be awaited: lost, it means one more run, whose messages
    // are recognised by their ids.
    if let Err(error) = delivery.ack().await {
        tracing::warn!("a message could not be acknowledged and will come again: {}", error.report());
    }
}

async fn give_up(mut delivery: Delivery, reason: &str) {
    tracing::error!("a message goes to the dead letters: {reason}");
    metrics::counter!("vumi_dead_letters_total").increment(1);
    if let Err(error) = delivery.reject(reason).await {
        tracing::warn!("a message could not be given up and will come again: {}", error.report());
    }
}
