//! The local end of one queue of RabbitMQ: what has been delivered to this process, and who has it.
//!
//! RabbitMQ delivers over one channel to the hub, and the consumers of this process sit in it and take turns, exactly
//! as in a queue of the embedded broker (both stand on `queue` and `seats`). So a message that is given back is handed
//! out again from here, first and in the old order, with its attempts counted, and RabbitMQ need not know; each
//! consumer has a subscription of its own with its prefetch.
//!
//! All plain data is behind one lock, in this file, `arriving` and `settling`; the channel belongs to the hub's
//! `task` and its `session`, which are told by `Command`s what to do there.

mod arriving;
mod lost;
mod session;
mod settling;
mod subscriptions;
mod task;

use std::collections::{BTreeMap, HashMap};
use std::hash::RandomState;
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use vumi_core::{Error, Result};

pub(crate) use self::settling::HubSettler;

use self::lost::Lost;
use super::options::Plan;
use super::shared::Shared;
use crate::consumer::{Hall, Take};
use crate::error;
use crate::meters::Meters;
use crate::options::{BrokerOptions, Limits};
use crate::queue::Queue;
use crate::seats::Seats;

/// See the module's text.
pub(crate) struct Hub {
    pub(crate) name: String,
    meters: Meters,
    commands: mpsc::UnboundedSender<Command>,
    /// Makes prints of bodies.
    printer: RandomState,
    state: Mutex<State>,
}

struct State {
    queue: Queue,
    seats: Seats,
    /// The prefetch of each seat.
    prefetches: BTreeMap<u64, u16>,
    /// Who waits until RabbitMQ has been told of his seat.
    newcomers: Vec<(u64, oneshot::Sender<Result<()>>)>,
    /// Where the messages came from that are here.
    origins: HashMap<u64, Origin>,
    lost: Lost,
    next: u64,
    /// Counts the channels.
    epoch: u64,
    /// Acknowledgements that RabbitMQ has not been told yet.
    acking: u64,
    closed: bool,
}

/// Where a message came from.
struct Origin {
    /// RabbitMQ's number for the delivery; none once the channel is lost.
    tag: Option<u64>,
    print: u64,
    /// Whose subscription it came for.
    seat: Option<u64>,
}

/// What is to be done on the channel. A command of an older epoch comes too late.
enum Command {
    /// Acknowledge, then answer. If it comes too late, a copy of the message will come.
    Ack { epoch: u64, tag: u64, id: u64, print: u64, answer: Option<oneshot::Sender<Result<()>>> },
    /// Put back in the queue.
    Back { epoch: u64, tag: u64 },
    /// Somebody has sat down: subscribe.
    Sit(u64),
    /// Somebody has gone: end the subscription.
    Stand(u64),
    /// A message has to wait for its time.
    Delayed,
    /// Count what is in the queue, and its consumers.
    Count(oneshot::Sender<Counts>),
}

/// Figures of a queue; none when RabbitMQ cannot say.
pub(crate) type Counts = Option<(u64, u64)>;

impl Hub {
    /// Starts the task that serves a queue.
    pub(crate) fn start(name: &str, shared: &Arc<Shared>) -> Arc<Self> {
        let (commands, received) = mpsc::unbounded_channel();
        let state = State {
            // The bounds of this queue are RabbitMQ's.
            queue: Queue::new(Limits::of(&BrokerOptions::default())),
            seats: Seats::default(),
            prefetches: BTreeMap::new(),
            newcomers: Vec::new(),
            origins: HashMap::new(),
            lost: Lost::default(),
            next: 0,
            epoch: 0,
            acking: 0,
            closed: false,
        };
        let hub = Arc::new(Self {
            name: name.to_owned(),
            meters: Meters::of(name),
            commands,
            printer: RandomState::new(),
            state: Mutex::new(state),
        });
        shared.tasks.spawn(task::run(Arc::clone(&hub), Arc::clone(shared), received));
        hub
    }

    /// A consumer comes: its seat, and when RabbitMQ knows of it.
    pub(crate) fn sit(&self, prefetch: u16) -> (u64, oneshot::Receiver<Result<()>>) {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state.lock();
        let seat = state.seats.sit(prefetch);
        state.prefetches.insert(seat, prefetch);
        state.newcomers.push((seat, sender));
        // Under the lock, so that commands come in the order of what they tell.
        self.tell(Command::Sit(seat));
        (seat, receiver)
    }

    /// Messages that wait here, and those that are handed out.
    pub(crate) fn load(&self) -> (u64, u64) {
        let state = self.state.lock();
        (state.queue.ready(), state.queue.unacked())
    }

    /// What RabbitMQ says of the queue, once all that was settled before has been told to it. None when it cannot say.
    pub(crate) async fn count(&self) -> Counts {
        let (sender, receiver) = oneshot::channel();
        self.tell(Command::Count(sender));
        receiver.await.ok().flatten()
    }

    /// Ends the consumers; from now on, nothing is settled.
    pub(crate) fn shut(self: &Arc<Self>) {
        self.change(|state, wakers| {
            state.closed = true;
            state.newcomers.clear();
            wakers.extend(state.seats.wake_all());
        });
    }

    fn tell(&self, command: Command) {
        // After the end of the task there is nothing to be done on the channel any more.
        let _ = self.commands.send(command);
    }

    /// Changes the state under the lock, then wakes tasks outside of it.
    fn change<R>(&self, change: impl FnOnce(&mut State, &mut Vec<Waker>) -> R) -> R {
        let mut wakers = Vec::new();
        let mut state = self.state.lock();
        let result = change(&mut state, &mut wakers);
        self.measure(&state);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        result
    }

    /// What is here; what is in RabbitMQ's queue beyond that, RabbitMQ's own figures tell.
    fn measure(&self, state: &State) {
        self.meters.ready.set(state.queue.ready() as f64);
        self.meters.unacked.set(state.queue.unacked() as f64);
    }

    /// Answers those who wait to be known to RabbitMQ.
    fn welcome(&self, seats: impl Fn(u64) -> bool, answer: impl Fn() -> Result<()>) {
        let newcomers: Vec<_> = {
            let mut state = self.state.lock();
            state.newcomers.extract_if(.., |(seat, _)| seats(*seat)).collect()
        };
        // An error means that nobody waits.
        newcomers.into_iter().for_each(|(_, sender)| drop(sender.send(answer())));
    }
}

impl Hall for Hub {
    fn take(&self, seat: u64, waker: &Waker) -> Take {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if state.closed {
            return Take::Closed;
        }
        if !state.seats.may_take(seat, waker) {
            return Take::Wait(None);
        }
        if state.queue.next_due().is_some() {
            state.queue.promote(Instant::now());
        }
        let Some(message) = state.queue.take(seat) else {
            state.seats.wait(seat, waker);
            return Take::Wait(state.queue.next_due());
        };
        state.seats.took(seat);
        self.meters.delivered.increment(1);
        self.measure(state);
        Take::Message(message)
    }

    fn leave(self: &Arc<Self>, seat: u64) {
        self.change(|state, wakers| {
            if state.seats.leave(seat) && state.queue.takeable() {
                wakers.extend(state.seats.wake_one());
            }
        });
    }

    fn stand(self: &Arc<Self>, seat: u64) {
        self.change(|state, wakers| {
            state.seats.stand(seat);
            state.prefetches.remove(&seat);
            state.newcomers.retain(|(newcomer, _)| *newcomer != seat);
            self.tell(Command::Stand(seat));
            // It may have been woken for a message that others can take.
            if state.queue.takeable() {
                wakers.extend(state.seats.wake_one());
            }
        });
    }
}

/// Refuses a body that is too large.
pub(crate) fn check_size(plan: &Plan, queue: &str, body: &Bytes) -> Result<(), Error> {
    if body.len() > plan.max_body {
        return Err(error::too_large(queue, body.len(), plan.max_body));
    }
    Ok(())
}
