//! The local end of one queue of RabbitMQ: what has been delivered to this process, and who has it.
//!
//! RabbitMQ delivers over one channel to the hub, and the consumers of this process sit in it and take turns, exactly
//! as in a queue of the embedded broker (both stand on `queue` and `seats`). So a message that is given back is handed
//! out again from here, first and in the old order, with its attempts counted, and RabbitMQ need not know; each
//! consumer has a subscription of its own with its prefetch.
//!
//! All plain data is behind one lock, in this file and `settling`; the channel belongs to the hub's `task`, which is
//! told by `Command`s what to do there.

mod lost;
mod settling;
mod task;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use vumi_core::{Error, Result};

pub(crate) use self::settling::HubSettler;

use self::lost::{Fate, Lost};
use super::options::Plan;
use super::shared::Shared;
use crate::consumer::{Hall, Take};
use crate::error;
use crate::meters::Meters;
use crate::options::{BrokerOptions, Limits};
use crate::queue::{Message, Queue};
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
    /// Seats have changed.
    Seats,
    /// Count what is in the queue, and its consumers.
    Count(oneshot::Sender<Counts>),
}

/// Figures of a queue; none when RabbitMQ cannot say.
pub(crate) type Counts = Option<(u64, u64)>;

/// A message as it comes from RabbitMQ.
struct Arrival {
    tag: u64,
    seat: Option<u64>,
    body: Bytes,
    redelivered: bool,
    delivered_before: u32,
    trace: Option<String>,
}

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
        drop(state);
        self.tell(Command::Seats);
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

    /// Takes in what RabbitMQ delivered. Numbers of those deliveries that are to be acknowledged at once.
    fn arrive(&self, arrivals: Vec<Arrival>) -> Vec<u64> {
        let mut over = Vec::new();
        self.change(|state, wakers| {
            for Arrival { tag, seat, body, redelivered, delivered_before, trace } in arrivals {
                let print = self.printer.hash_one(&body);
                let (id, attempts, due, fresh) = match state.lost.found(print, redelivered) {
                    Some((_, Fate::Ended)) => {
                        over.push(tag);
                        continue;
                    }
                    Some((id, Fate::Held)) if state.origins.contains_key(&id) => {
                        if let Some(origin) = state.origins.get_mut(&id) {
                            (origin.tag, origin.seat) = (Some(tag), seat);
                        }
                        continue;
                    }
                    Some((id, Fate::Waiting { attempts, due })) => (id, attempts, due, false),
                    Some((_, Fate::Held)) | None => {
                        let id = state.next;
                        state.next += 1;
                        (id, delivered_before, None, true)
                    }
                };
                state.origins.insert(id, Origin { tag: Some(tag), print, seat });
                let message = Message { id, attempts, body, trace };
                match fresh {
                    true => state.queue.push(message),
                    false => state.queue.put_back(message, due),
                }
                match due {
                    None => wakers.extend(state.seats.wake_one()),
                    Some(_) => wakers.extend(state.seats.idle()),
                }
            }
            self.turn_out(state);
        });
        over
    }

    /// The channel is lost: what is here waits for its copy. The number of the next channel.
    fn lose(&self) -> u64 {
        self.change(|state, _| {
            state.epoch += 1;
            for (message, due) in state.queue.withdraw_all() {
                if let Some(origin) = state.origins.remove(&message.id) {
                    state.lost.note(origin.print, message.id, Fate::Waiting { attempts: message.attempts, due });
                }
            }
            // What is left is in the hands of workers, or being settled.
            for (id, origin) in &mut state.origins {
                origin.tag = None;
                state.lost.note(origin.print, *id, Fate::Held);
            }
            state.epoch
        })
    }

    /// Where nobody sits, nothing stays that could be handed out: it goes back to RabbitMQ, for others.
    fn turn_out(&self, state: &mut State) {
        if state.prefetches.is_empty() {
            self.send_back(state, |_| true);
        }
    }

    /// Puts messages back in RabbitMQ's queue. If they come here again, their attempts are known.
    fn send_back(&self, state: &mut State, which: impl FnMut(&Message) -> bool) {
        for message in state.queue.withdraw(which) {
            let Some(origin) = state.origins.remove(&message.id) else { continue };
            let fate = Fate::Waiting { attempts: message.attempts, due: None };
            state.lost.note(origin.print, message.id, fate);
            if let Some(tag) = origin.tag {
                self.tell(Command::Back { epoch: state.epoch, tag });
            }
        }
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
        self.meters.ready.set(state.queue.ready() as f64);
        self.meters.unacked.set(state.queue.unacked() as f64);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        result
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
            // First the subscription ends, then comes back what was delivered for it and waits here.
            self.tell(Command::Seats);
            let its = state.origins.iter().filter(|(_, origin)| origin.seat == Some(seat));
            let its: HashSet<u64> = its.map(|(id, _)| *id).collect();
            self.send_back(state, |message| its.contains(&message.id));
            self.turn_out(state);
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
