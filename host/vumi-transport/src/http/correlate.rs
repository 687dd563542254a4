//! Which message a network means when it reports later: the id that it gave at acceptance leads back to ours.
//!
//! A network names its own id in delivery reports. [`HttpLink::remember`] keeps the pair when a message is accepted,
//! [`HttpLink::recall`] finds it again. The pairs are kept in the system's kv as `remote:<transport name>:<id>`, each
//! for a time that its transport chooses, so that they outlive the process and are shared by all of a cluster.

use std::time::Duration;

use vumi_core::Result;
use vumi_message::{DeliveryStatus, Event, Payload};

use super::link::HttpLink;
use super::overtaken::find_soon;

/// Bytes that a network's id may have. A longer one is no id, and would only fill kv.
pub(super) const LONGEST: usize = 512;

/// What a network reports about a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The network's id of the message.
    pub remote_id: String,
    /// How far it has got.
    pub status: DeliveryStatus,
    /// The event's `transport_metadata`.
    pub metadata: Payload,
}

impl HttpLink {
    /// Keeps that the network calls the message `message_id` by `remote_id`, for `ttl`. Where kv is away this is only
    /// logged: the network has taken the message, and sending it again would be worse than a report without a message.
    pub async fn remember(&self, remote_id: &str, message_id: &str, ttl: Duration) {
        if !is_id(remote_id) {
            tracing::warn!(transport = self.name(), message_id, "the network's id cannot be kept for reports");
            return;
        }
        if let Err(error) = self.kv().set(&self.remote(remote_id), message_id, Some(ttl)).await {
            let (transport, why) = (self.name(), error.report());
            tracing::warn!(transport, message_id, remote_id, "the network's id is not kept for reports: {why}");
        }
    }

    /// Our id of the message that the network calls `remote_id`; `None` when it is not known, or not any more.
    ///
    /// # Errors
    /// Those of kv.
    pub async fn recall(&self, remote_id: &str) -> Result<Option<String>> {
        if is_id(remote_id) { self.kv().get(&self.remote(remote_id)).await } else { Ok(None) }
    }

    /// Our ids of the messages that reports are about. A report may overtake the answer that names its id, so where
    /// one is not known, all of them wait for it together: see [`find_soon`].
    ///
    /// # Errors
    /// Those of kv.
    pub async fn recall_soon(&self, remote_ids: &[&str]) -> Result<Vec<Option<String>>> {
        find_soon(remote_ids, |remote_id| self.recall(remote_id)).await
    }

    /// Publishes delivery reports, in their order; without a message's id where it is not known, as Vumi did.
    ///
    /// # Errors
    /// Those of kv and of the broker.
    pub async fn report(&self, reports: Vec<Report>) -> Result<()> {
        let ids: Vec<&str> = reports.iter().map(|report| report.remote_id.as_str()).collect();
        let known = self.recall_soon(&ids).await?;
        for (Report { remote_id, status, metadata }, message_id) in reports.into_iter().zip(known) {
            if message_id.is_none() {
                let remote_id: String = remote_id.chars().take(100).collect();
                tracing::warn!(
                    transport = self.name(),
                    remote_id,
                    "a delivery report is about no message that is known"
                );
            }
            let event = Event::delivery_report(message_id.as_deref(), status).with_transport(self.name(), metadata);
            self.event(event).await?;
        }
        Ok(())
    }

    fn remote(&self, remote_id: &str) -> String {
        format!("remote:{}:{remote_id}", self.name())
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST
}
