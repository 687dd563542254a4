//! What all workers here do with a queue: take messages in order, give up those that make no sense, and settle the
//! others together with what came of them.

use tokio_util::sync::CancellationToken;
use vumi_core::feed::worker_name;
use vumi_core::{Backoff, Broker, Consumer, Context, Delivery, Error, Happening, Outgoing, Result};

/// A queue that is being consumed.
pub(crate) struct Intake {
    queue: String,
    consumer: Box<dyn Consumer>,
}

impl Intake {
    /// Starts consuming.
    pub(crate) async fn open(context: &Context, queue: &str, prefetch: u16) -> Result<Self> {
        let consumer = context.broker.consume(queue, prefetch).await?;
        Ok(Self { queue: queue.to_owned(), consumer })
    }

    /// The next message; `None` when the worker is to stop.
    pub(crate) async fn next(&mut self, stop: &CancellationToken) -> Result<Option<Delivery>> {
        tokio::select! {
            delivery = self.consumer.next() => match delivery {
                Some(delivery) => Ok(Some(delivery)),
                None if stop.is_cancelled() => Ok(None),
                None => Err(Error::temporary(format!("the broker closed the queue {}", self.queue))),
            },
            () = stop.cancelled() => Ok(None),
        }
    }
}

/// Tells the feed that a worker works, and where it listens.
pub(crate) fn ready(context: &Context, at: Option<String>) {
    let name = worker_name("worker", &context.name);
    context.feed.tell(|| Happening::Ready { name, at });
}

/// Gives a message up.
///
/// # Errors
/// When the broker does not take it among the dead letters; it goes back to its queue.
pub(crate) async fn reject(worker: &str, mut delivery: Delivery, reason: &str) -> Result<()> {
    tracing::error!(worker, "a message goes to the dead letters: {reason}");
    delivery.reject(reason).await?;
    Ok(())
}

/// Settles a message and publishes what came of it. A full queue holds it up.
///
/// # Errors
/// Never for a broker that is away for the moment: it tries until `stop` ends, and then gives the message back.
pub(crate) async fn pass_on(
    context: &Context,
    mut delivery: Delivery,
    outgoing: Vec<Outgoing>,
    stop: &CancellationToken,
) -> Result<()> {
    for copy in &outgoing {
        if wait_for_room(&*context.broker, &context.name, &copy.queue, stop).await.is_none() {
            delivery.release();
            return Ok(());
        }
    }
    let mut backoff = Backoff::for_messages();
    loop {
        let error = match delivery.done(outgoing.clone()).await {
            // A failed confirm puts the delivery back by itself, so there is nothing to wait for.
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        if !error.is_temporary() {
            return reject(&context.name, delivery, &error.report()).await;
        }
        tracing::warn!(worker = context.name, "a message is tried again: {}", error.report());
        tokio::select! {
            () = tokio::time::sleep(backoff.next_delay()) => {}
            () = stop.cancelled() => {
                delivery.release();
                return Ok(());
            }
        }
    }
}

/// `None` when the worker is to stop.
async fn wait_for_room(broker: &dyn Broker, worker: &str, queue: &str, stop: &CancellationToken) -> Option<()> {
    if broker.has_room(queue) {
        return Some(());
    }
    tracing::warn!(worker, queue, "the queue is full and holds this worker up: is there a worker that consumes it?");
    tokio::select! {
        () = broker.room(queue) => Some(()),
        () = stop.cancelled() => None,
    }
}
