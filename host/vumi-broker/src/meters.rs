//! The figures of one queue for Prometheus. The handles are made once per queue, so make the recorder before the
//! broker.

use metrics::{Counter, Gauge, counter, gauge};

/// See the module's text.
pub(crate) struct Meters {
    /// Messages that wait for a consumer.
    pub(crate) ready: Gauge,
    /// Messages handed out and not settled.
    pub(crate) unacked: Gauge,
    /// Messages that arrived.
    pub(crate) published: Counter,
    /// Messages handed out, each time counted.
    pub(crate) delivered: Counter,
    /// Messages given up.
    pub(crate) dead: Counter,
    /// Dead letters dropped because there were too many.
    pub(crate) dead_dropped: Counter,
}

impl Meters {
    pub(crate) fn of(queue: &str) -> Self {
        let queue = queue.to_owned();
        Self {
            ready: gauge!("vumi_queue_ready", "queue" => queue.clone()),
            unacked: gauge!("vumi_queue_unacked", "queue" => queue.clone()),
            published: counter!("vumi_queue_published_total", "queue" => queue.clone()),
            delivered: counter!("vumi_queue_delivered_total", "queue" => queue.clone()),
            dead: counter!("vumi_queue_dead_total", "queue" => queue.clone()),
            dead_dropped: counter!("vumi_queue_dead_dropped_total", "queue" => queue),
        }
    }
}
