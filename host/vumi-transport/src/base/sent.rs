//! The record of sent ids, which keeps a message that comes again from going out twice (design: delivery rules).
//!
//! A message comes again when the host stopped before it was settled, or when the app that sent it was run again and
//! so sent the same id again. The record stands in kv under `sent:<transport name>:<message id>`, for a limited time:
//! - `sending`: it was about to be handed to the network. Written only where it matters, with `when_unsure: fail`.
//! - `sent:<id>`: the network took it under this id; whether that was reported is not known.
//! - `reported:<id>`: it was reported too, or the transport reports it itself.

use std::sync::Arc;
use std::time::Duration;

use vumi_core::{KvStore, Result};

const SENDING: &str = "sending";
const SENT: &str = "sent:";
const REPORTED: &str = "reported:";

/// The record of one transport.
pub(super) struct SentRecord {
    kv: Arc<dyn KvStore>,
    prefix: String,
    ttl: Duration,
}

/// What is known of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing: it has not been sent.
    New,
    /// Somebody began to send it; how that ended is not known.
    Sending,
    /// It was sent; the network's id. The event may be missing.
    Sent(String),
    /// It was sent and reported.
    Reported,
}

impl SentRecord {
    pub(super) fn new(kv: Arc<dyn KvStore>, transport_name: &str, ttl: Duration) -> Self {
        Self { kv, prefix: format!("sent:{transport_name}:"), ttl }
    }

    pub(super) async fn look(&self, message_id: &str) -> Result<Known> {
        let Some(value) = self.kv.get(&self.key(message_id)).await? else {
            return Ok(Known::New);
        };
        if value == SENDING {
            return Ok(Known::Sending);
        }
        if let Some(remote) = value.strip_prefix(SENT) {
            return Ok(Known::Sent(remote.to_owned()));
        }
        if value.starts_with(REPORTED) {
            return Ok(Known::Reported);
        }
        tracing::warn!(message_id, "the record of this message is not understood and does not count");
        Ok(Known::New)
    }

    pub(super) async fn sending(&self, message_id: &str) -> Result<()> {
        self.set(message_id, SENDING).await
    }

    pub(super) async fn sent(&self, message_id: &str, remote: &str) -> Result<()> {
        self.set(message_id, &format!("{SENT}{remote}")).await
    }

    pub(super) async fn reported(&self, message_id: &str, remote: &str) -> Result<()> {
        self.set(message_id, &format!("{REPORTED}{remote}")).await
    }

    pub(super) async fn forget(&self, message_id: &str) -> Result<()> {
        self.kv.delete(&self.key(message_id)).await.map(drop)
    }

    async fn set(&self, message_id: &str, value: &str) -> Result<()> {
        self.kv.set(&self.key(message_id), value, Some(self.ttl)).await
    }

    fn key(&self, message_id: &str) -> String {
        format!("{}{message_id}", self.prefix)
    }
}
