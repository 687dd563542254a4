//! Figures of queues, asked of RabbitMQ.

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use vumi_core::{Error, QueueInfo, Result};

use super::dead;
use super::sentences::{self, code};
use super::shared::Shared;

/// All queues that this process declared or consumes, by name.
pub(crate) async fn queues(shared: &Shared) -> Result<Vec<QueueInfo>> {
    shared.link()?;
    let mut all = Vec::new();
    for name in shared.topology.shown() {
        let hub = shared.hubs.lock().get(&name).cloned();
        // Through the hub's own channel, so that everything that was settled before is counted.
        let mut counted = match &hub {
            Some(hub) => hub.count().await,
            None => None,
        };
        if counted.is_none() {
            counted = passive(shared, &name).await?;
        }
        let (ready, consumers) = counted.unwrap_or_default();
        let (here, unacked) = hub.map_or((0, 0), |hub| hub.load());
        let dead = dead::count(shared, &name).await?;
        // The bound is RabbitMQ's business.
        all.push(QueueInfo { name, ready: ready + here, unacked, dead, bound: u64::MAX, consumers });
    }
    Ok(all)
}

/// Messages that are ready in a queue, and its consumers; none if there is no such queue.
pub(crate) async fn passive(shared: &Shared, queue: &str) -> Result<Option<(u64, u64)>> {
    let link = shared.link()?;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let asked =
        link.declaring(async |channel| channel.queue_declare(queue.into(), passive, FieldTable::default()).await).await;
    match asked {
        Ok(queue) => Ok(Some((queue.message_count().into(), queue.consumer_count().into()))),
        Err(error) => match sentences::refusal(&error) {
            Some((code::NOT_FOUND, _)) => Ok(None),
            Some((_, words)) => Err(Error::temporary(format!("{}: {words}", shared.plan.place()))),
            None => Err(Error::temporary(format!("{}: the connection was lost", shared.plan.place()))),
        },
    }
}
