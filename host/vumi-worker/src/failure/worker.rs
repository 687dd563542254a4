//! The failure worker at work.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use vumi_core::feed::worker_name;
use vumi_core::{Admission, Channel, Confirm, Context, Delivery, Error, Happening, Result, Worker};
use vumi_message::Message;

use super::records::{Claim, Records};
use crate::every::every;
use crate::taking::{Handler, take};

/// Retries that are on their way to the broker at a time.
const ON_THE_WAY: usize = 100;

pub(super) struct FailureWorker {
    pub(super) context: Context,
    pub(super) prefetch: u16,
    /// Queue of the failures.
    pub(super) failures: String,
    /// Queue of the retries.
    pub(super) retries: String,
    /// Between two looks for retries; zero for none.
    pub(super) period: Duration,
    pub(super) records: Records,
}

#[async_trait]
impl Worker for FailureWorker {
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let broker = &self.context.broker;
        broker.declare(&self.retries).await?;
        broker.declare(&self.failures).await?;
        let consumer = broker.consume(&self.failures, self.prefetch).await?;
        let name = worker_name("worker", &self.context.name);
        self.context.feed.tell(|| Happening::Ready { name, at: None });
        let retrying = async {
            if !self.period.is_zero() {
                every(self.period, &shutdown, || self.send_due(&shutdown)).await;
            }
            Ok(())
        };
        tokio::try_join!(take(&self.context.name, consumer, &*self, &shutdown), retrying).map(drop)
    }
}

#[async_trait]
impl Handler for FailureWorker {
    async fn handle(&self, delivery: &mut Delivery) -> Result<()> {
        let failure = match Channel::Failure.parse(&delivery.body).map_err(Error::permanent)? {
            Message::Failure(failure) => failure,
            other => return Err(Error::permanent(format!("a {} is no failure", other.kind().as_str()))),
        };
        let delay = self.records.keep(&failure, &delivery.body, self.context.clock.now()).await?;
        delivery.ack().await?;
        let code = failure.failure_code().as_str().unwrap_or("unspecified");
        metrics::counter!("vumi_failures_total", "worker" => self.context.name.clone(), "code" => code).increment(1);
        let message_id = failure.message().get("message_id").and_then(|id| id.as_str()).unwrap_or_default();
        match delay {
            Some(seconds) => tracing::debug!(message_id, seconds, "a message that failed is to be sent again"),
            None => tracing::info!(message_id, code, "a message failed for good: {}", last_line(failure.reason())),
        }
        Ok(())
    }
}

impl FailureWorker {
    /// Sends what has fallen due; what cannot be sent is left for the next time.
    async fn send_due(&self, shutdown: &CancellationToken) {
        if let Err(error) = self.try_send_due(shutdown).await {
            tracing::error!(worker = self.context.name, "retries could not be sent: {}", error.report());
        }
    }

    async fn try_send_due(&self, shutdown: &CancellationToken) -> Result<()> {
        while let Some((bucket, keys)) = self.records.due(self.context.clock.now()).await? {
            for keys in keys.chunks(ON_THE_WAY) {
                tokio::select! {
                    () = self.context.broker.room(&self.retries) => {}
                    () = shutdown.cancelled() => return Ok(()),
                }
                self.send(&bucket, keys).await?;
            }
            self.records.forget_if_empty(&bucket).await?;
            if shutdown.is_cancelled() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Sends some retries, and waits until the broker has them.
    async fn send(&self, bucket: &str, keys: &[String]) -> Result<()> {
        let (mut sent, mut outcome) = (Vec::new(), Ok(()));
        for key in keys {
            match self.publish(bucket, key).await {
                Ok(Some(published)) => sent.push(published),
                Ok(None) => {}
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        for (claim, confirm) in sent {
            let settled = match confirm.await {
                Ok(()) => {
                    metrics::counter!("vumi_retries_total", "worker" => self.context.name.clone()).increment(1);
                    self.records.done(&claim).await
                }
                Err(error) => self.unsent(&claim, error).await,
            };
            // The claims of the others must be settled too.
            outcome = outcome.and(settled);
        }
        outcome
    }

    /// Claims a retry and hands it to the broker; `None` when there is nothing to wait for.
    async fn publish(&self, bucket: &str, key: &str) -> Result<Option<(Claim, Confirm)>> {
        let Some(claim) = self.records.claim(bucket, key, self.context.clock.now()).await? else { return Ok(None) };
        let Some(message) = &claim.message else {
            tracing::error!(worker = self.context.name, key, "a retry is dropped: its failure is gone");
            self.records.done(&claim).await?;
            return Ok(None);
        };
        let body = Bytes::copy_from_slice(message.as_bytes());
        match self.context.broker.publish(&self.retries, body, Admission::Inside).await {
            Ok(confirm) => Ok(Some((claim, confirm))),
            Err(error) => self.unsent(&claim, error).await.map(|()| None),
        }
    }

    /// The broker did not take a retry. If it never will, the retry ends here: its failure stays on record.
    async fn unsent(&self, claim: &Claim, error: Error) -> Result<()> {
        if error.is_temporary() {
            return self.records.give_back(claim).await.and(Err(error));
        }
        let (worker, key) = (&self.context.name, &claim.key);
        tracing::error!(worker, key, "a message is not sent again: {}", error.report());
        self.records.done(claim).await
    }
}

/// The reason may be a whole traceback; its last line says what was wrong.
fn last_line(reason: &str) -> &str {
    reason.trim_end().lines().next_back().unwrap_or_default()
}
