//! All queues by name, shared by the broker, its consumers and their deliveries.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::RwLock;
use vumi_core::{Error, Result};
use vumi_message::Timestamp;

use crate::error;
use crate::handle::{Backing, QueueHandle};
use crate::journal::Journal;
use crate::options::{BrokerOptions, Limits};
use crate::restore::RestoredQueue;
use crate::write::Row;

/// Bytes of a queue name at most, so that every name is also one for AMQP (a short string, AMQP 0-9-1 section 4.2.5.3).
pub(crate) const NAME: usize = 255;

/// See the module's text.
pub(crate) struct Shared {
    limits: Limits,
    max_queues: usize,
    ground: Ground,
    queues: RwLock<Queues>,
}

/// What the queues stand on.
enum Ground {
    Memory(Arc<AtomicU64>),
    File(Arc<Journal>),
}

struct Queues {
    by_name: HashMap<String, Arc<QueueHandle>>,
    closed: bool,
    /// The row of the next queue in the file.
    next_row: u64,
}

/// The first number: later than any of an earlier run, so that no two dead letters that anyone has seen share one.
pub(crate) fn first_id() -> u64 {
    u64::try_from(Timestamp::now().micros()).unwrap_or(0)
}

impl Shared {
    /// Without queues; with a journal, rows of new queues begin at `next_row`.
    pub(crate) fn new(options: &BrokerOptions, file: Option<(Arc<Journal>, u64)>) -> Self {
        let (ground, next_row) = match file {
            None => (Ground::Memory(Arc::new(AtomicU64::new(first_id()))), 0),
            Some((journal, next_row)) => (Ground::File(journal), next_row),
        };
        Self {
            limits: Limits::of(options),
            max_queues: options.max_queues.max(1),
            ground,
            queues: RwLock::new(Queues { by_name: HashMap::new(), closed: false, next_row }),
        }
    }

    /// Puts in a queue that a file held.
    pub(crate) fn restore(&self, found: RestoredQueue) {
        let backing = self.backing(&found.name, found.row, true);
        let handle = QueueHandle::new(&found.name, self.limits, backing);
        self.queues.write().by_name.insert(found.name.clone(), Arc::clone(&handle));
        handle.restore(found);
    }

    /// The queue of this name, made when missing.
    pub(crate) fn queue(&self, name: &str) -> Result<Arc<QueueHandle>> {
        if let Some(found) = self.find(name) {
            return Ok(found);
        }
        if name.is_empty() || name.len() > NAME {
            return Err(Error::permanent(format!("the queue name `{name}` must have 1 to {NAME} bytes")));
        }
        let mut queues = self.queues.write();
        if let Some(found) = queues.by_name.get(name) {
            return Ok(Arc::clone(found));
        }
        if queues.closed {
            return Err(error::closed());
        }
        if queues.by_name.len() >= self.max_queues {
            return Err(Error::permanent(format!(
                "queue `{name}` cannot be made: the broker holds its maximum of {} queues",
                self.max_queues
            )));
        }
        let handle = QueueHandle::new(name, self.limits, self.backing(name, queues.next_row, false));
        queues.next_row += 1;
        queues.by_name.insert(name.to_owned(), Arc::clone(&handle));
        Ok(handle)
    }

    fn backing(&self, name: &str, row: u64, recorded: bool) -> Backing {
        match &self.ground {
            Ground::Memory(ids) => Backing::Memory(Arc::clone(ids)),
            Ground::File(journal) => {
                let row = Row { id: row, name: name.to_owned(), recorded: AtomicBool::new(recorded) };
                Backing::File(Arc::clone(journal), Arc::new(row))
            }
        }
    }

    /// The queue of this name, if there is one.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<QueueHandle>> {
        self.queues.read().by_name.get(name).map(Arc::clone)
    }

    /// All queues, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<QueueHandle>> {
        self.queues.read().by_name.values().map(Arc::clone).collect()
    }

    /// The journal, where there is one.
    pub(crate) fn journal(&self) -> Option<&Arc<Journal>> {
        match &self.ground {
            Ground::Memory(_) => None,
            Ground::File(journal) => Some(journal),
        }
    }

    /// Refuses everything from now on; what was accepted is still written.
    pub(crate) fn shut(&self) {
        // Under the lock, so that no queue is made after this.
        self.queues.write().closed = true;
        let out: Vec<_> = self.all().iter().flat_map(QueueHandle::shut).collect();
        if let Some(journal) = self.journal() {
            journal.close(out);
        }
    }
}
