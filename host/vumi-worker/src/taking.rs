//! The loop of a worker that takes messages from one queue, in order.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use vumi_core::{Backoff, Consumer, Delivery, Error, Result, trace};

/// What is done with a message.
#[async_trait]
pub(crate) trait Handler: Send + Sync {
    /// Handles one message and settles it. After a temporary error it comes again, after a permanent one it goes to
    /// the dead letters with the error as the reason.
    async fn handle(&self, delivery: &mut Delivery) -> Result<()>;
}

/// Takes messages until `shutdown` ends.
///
/// # Errors
/// When the broker closes the queue, or does not take a dead letter.
pub(crate) async fn take(
    worker: &str,
    mut consumer: Box<dyn Consumer>,
    handler: &dyn Handler,
    shutdown: &CancellationToken,
) -> Result<()> {
    let mut backoff = Backoff::for_messages();
    loop {
        let delivery = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            delivery = consumer.next() => delivery,
        };
        let Some(mut delivery) = delivery else {
            if shutdown.is_cancelled() {
                return Ok(());
            }
            return Err(Error::temporary(format!("the broker closed the queue of the worker {worker}")));
        };
        let span = tracing::debug_span!("work", otel.kind = "consumer", worker);
        trace::adopt(&span, delivery.trace.as_deref());
        match handler.handle(&mut delivery).instrument(span).await {
            Ok(()) => backoff.reset(),
            Err(error) if error.is_temporary() => {
                // What ails this message ails the next one too: the whole queue waits, and keeps its order.
                let delay = backoff.next_delay();
                tracing::warn!(worker, "a message is tried again: {}", error.report());
                tokio::select! {
                    () = tokio::time::sleep(delay) => {}
                    () = shutdown.cancelled() => {
                        delivery.release();
                        return Ok(());
                    }
                }
            }
            Err(error) => {
                let reason = error.report();
                tracing::error!(worker, "a message goes to the dead letters: {reason}");
                delivery.reject(&reason).await?;
            }
        }
    }
}
