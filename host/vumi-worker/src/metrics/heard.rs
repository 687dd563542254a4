//! Publishing what only says how things stand, such as metrics and heartbeats: it is gone when nobody listens.
//!
//! With RabbitMQ that is so by itself: a message to a queue that no consumer ever declared vanishes. A broker in this
//! process would keep it for ever, so there the queue is looked up first.

use std::time::Duration;

use bytes::Bytes;
use vumi_core::{Admission, Broker, Result};

/// How long to wait for room in a full queue.
const WAIT: Duration = Duration::from_secs(1);

/// Publishes and waits for the confirm; false when there is no such queue, so that nobody ever listened.
pub(crate) async fn publish_if_heard(broker: &dyn Broker, queue: &str, body: Bytes) -> Result<bool> {
    if !broker.is_shared() && !broker.queues().await?.iter().any(|info| info.name == queue) {
        return Ok(false);
    }
    broker.publish(queue, body, Admission::Edge(WAIT)).await?.await?;
    Ok(true)
}
