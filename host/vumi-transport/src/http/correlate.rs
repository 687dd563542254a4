//! Which message a network means when it reports later: the id that it gave at acceptance leads back to ours.
//!
//! A network names its own id in delivery reports. [`HttpLink::remember`] keeps the pair when a message is accepted,
//! [`HttpLink::recall`] finds it again. The pairs are kept in the system's kv as `remote:<transport name>:<id>`, each
//! for a time that its transport chooses, so that they outlive the process and are shared by all of a cluster.

use std::time::Duration;

use vumi_core::Result;
use vumi_message::{DeliveryStatus, Event, Payload};

use super::link::HttpLink;

/// Bytes that a network's id may have. A longer one is no id, and would only fill kv.
const LONGEST: usize = 512;

/// How often [`HttpLink::recall`] looks for an id that is not there yet, and how long it waits in between.
const LOOKS: u32 = 6;
const GAP: Duration = Duration::from_millis(150);

impl HttpLink {
    /// Keeps that the network calls the message `message_id` by `remote_id`, for `ttl`. Where kv is away this is only
    /// logged: the network has taken the message, and sending it again would be worse than a report without a message.
    pub async fn remember(&self, remote_id: &str, message_id: &str, ttl: Duration) {
        if remote_id.is_empty() || remote_id.len() > LONGEST {
            tracing::warn!(transport = self.name(), message_id, "the network's id cannot be kept for reports");
            return;
        }
        if let Err(error) = self.kv().set(&self.remote(remote_id), message_id, Some(ttl)).await {
            let (transport, why) = (self.name(), error.report());
            tracing::warn!(transport, message_id, remote_id, "the network's id is not kept for reports: {why}");
        }
    }

    /// Our id of the message that the network calls `remote_id`; `None` when it is not known, or not any more. A report
    /// may overtake the answer that names its id, so an unknown one is looked for again for most of a second.
    ///
    /// # Errors
    /// Those of kv.
    pub async fn recall(&self, remote_id: &str) -> Result<Option<String>> {
        if remote_id.is_empty() || remote_id.len() > LONGEST {
            return Ok(None);
        }
        let key = self.remote(remote_id);
        for look in 1..=LOOKS {
            if let Some(message_id) = self.kv().get(&key).await? {
                return Ok(Some(message_id));
            }
            if look < LOOKS {
                tokio::time::sleep(GAP).await;
            }
        }
        Ok(None)
    }

    /// Publishes a delivery report about the message that the network calls `remote_id`; without a message's id where it
    /// is not known, as in Vumi. `metadata` becomes the event's `transport_metadata`.
    ///
    /// # Errors
    /// Those of kv and of the broker.
    pub async fn report(&self, remote_id: &str, status: DeliveryStatus, metadata: Payload) -> Result<()> {
        let message_id = self.recall(remote_id).await?;
        if message_id.is_none() {
            let remote_id: String = remote_id.chars().take(100).collect();
            tracing::warn!(
                transport = self.name(),
                remote_id,
                "a delivery report is about a message that is not known"
            );
        }
        let event = Event::delivery_report(message_id.as_deref(), status).with_transport(self.name(), metadata);
        self.event(event).await
    }

    fn remote(&self, remote_id: &str) -> String {
        format!("remote:{}:{remote_id}", self.name())
    }
}
