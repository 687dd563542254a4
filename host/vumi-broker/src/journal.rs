//! The journal: all changes to a durable broker, on their way to the disk.
//!
//! Changes gather in a list. A thread takes all that are there and has them committed in one transaction; while the
//! disk works on that, the next ones gather, and the effects of the ones before are carried out: messages arrive in
//! their queues, confirms are given. Effects happen in the order in which the changes were appended.
//!
//! The list needs no bound of its own: each change belongs to a message with a place in its queue, to a dead letter or
//! to a call that has not returned, and those are bounded.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use parking_lot::{Condvar, Mutex};
use tokio_util::sync::CancellationToken;
use vumi_sqlite::{Database, DbError};

use crate::effect::Effect;
use crate::error::BrokerError;
use crate::marks::Marks;
use crate::write::Write;

/// Changes in one transaction at most.
const BATCH: usize = 1_000;

/// Bytes of bodies after which a transaction takes no further change: 16 MiB, the size of the database's log before
/// it is copied into the file.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// See the module's text.
pub(crate) struct Journal {
    list: Mutex<List>,
    filled: Condvar,
    /// Set when the thread has ended and the file is closed.
    ended: CancellationToken,
    /// Which messages were handed out.
    pub(crate) marks: Marks,
}

struct List {
    writes: VecDeque<Write>,
    /// As long as `writes`: what each sets going.
    effects: VecDeque<Effect>,
    /// How often messages that came back had been handed out; only the last number of each counts.
    attempts: HashMap<u64, u32>,
    next_id: u64,
    open: bool,
}

/// Writes on their way, and what they will set going.
struct Batch {
    writes: Arc<Vec<Write>>,
    effects: Vec<Effect>,
}

/// Effects whose writes have been answered.
type Answered = Vec<(Effect, Result<(), DbError>)>;

impl Journal {
    /// Starts the thread. Numbers begin at `next_id`.
    pub(crate) fn start(database: Database, marks: Marks, next_id: u64) -> Result<Arc<Self>, BrokerError> {
        let list =
            List { writes: VecDeque::new(), effects: VecDeque::new(), attempts: HashMap::new(), next_id, open: true };
        let journal =
            Arc::new(Self { list: Mutex::new(list), filled: Condvar::new(), ended: CancellationToken::new(), marks });
        let worker = Arc::clone(&journal);
        thread::Builder::new()
            .name("broker-journal".to_owned())
            .spawn(move || worker.run(&database))
            .map_err(BrokerError::Thread)?;
        Ok(journal)
    }

    /// Appends a change that needs `ids` new numbers, of which it is told the first. Order of appending is order of
    /// numbers and of effects. False when the journal is closed; `make` is then not called.
    pub(crate) fn append(&self, ids: u64, make: impl FnOnce(u64) -> (Write, Effect)) -> bool {
        let mut list = self.list.lock();
        if !list.open {
            return false;
        }
        let first = list.next_id;
        list.next_id += ids;
        let (write, effect) = make(first);
        list.writes.push_back(write);
        list.effects.push_back(effect);
        drop(list);
        self.filled.notify_one();
        true
    }

    /// Notes how often a message has been handed out, now that it came back. Nobody waits for this.
    pub(crate) fn attempts(&self, id: u64, attempts: u32) {
        let mut list = self.list.lock();
        if list.open {
            list.attempts.insert(id, attempts);
            drop(list);
            self.filled.notify_one();
        }
    }

    /// Refuses further changes; those that are there are still written, then the attempts of the messages that are
    /// out, then the file is closed. Does nothing the second time.
    pub(crate) fn close(&self, out: impl IntoIterator<Item = (u64, u32)>) {
        let mut list = self.list.lock();
        if !list.open {
            return;
        }
        list.open = false;
        list.attempts.extend(out);
        list.writes.push_back(Write::EndRun);
        list.effects.push_back(Effect::None);
        drop(list);
        self.filled.notify_one();
    }

    /// Resolves when the journal was closed and all is written.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    fn run(&self, database: &Database) {
        let _end = End(self);
        let mut answered = Answered::new();
        let mut failing = false;
        while let Some(batch) = self.take(answered.is_empty()) {
            if batch.effects.is_empty() {
                take_effect(&mut answered);
                continue;
            }
            let pending = submit(database, &batch.writes);
            // While the disk works on this batch, the one before takes effect.
            take_effect(&mut answered);
            let outcome = pending.wait();
            report(&outcome, &mut failing);
            answered = answer(database, batch, outcome);
        }
        take_effect(&mut answered);
        database.close_blocking();
    }

    /// The next batch. Waits for one if told so; else it may be empty. None when the journal is closed and empty.
    fn take(&self, wait: bool) -> Option<Batch> {
        let mut list = self.list.lock();
        while list.writes.is_empty() && list.attempts.is_empty() {
            if !list.open {
                return None;
            }
            if !wait {
                break;
            }
            self.filled.wait(&mut list);
        }
        let mut bytes = 0;
        let fits = |write: &&Write| {
            let first = bytes == 0;
            bytes += write.size();
            first || bytes <= BATCH_BYTES
        };
        let count = list.writes.iter().take(BATCH).take_while(fits).count();
        let mut writes: Vec<Write> = list.writes.drain(..count).collect();
        let mut effects: Vec<Effect> = list.effects.drain(..count).collect();
        if !list.attempts.is_empty() {
            writes.push(Write::Attempts(list.attempts.drain().collect()));
            effects.push(Effect::None);
        }
        Some(Batch { writes: Arc::new(writes), effects })
    }
}

/// However the thread ends, nobody may wait for it for ever.
struct End<'a>(&'a Journal);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut list = self.0.list.lock();
        list.open = false;
        let left = (std::mem::take(&mut list.writes), std::mem::take(&mut list.effects));
        drop(list);
        // Not under the lock: this drops handles of queues, which hold the journal.
        drop(left);
        self.0.ended.cancel();
    }
}

/// Queues the writes as one job.
fn submit(database: &Database, writes: &Arc<Vec<Write>>) -> vumi_sqlite::Pending<()> {
    let writes = Arc::clone(writes);
    database.submit(move |connection| writes.iter().try_for_each(|write| write.run(connection)))
}

fn take_effect(answered: &mut Answered) {
    for (effect, outcome) in answered.drain(..) {
        effect.apply(outcome);
    }
}

/// Tells each effect how its write went.
fn answer(database: &Database, batch: Batch, outcome: Result<(), DbError>) -> Answered {
    let Batch { writes, effects } = batch;
    match outcome {
        Ok(()) => {
            for row in writes.iter().flat_map(Write::rows) {
                row.recorded.store(true, Ordering::Relaxed);
            }
            effects.into_iter().map(|effect| (effect, Ok(()))).collect()
        }
        Err(error) if error.is_temporary() || writes.len() == 1 => {
            effects.into_iter().map(|effect| (effect, Err(error.clone()))).collect()
        }
        // One of them can never be written: alone, it takes no other with it.
        Err(_) => {
            let pending: Vec<_> = (0..writes.len())
                .map(|n| {
                    let writes = Arc::clone(&writes);
                    database.submit(move |connection| writes.get(n).map_or(Ok(()), |write| write.run(connection)))
                })
                .collect();
            effects.into_iter().zip(pending).map(|(effect, pending)| (effect, pending.wait())).collect()
        }
    }
}

/// Logs when writing begins to fail and when it works again.
fn report(outcome: &Result<(), DbError>, failing: &mut bool) {
    match outcome {
        Ok(()) if *failing => tracing::info!("the broker's file can be written again"),
        Err(error) if !*failing => tracing::error!(%error, "the broker's file cannot be written"),
        _ => {}
    }
    *failing = outcome.is_err();
}

#[cfg(test)]
mod tests;
