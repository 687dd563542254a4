//! [`AmqpBroker`]: queues of RabbitMQ, shared with other hosts and with Vumi's own workers.
//!
//! From the ground up:
//! - `options`, `sentences`, `wire`: what the user says, what he is told, what messages look like.
//! - `connect`, `link`: one TCP connection, and the two that make up the connection to RabbitMQ.
//! - `topology`: which queues and exchanges were declared.
//! - `entry`, `publisher`, `publishing`, `dispatch`: messages on their way out.
//! - `hub`: the local end of a queue that is consumed here, with everything that was delivered and is not settled.
//! - `dead`, `counts`: dead letters and figures.
//! - `shared`, `supervisor`: how RabbitMQ stands, and the task that connects again and again.

mod connect;
mod counts;
mod dead;
mod dispatch;
mod entry;
mod hub;
mod link;
mod options;
mod publisher;
mod publishing;
mod sentences;
mod shared;
mod supervisor;
mod topology;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use vumi_core::{Admission, Broker, Confirm, Consumer, DeadLetter, QueueInfo, Result};

use self::hub::HubSettler;
use self::options::Plan;
use self::shared::{INSIDE, Shared, check_name};
use self::topology::Depth;
use crate::consumer::SeatedConsumer;
use crate::error;

pub use self::options::{AmqpOptions, QueueType};

/// How long the end waits for what is under way.
const LAST_CALL: Duration = Duration::from_secs(5);

/// A broker on RabbitMQ (3.8 or later), with Vumi's names (specification: routing names).
///
/// Messages are persistent, confirmed, and acknowledged by hand. A connection that is lost is made again, for ever;
/// queues are then declared and consumers started again, and what was published and not confirmed is published again.
/// So a message can come twice, never not at all. While there is no connection, consumers wait, and everything else
/// fails with a temporary error that says why.
///
/// Differences to the embedded broker: a queue has no bound here ([`Broker::has_room`] tells whether RabbitMQ takes
/// messages), [`Settle::done`](vumi_core::Settle::done) publishes first and acknowledges then, so that both can happen
/// twice, and attempts are counted in this process: of a message that another host had before is only known that it was
/// delivered (with quorum queues, how often).
///
/// After [`Broker::close`] everything is refused with a temporary error; deliveries that are settled then stay in their
/// queues. Dropping the broker closes it without waiting.
pub struct AmqpBroker {
    shared: Arc<Shared>,
}

impl AmqpBroker {
    /// Opens a broker. The connection is made in the background. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// A permanent error, one sentence for the user, when the options cannot be used.
    pub fn open(options: &AmqpOptions) -> Result<Arc<Self>> {
        let shared = Shared::new(Plan::of(options)?);
        shared.tasks.spawn(supervisor::supervise(Arc::clone(&shared)));
        Ok(Arc::new(Self { shared }))
    }

    /// Why there is no connection, one sentence for the user; none while there is one, or before the first attempt.
    pub fn trouble(&self) -> Option<String> {
        self.shared.standing.borrow().reason.clone()
    }
}

#[async_trait]
impl Broker for AmqpBroker {
    async fn declare(&self, queue: &str) -> Result<()> {
        check_name(queue)?;
        let declared = async {
            let declared = self.shared.declared(queue, Depth::Queue, true).await;
            declared.map_err(|error| dispatch::permanent(&self.shared.plan, error))
        };
        self.shared.within(INSIDE, declared).await
    }

    async fn publish(&self, queue: &str, body: Bytes, admission: Admission) -> Result<Confirm> {
        dispatch::publish(&self.shared, queue, body, admission).await
    }

    fn has_room(&self, _queue: &str) -> bool {
        self.shared.takes_messages() && self.shared.publisher.has_room()
    }

    async fn room(&self, _queue: &str) {
        loop {
            let Ok(_) = self.shared.reached(true).await else { return };
            // A place is taken, and given back at once.
            if self.shared.publisher.reserve(1, 1).await.is_err() || self.has_room("") {
                return;
            }
        }
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Box<dyn Consumer>> {
        check_name(queue)?;
        if self.shared.is_closing() {
            return Err(error::closed());
        }
        let hub = self.shared.hub(queue);
        let (seat, known) = hub.sit(prefetch);
        let settle = Arc::new(HubSettler { hub: Arc::clone(&hub), shared: Arc::clone(&self.shared) });
        let consumer = SeatedConsumer::new(hub, settle, seat);
        // What is published from now on must find the consumer there, also where it is not kept without one.
        if self.is_connected()
            && let Ok(Ok(known)) = tokio::time::timeout(INSIDE, known).await
        {
            known?;
        }
        Ok(Box::new(consumer))
    }

    async fn announce(&self, exchange: &str, key: &str, body: Bytes) -> Result<Confirm> {
        dispatch::announce(&self.shared, exchange, key, body).await
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn is_connected(&self) -> bool {
        self.shared.standing.borrow().link.as_ref().is_some_and(|link| link.is_up())
    }

    async fn queues(&self) -> Result<Vec<QueueInfo>> {
        self.shared.within(INSIDE, counts::queues(&self.shared)).await
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>> {
        check_name(queue)?;
        dead::list(&self.shared, queue, limit).await
    }

    async fn revive(&self, queue: &str, id: u64) -> Result<bool> {
        check_name(queue)?;
        dead::revive(&self.shared, queue, id).await
    }

    async fn bury(&self, queue: &str, id: u64) -> Result<bool> {
        check_name(queue)?;
        dead::bury(&self.shared, queue, id).await
    }

    async fn close(&self) {
        let connected = self.is_connected();
        self.shared.refuse();
        if connected {
            let last = async {
                self.shared.publisher.idle().await;
                // What was settled has been told to RabbitMQ when it answers after that.
                for hub in self.shared.all_hubs() {
                    hub.count().await;
                }
            };
            // What is not confirmed by then stays unsettled.
            let _ = tokio::time::timeout(LAST_CALL, last).await;
        }
        self.shared.closed.cancel();
        self.shared.tasks.close();
        let _ = tokio::time::timeout(LAST_CALL, self.shared.tasks.wait()).await;
    }
}

impl Drop for AmqpBroker {
    fn drop(&mut self) {
        self.shared.refuse();
        self.shared.closed.cancel();
    }
}

impl std::fmt::Debug for AmqpBroker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AmqpBroker").field("connected", &self.is_connected()).finish_non_exhaustive()
    }
}
