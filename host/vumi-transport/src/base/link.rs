//! What a transport publishes: messages from users, events, states.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use vumi_core::{Admission, Channel, Error, Happening, KvStore, Link, Result, names};
use vumi_message::{EdgeDetector, Event, EventType, Message, Payload, Status, UserMessage, new_id};

use super::journal::Entry;
use super::worker::Common;

/// The link of one transport.
pub(super) struct WorkerLink {
    common: Arc<Common>,
    stop: CancellationToken,
    /// Which states are news, for those who watch; what is published, the transport decides.
    edge: Mutex<EdgeDetector>,
}

impl WorkerLink {
    pub(super) fn new(common: Arc<Common>, stop: CancellationToken) -> Self {
        Self { common, stop, edge: Mutex::new(EdgeDetector::new()) }
    }

    async fn publish(&self, queue: &str, message: &Message, admission: Admission) -> Result<String> {
        let body = message.to_json();
        self.common.worker.broker.publish(queue, Bytes::from(body.clone()), admission).await?.await?;
        Ok(body)
    }

    async fn publish_status(&self, status: Status) -> Result<()> {
        let Some(message) = self.common.on_publish(Channel::Status, Message::Status(status)).await? else {
            return Ok(());
        };
        self.publish(&names::status(self.common.name()), &message, Admission::Inside).await.map(drop)
    }
}

#[async_trait]
impl Link for WorkerLink {
    fn name(&self) -> &str {
        self.common.name()
    }

    async fn inbound(&self, mut message: UserMessage) -> Result<()> {
        if message.transport_name().is_none() {
            message.set("transport_name", self.name()).map_err(invalid)?;
        }
        let Some(message) = self.common.on_publish(Channel::Inbound, Message::User(message)).await? else {
            return Ok(());
        };
        let wait = Duration::from_millis(u64::from(self.common.worker.shared.inbound_wait_ms));
        let id = message.message_id().unwrap_or_default();
        // Where a trace begins: everything that comes of this message is below it.
        let span = tracing::debug_span!("inbound", otel.kind = "producer", transport = self.name(), message_id = id);
        let queue = names::inbound(self.name());
        let publishing = self.publish(&queue, &message, Admission::Edge(wait));
        let body = publishing.instrument(span).await?;
        self.common.meters.inbound.increment(1);
        let user = message.payload().get("from_addr").and_then(Value::as_str);
        self.common.journal.note(Entry { direction: "inbound", id, user, body }).await;
        Ok(())
    }

    async fn event(&self, mut event: Event) -> Result<()> {
        if event.transport_name().is_none() {
            event.set("transport_name", self.name()).map_err(invalid)?;
        }
        if event.get("transport_metadata").is_none() {
            event.set("transport_metadata", Payload::new()).map_err(invalid)?;
        }
        let nack = event.event_type() == EventType::Nack;
        let Some(message) = self.common.on_publish(Channel::Event, Message::Event(event)).await? else {
            return Ok(());
        };
        let body = self.publish(&names::event(self.name()), &message, Admission::Inside).await?;
        self.common.meters.events.increment(1);
        if nack {
            self.common.meters.nacks.increment(1);
        }
        let id = message.message_id().unwrap_or_default();
        self.common.journal.note(Entry { direction: "event", id, user: None, body }).await;
        Ok(())
    }

    async fn status(&self, status: Status) {
        tracing::debug!(
            transport = self.name(),
            component = status.component(),
            status = %status.level(),
            kind = status.type_(),
            "{}",
            status.message()
        );
        if self.edge.lock().is_news(&status) {
            // A status has no id of its own.
            let (id, body) = (new_id(), status.to_json());
            self.common.journal.note(Entry { direction: "status", id: &id, user: None, body }).await;
        }
        if !self.common.worker.shared.publish_status {
            return;
        }
        if let Err(error) = self.publish_status(status).await {
            tracing::error!(transport = self.name(), "a status could not be published: {}", error.report());
        }
    }

    fn ready(&self, at: &str) {
        tracing::info!(transport = self.name(), at, "the transport is ready");
        self.common.worker.readiness.set(Some(at));
        let name = self.common.worker.feed_name();
        self.common.worker.feed.tell(|| Happening::Ready { name, at: Some(at.to_owned()) });
    }

    fn shutdown(&self) -> &CancellationToken {
        &self.stop
    }

    fn kv(&self) -> &Arc<dyn KvStore> {
        &self.common.worker.kv
    }
}

fn invalid(error: vumi_message::MessageError) -> Error {
    Error::permanent("the transport made an invalid message").because(error)
}
