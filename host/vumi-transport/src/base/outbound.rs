//! Outbound messages: taken from the queue, sent through the transport, and reported.
//!
//! Messages to one user go out in order, different users side by side. Whatever becomes of a message (an ack, a nack,
//! a failure) leaves for its queue in the same step in which the message leaves the outbound queue, where the broker
//! can do that. The steps in between are ordered so that a stop at any moment neither loses a message nor, where the
//! network allows it at all, sends it twice: first the network, then the record that it was sent, then the report.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use vumi_core::{Backoff, Delivery, Error, Lanes, Result, names, trace};
use vumi_message::{DEFAULT_ENDPOINT, UserMessage};

use super::carry::Undone;
use super::journal::Entry;
use super::sent::SentRecord;
use super::worker::Common;

/// Deliveries of one message that never ended, i.e. during which the host went down.
const DELIVERIES: u32 = 10;

/// How long messages that are being sent may take to finish when the worker stops. What has not finished then goes
/// back to its queue when the process ends.
const DRAIN: Duration = Duration::from_secs(10);

/// The reason of a failure with `when_unsure: fail`.
pub(super) const UNSURE: &str = "the host stopped while the message was being sent: it is unknown whether it arrived";

/// The outbound side of one transport.
pub(super) struct Outbound {
    pub(super) common: Arc<Common>,
    pub(super) sent: SentRecord,
    pub(super) halt: CancellationToken,
    /// The record cannot be written at the moment.
    pub(super) forgetful: AtomicBool,
}

impl Outbound {
    pub(super) fn new(common: Arc<Common>, halt: CancellationToken) -> Self {
        let worker = &common.worker;
        let ttl = Duration::from_secs(u64::from(worker.shared.sent_record_hours) * 3600);
        let sent = SentRecord::new(Arc::clone(&worker.kv), &worker.name, ttl);
        Self { common, sent, halt, forgetful: AtomicBool::new(false) }
    }

    pub(super) fn name(&self) -> &str {
        self.common.name()
    }

    /// Takes messages until told to halt, always when the transport is ready and the events have room.
    ///
    /// # Errors
    /// When the queue cannot be consumed, or the broker closes it.
    pub(super) async fn take(self: Arc<Self>, lanes: &Lanes, backoff: &mut Backoff) -> Result<()> {
        if !self.ready().await {
            return Ok(());
        }
        let prefetch = self.common.worker.shared.amqp_prefetch_count.unwrap_or(0);
        let mut consumer = self.common.worker.broker.consume(&names::outbound(self.name()), prefetch).await?;
        backoff.reset();
        while self.ready().await && self.events_have_room().await {
            let delivery = tokio::select! {
                biased;
                () = self.halt.cancelled() => break,
                delivery = consumer.next() => delivery,
            };
            let Some(delivery) = delivery else {
                return Err(Error::temporary("the broker closed the outbound queue"));
            };
            match UserMessage::from_json(&delivery.body) {
                Ok(message) if message.endpoint() != DEFAULT_ENDPOINT => self.refuse_endpoint(&message, delivery).await,
                Ok(message) => {
                    let this = Arc::clone(&self);
                    lanes.submit(lane_of(&message), async move { this.handle(message, delivery).await });
                }
                Err(error) => self.give_up(delivery, &format!("invalid message: {error}")).await,
            }
        }
        // The consumer lives until the messages that it gave are settled: what is not settled when it goes away
        // comes back to the queue.
        if tokio::time::timeout(DRAIN, lanes.idle()).await.is_err() {
            tracing::warn!(
                transport = self.name(),
                "messages are still being sent after {DRAIN:?}; stopping without them"
            );
        }
        Ok(())
    }

    /// Waits until the queue of events has room; false when the worker stops.
    async fn events_have_room(&self) -> bool {
        let (broker, events) = (&self.common.worker.broker, names::event(self.name()));
        if broker.has_room(&events) {
            return true;
        }
        tracing::debug!(transport = self.name(), "outbound messages wait: the queue {events} is full");
        tokio::select! {
            () = broker.room(&events) => true,
            () = self.halt.cancelled() => false,
        }
    }

    /// One message, when its lane is free.
    async fn handle(&self, message: UserMessage, delivery: Delivery) {
        let (transport, message_id) = (self.name(), message.message_id());
        let span = tracing::debug_span!("outbound", otel.kind = "consumer", transport, message_id);
        trace::adopt(&span, delivery.trace.as_deref());
        self.handle_traced(message, delivery).instrument(span).await;
    }

    async fn handle_traced(&self, message: UserMessage, delivery: Delivery) {
        if delivery.attempts > DELIVERIES {
            let ends = delivery.attempts - 1;
            return self.give_up(delivery, &format!("delivered {ends} times without an end")).await;
        }
        if !self.ready().await {
            return delivery.release();
        }
        match self.carry(message).await {
            Ok((message, outcome)) => self.settle(delivery, &message, outcome).await,
            // The delivery goes back to its queue and waits there for the next start.
            Err(Undone::Halted) => delivery.release(),
            Err(Undone::GaveUp(reason)) => self.give_up(delivery, &reason).await,
        }
    }

    /// Waits until the transport is ready; false when the worker stops.
    async fn ready(&self) -> bool {
        if !self.common.worker.readiness.is_ready() {
            tokio::select! {
                _ = self.common.worker.readiness.wait() => {}
                () = self.halt.cancelled() => return false,
            }
        }
        !self.halt.is_cancelled()
    }

    /// A transport serves the default endpoint (transport specification "common", C2).
    async fn refuse_endpoint(&self, message: &UserMessage, mut delivery: Delivery) {
        tracing::warn!(
            transport = self.name(),
            endpoint = message.endpoint(),
            message_id = message.message_id(),
            "No outbound handler for '{}': a message to another endpoint than `default` is dropped",
            self.name()
        );
        self.common.meters.dropped.increment(1);
        if let Err(error) = delivery.ack().await {
            self.again(delivery, &error);
        }
    }

    pub(super) async fn give_up(&self, mut delivery: Delivery, reason: &str) {
        tracing::error!(transport = self.name(), "a message goes to the dead letters: {reason}");
        self.common.meters.dead_letters.increment(1);
        if let Err(error) = delivery.reject(reason).await {
            self.again(delivery, &error);
        }
    }

    /// Gives a message back that the broker does not let go.
    fn again(&self, delivery: Delivery, error: &Error) {
        let delay = Backoff::for_messages().delay_after(delivery.attempts);
        tracing::warn!(
            transport = self.name(),
            retry_in_ms = delay.as_millis(),
            "a message could not be settled and will come again: {}",
            error.report()
        );
        delivery.retry(delay);
    }
}

/// The record of an outbound message.
pub(super) fn outbound_entry(message: &UserMessage) -> Entry<'_> {
    Entry { direction: "outbound", id: message.message_id(), user: message.to_addr(), body: message.to_json() }
}

/// Messages to one user, or to one group, keep their order.
fn lane_of(message: &UserMessage) -> String {
    message.to_addr().or(message.group()).unwrap_or_default().to_owned()
}
