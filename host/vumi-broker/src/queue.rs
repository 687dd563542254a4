//! The messages of one queue, as plain data: no locks, no waiting, no clock.
//!
//! A message stands in one of four places. `fresh` are those that were never handed out, in order of arrival, which is
//! the order of their numbers. `unacked` are those that a consumer has. What comes back from a consumer stands in
//! `returned`, or in `delayed` until its time has come. Consumers take from `returned` first, the lowest number first:
//! whatever was handed out once has a lower number than anything fresh, so the original order is kept.
//!
//! A place is *reserved* before a message arrives (a durable broker writes it to disk in between) and freed when the
//! message is removed for good; the bounds count places.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;
use tokio::time::Instant;

use crate::options::Limits;

/// A message in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its number, unique in the broker; the order of numbers is the order in the queue.
    pub(crate) id: u64,
    /// How often it has been handed out.
    pub(crate) attempts: u32,
    pub(crate) body: Bytes,
    /// The trace in which it was published; not kept on disk.
    pub(crate) trace: Option<String>,
}

impl Message {
    pub(crate) fn new(id: u64, body: Bytes) -> Self {
        Self { id, attempts: 0, body, trace: vumi_core::trace::current() }
    }
}

#[derive(Debug)]
struct Unacked {
    message: Message,
    /// Who has it; none once its settlement is being written, which frees the consumer's hand.
    consumer: Option<u64>,
}

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Queue {
    limits: Limits,
    fresh: VecDeque<Message>,
    returned: BTreeMap<u64, Message>,
    delayed: BTreeMap<(Instant, u64), Message>,
    unacked: HashMap<u64, Unacked>,
    places: u64,
    bytes: u64,
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            fresh: VecDeque::new(),
            returned: BTreeMap::new(),
            delayed: BTreeMap::new(),
            unacked: HashMap::new(),
            places: 0,
            bytes: 0,
        }
    }

    /// Below the first bound.
    pub(crate) fn has_room(&self) -> bool {
        self.places < self.limits.bound && self.bytes < self.limits.bound_bytes
    }

    /// Below the hard bound.
    pub(crate) fn has_hard_room(&self) -> bool {
        self.places < self.limits.hard && self.bytes < self.limits.hard_bytes
    }

    /// Messages held and their bytes, as the bounds count them.
    pub(crate) fn load(&self) -> (u64, u64) {
        (self.places, self.bytes)
    }

    /// Takes a place for a body of this size, whatever the bounds say.
    pub(crate) fn reserve(&mut self, size: usize) {
        self.places += 1;
        self.bytes += size as u64;
    }

    /// Frees a place for whose message nothing came.
    pub(crate) fn release(&mut self, size: usize) {
        self.places = self.places.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(size as u64);
    }

    /// A new message arrives in its reserved place, at the end of the queue.
    pub(crate) fn push(&mut self, message: Message) {
        self.fresh.push_back(message);
    }

    /// Hands out the next message, if there is one; its attempts count this one.
    pub(crate) fn take(&mut self, consumer: u64) -> Option<Message> {
        let next = match self.returned.pop_first() {
            Some((_, message)) => Some(message),
            None => self.fresh.pop_front(),
        };
        let mut message = next?;
        message.attempts = message.attempts.saturating_add(1);
        let copy = message.clone();
        self.unacked.insert(message.id, Unacked { message, consumer: Some(consumer) });
        Some(copy)
    }

    /// Makes a hand-out not count as an attempt.
    pub(crate) fn uncount(&mut self, id: u64) {
        if let Some(unacked) = self.unacked.get_mut(&id) {
            unacked.message.attempts = unacked.message.attempts.saturating_sub(1);
        }
    }

    /// Puts a message back that was handed out: to the front now, or when it is due. Its number of attempts, and the
    /// consumer that had it.
    pub(crate) fn give_back(&mut self, id: u64, due: Option<Instant>) -> Option<(u32, Option<u64>)> {
        let Unacked { message, consumer } = self.unacked.remove(&id)?;
        let attempts = message.attempts;
        match due {
            Some(due) => self.delayed.insert((due, id), message),
            None => self.returned.insert(id, message),
        };
        Some((attempts, consumer))
    }

    /// Puts a message in that has been here before: in its old place, to be handed out before all fresh ones, or when
    /// it is due.
    pub(crate) fn put_back(&mut self, message: Message, due: Option<Instant>) {
        match due {
            Some(due) => self.delayed.insert((due, message.id), message),
            None => self.returned.insert(message.id, message),
        };
    }

    /// Takes messages out that wait to be handed out now, as far as `which` says so, in their order.
    pub(crate) fn withdraw(&mut self, mut which: impl FnMut(&Message) -> bool) -> Vec<Message> {
        let mut out = Vec::new();
        for (id, message) in std::mem::take(&mut self.returned) {
            if which(&message) {
                out.push(message);
            } else {
                self.returned.insert(id, message);
            }
        }
        for message in std::mem::take(&mut self.fresh) {
            if which(&message) {
                out.push(message);
            } else {
                self.fresh.push_back(message);
            }
        }
        out
    }

    /// Takes all messages out that wait, with the times when the delayed ones are due.
    pub(crate) fn withdraw_all(&mut self) -> Vec<(Message, Option<Instant>)> {
        let now = self.withdraw(|_| true).into_iter().map(|message| (message, None));
        let later = std::mem::take(&mut self.delayed).into_iter().map(|((due, _), message)| (message, Some(due)));
        now.chain(later).collect()
    }

    /// A message that a consumer has, and that is not being settled.
    pub(crate) fn handed(&self, id: u64) -> Option<&Message> {
        self.unacked.get(&id).filter(|unacked| unacked.consumer.is_some()).map(|unacked| &unacked.message)
    }

    /// How many messages wait for their time.
    pub(crate) fn delayed(&self) -> usize {
        self.delayed.len()
    }

    /// Moves the messages that are due by `now` from the delayed to the returned ones.
    pub(crate) fn promote(&mut self, now: Instant) {
        while let Some(first) = self.delayed.first_entry() {
            if first.key().0 > now {
                return;
            }
            let message = first.remove();
            self.returned.insert(message.id, message);
        }
    }

    /// When the first delayed message is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.delayed.first_key_value().map(|((due, _), _)| *due)
    }

    /// Notes that the settlement of a message is being written: the message, and the consumer that had it. None when
    /// no consumer has it.
    pub(crate) fn begin_settling(&mut self, id: u64) -> Option<(Message, u64)> {
        let unacked = self.unacked.get_mut(&id)?;
        let consumer = unacked.consumer.take()?;
        Some((unacked.message.clone(), consumer))
    }

    /// Removes a settled message and frees its place: the message, and the consumer that had it up to now.
    pub(crate) fn remove(&mut self, id: u64) -> Option<(Message, Option<u64>)> {
        let Unacked { message, consumer } = self.unacked.remove(&id)?;
        self.release(message.body.len());
        Some((message, consumer))
    }

    /// Messages that a consumer could take now.
    pub(crate) fn takeable(&self) -> bool {
        !self.returned.is_empty() || !self.fresh.is_empty()
    }

    /// Messages that wait for a consumer, delayed ones included.
    pub(crate) fn ready(&self) -> u64 {
        (self.fresh.len() + self.returned.len() + self.delayed.len()) as u64
    }

    /// Messages handed out and not settled.
    pub(crate) fn unacked(&self) -> u64 {
        self.unacked.len() as u64
    }

    /// Number and attempts of each message that is handed out.
    pub(crate) fn handed_out(&self) -> impl Iterator<Item = (u64, u32)> {
        self.unacked.values().map(|unacked| (unacked.message.id, unacked.message.attempts))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::options::BrokerOptions;

    fn queue(bound: u64, bound_bytes: u64) -> Queue {
        Queue::new(Limits::of(&BrokerOptions { bound, bound_bytes, hard_factor: 2, ..BrokerOptions::default() }))
    }

    fn fill(queue: &mut Queue, ids: std::ops::Range<u64>) {
        for id in ids {
            queue.reserve(1);
            queue.push(Message::new(id, Bytes::from_static(b"x")));
        }
    }

    fn take_all(queue: &mut Queue) -> Vec<u64> {
        std::iter::from_fn(|| queue.take(0)).map(|message| message.id).collect()
    }

    #[test]
    fn what_comes_back_stands_before_all_fresh_ones_in_the_old_order() {
        let mut queue = queue(100, 100);
        fill(&mut queue, 0..6);
        for _ in 0..4 {
            queue.take(7);
        }
        for id in [2, 0, 3] {
            assert_eq!(queue.give_back(id, None), Some((1, Some(7))));
        }
        assert_eq!(take_all(&mut queue), [0, 2, 3, 4, 5]);
        assert_eq!(queue.unacked(), 6);
        assert_eq!(queue.give_back(99, None), None);
    }

    #[test]
    fn a_delayed_message_waits_until_it_is_due_and_then_comes_first() {
        let mut queue = queue(100, 100);
        fill(&mut queue, 0..3);
        let now = Instant::now();
        let later = now + Duration::from_secs(5);
        for id in 0..2 {
            queue.take(0);
            queue.give_back(id, Some(later));
        }
        assert_eq!((queue.ready(), queue.next_due()), (3, Some(later)));
        queue.promote(now);
        assert_eq!(queue.take(0).map(|message| message.id), Some(2));
        assert!(!queue.takeable());
        queue.promote(later);
        assert_eq!(queue.next_due(), None);
        assert_eq!(queue.take(0), Some(Message { id: 0, attempts: 2, body: Bytes::from_static(b"x"), trace: None }));
    }

    #[test]
    fn messages_are_withdrawn_in_their_order_and_put_back_in_it() {
        let mut queue = queue(100, 100);
        fill(&mut queue, 0..6);
        for _ in 0..3 {
            queue.take(7);
        }
        let later = Instant::now() + Duration::from_secs(5);
        queue.give_back(1, None);
        queue.give_back(0, None);
        queue.give_back(2, Some(later));
        let odd = queue.withdraw(|message| message.id % 2 == 1);
        assert_eq!(odd.iter().map(|message| message.id).collect::<Vec<_>>(), [1, 3, 5]);
        odd.into_iter().for_each(|message| queue.put_back(message, None));
        assert_eq!((queue.delayed(), queue.ready()), (1, 6));
        let all = queue.withdraw_all();
        let told: Vec<_> = all.iter().map(|(message, due)| (message.id, due.is_some())).collect();
        assert_eq!(told, [(0, false), (1, false), (3, false), (5, false), (4, false), (2, true)]);
        all.into_iter().for_each(|(message, due)| queue.put_back(message, due));
        assert_eq!(take_all(&mut queue), [0, 1, 3, 4, 5]);
        assert_eq!(queue.next_due(), Some(later));
    }

    #[test]
    fn bounds_count_messages_until_they_are_removed() {
        let mut queue = queue(2, 1_000);
        fill(&mut queue, 0..1);
        assert!(queue.has_room());
        fill(&mut queue, 1..2);
        assert!(!queue.has_room() && queue.has_hard_room());
        fill(&mut queue, 2..4);
        assert!(!queue.has_hard_room());
        queue.take(0);
        assert!(!queue.has_hard_room(), "handed out still counts");
        queue.begin_settling(0).expect("it is out");
        assert!(queue.begin_settling(0).is_none(), "once");
        assert!(!queue.has_hard_room(), "being settled still counts");
        assert_eq!(queue.remove(0).map(|(message, consumer)| (message.id, consumer)), Some((0, None)));
        assert!(queue.has_hard_room() && !queue.has_room());
        queue.release(1);
        queue.release(1);
        assert!(queue.has_room());
        assert_eq!(queue.load(), (1, 1));
    }

    #[test]
    fn bounds_count_bytes_and_let_one_body_pass_whatever_its_size() {
        let mut queue = queue(100, 10);
        assert!(queue.has_room());
        queue.reserve(15);
        assert!(!queue.has_room() && queue.has_hard_room());
        queue.reserve(5);
        assert!(!queue.has_hard_room());
        queue.release(15);
        assert!(queue.has_room());
    }
}
