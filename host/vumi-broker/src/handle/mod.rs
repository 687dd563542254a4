//! One queue with everything around it, behind one lock: messages, dead letters, consumers and those who wait for room.
//!
//! Every operation locks, changes the plain data, publishes for those whose turn has come, unlocks, and only then wakes
//! tasks. Nothing waits under the lock. With a journal, an operation appends its change while it holds the lock, so
//! that the order of calls is the order in the journal; the second half happens when the effect comes
//! back from there.

mod consuming;
mod dead;
mod publishing;
mod settling;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use parking_lot::Mutex;
use vumi_core::QueueInfo;

pub(crate) use dead::cut;
pub(crate) use publishing::Admitted;
pub(crate) use settling::LONGEST;

use crate::dead::DeadLetters;
use crate::journal::Journal;
use crate::line::Line;
use crate::meters::Meters;
use crate::options::Limits;
use crate::queue::Queue;
use crate::restore::RestoredQueue;
use crate::seats::Seats;
use crate::write::{Row, Write};

/// See the module's text.
pub(crate) struct QueueHandle {
    name: String,
    limits: Limits,
    backing: Backing,
    meters: Meters,
    state: Mutex<State>,
}

/// What stands behind a queue.
pub(crate) enum Backing {
    /// Nothing; here is the next number.
    Memory(Arc<AtomicU64>),
    /// A journal, and the row of this queue in it.
    File(Arc<Journal>, Arc<Row>),
}

struct State {
    queue: Queue,
    dead: DeadLetters,
    seats: Seats,
    line: Line,
    closed: bool,
    /// The highest number that is marked as handed out.
    marked: u64,
    /// Dead letters dropped for want of room.
    dropped: u64,
}

impl QueueHandle {
    pub(crate) fn new(name: &str, limits: Limits, backing: Backing) -> Arc<Self> {
        let state = State {
            queue: Queue::new(limits),
            dead: DeadLetters::new(limits),
            seats: Seats::default(),
            line: Line::default(),
            closed: false,
            marked: 0,
            dropped: 0,
        };
        let meters = Meters::of(name);
        Arc::new(Self { name: name.to_owned(), limits, backing, meters, state: Mutex::new(state) })
    }

    /// Puts in what a file held. Bounds do not matter: nothing is lost because a bound was lowered.
    pub(crate) fn restore(self: &Arc<Self>, found: RestoredQueue) {
        self.change(|state, _| {
            for message in found.messages {
                state.queue.reserve(message.body.len());
                state.queue.push(message);
            }
            for letter in found.dead {
                self.keep(state, letter);
            }
        });
    }

    /// See [`QueueInfo`].
    pub(crate) fn info(&self) -> QueueInfo {
        let state = self.state.lock();
        QueueInfo {
            name: self.name.clone(),
            ready: state.queue.ready(),
            unacked: state.queue.unacked(),
            dead: state.dead.len(),
            bound: self.limits.bound,
            consumers: state.seats.len(),
        }
    }

    /// Ends the consumers and sends away those who wait for room; from now on, everything is refused. Numbers and
    /// attempts of the messages that are handed out.
    pub(crate) fn shut(self: &Arc<Self>) -> Vec<(u64, u32)> {
        self.change(|state, wakers| {
            state.closed = true;
            state.line.clear();
            wakers.extend(state.seats.wake_all());
            state.queue.handed_out().collect()
        })
    }

    /// The row of this queue in the file, where there is one.
    pub(crate) fn row(&self) -> Option<&Arc<Row>> {
        self.journal().map(|(_, row)| row)
    }

    /// The journal and the row of this queue in it, where there is one.
    fn journal(&self) -> Option<(&Arc<Journal>, &Arc<Row>)> {
        match &self.backing {
            Backing::Memory(_) => None,
            Backing::File(journal, row) => Some((journal, row)),
        }
    }

    /// Changes the state under the lock, then lets in who waits for room, then wakes tasks outside the lock.
    fn change<R>(self: &Arc<Self>, change: impl FnOnce(&mut State, &mut Vec<Waker>) -> R) -> R {
        let mut wakers = Vec::new();
        let mut state = self.state.lock();
        let result = change(&mut state, &mut wakers);
        self.call_in(&mut state, &mut wakers);
        self.measure(&state);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        result
    }

    fn measure(&self, state: &State) {
        self.meters.ready.set(state.queue.ready() as f64);
        self.meters.unacked.set(state.queue.unacked() as f64);
    }
}

/// The next number of a broker without a journal.
fn next(ids: &AtomicU64) -> u64 {
    ids.fetch_add(1, Ordering::Relaxed)
}

/// A change of which nobody waits for the effect.
fn unwatched(write: Write) -> impl FnOnce(u64) -> (Write, crate::effect::Effect) {
    move |_| (write, crate::effect::Effect::None)
}
