//! What collectors have in common: they consume aggregates and hand each value on, and a message is done when its last
//! value is.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use vumi_core::{Backoff, Context, Result, names};

use super::intake::{Intake, reject};
use super::message::{Datapoint, MetricMessage};

/// Where a collector brings values.
#[async_trait]
pub(super) trait Destination: Send {
    /// Brings all values of one message, in order. A temporary error is tried again; a permanent one gives the
    /// message up.
    async fn deliver(&mut self, points: &[Datapoint]) -> Result<()>;
}

/// Delays between attempts: half a second, doubling, at most half a minute.
fn patience() -> Backoff {
    Backoff::new(Duration::from_millis(500), 2.0, Duration::from_secs(30))
}

/// Brings all aggregates to `destination`, until `stop` ends. While that is away the aggregates stay in their queue,
/// whose bound is theirs.
pub(super) async fn collect(
    context: &Context,
    prefetch: u16,
    mut destination: impl Destination,
    stop: &CancellationToken,
) -> Result<()> {
    let mut intake = Intake::open(context, names::METRIC_AGGREGATES, prefetch).await?;
    super::intake::ready(context, None);
    let mut backoff = patience();
    while let Some(mut delivery) = intake.next(stop).await? {
        let message = match MetricMessage::parse(&delivery.body) {
            Ok(message) => message,
            Err(reason) => {
                reject(&context.name, delivery, &reason).await?;
                continue;
            }
        };
        loop {
            let delivered = tokio::select! {
                delivered = destination.deliver(&message.datapoints) => delivered,
                () = stop.cancelled() => {
                    delivery.release();
                    return Ok(());
                }
            };
            match delivered {
                Ok(()) => {
                    if backoff.failures() > 0 {
                        tracing::info!(worker = context.name, "aggregates are delivered again");
                        backoff.reset();
                    }
                    delivery.ack().await?;
                    break;
                }
                Err(error) if !error.is_temporary() => {
                    reject(&context.name, delivery, &error.report()).await?;
                    break;
                }
                Err(error) => {
                    if backoff.failures() == 0 {
                        tracing::warn!(worker = context.name, "aggregates wait: {}", error.report());
                    }
                    tokio::select! {
                        () = tokio::time::sleep(backoff.next_delay()) => {}
                        () = stop.cancelled() => {
                            delivery.release();
                            return Ok(());
                        }
                    }
                }
            }
        }
    }
    Ok(())
}
