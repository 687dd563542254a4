//! The numbered, bounded stream of everything that happens.
//!
//! Workers publish into the hub and never wait for anybody. The newest events stay in a ring, so that a client that
//! lost its connection can go on where it was. Each subscriber reads at its own pace; one that falls behind by more
//! than the ring's size learns how many events it missed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::model::{Sequenced, SystemEvent};

/// Where events go in and subscribers take them out.
#[derive(Debug)]
pub struct EventHub {
    ring: Mutex<Ring>,
    sender: broadcast::Sender<Arc<Sequenced>>,
    capacity: usize,
}

#[derive(Debug)]
struct Ring {
    first_id: u64,
    next_id: u64,
    events: VecDeque<Arc<Sequenced>>,
}

/// What a client that comes back can no longer get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// Nothing is missing.
    Nothing,
    /// So many events have left the ring.
    Events(u64),
    /// The client's last event is from another process: there is no telling.
    Unknown,
}

/// A subscriber's view of the stream, without a gap between its parts.
#[derive(Debug)]
pub struct Subscription {
    /// What was lost before `replay`.
    pub missed: Missed,
    /// The events after the client's last one that the ring still holds, oldest first.
    pub replay: Vec<Arc<Sequenced>>,
    /// The id of the newest event at the time of subscribing; `receiver` goes on after it.
    pub last_id: u64,
    /// Every event from now on.
    pub receiver: broadcast::Receiver<Arc<Sequenced>>,
}

impl EventHub {
    /// A hub whose ring and whose slowest subscriber hold `capacity` events (at least one).
    ///
    /// Ids begin at the current time in microseconds, so that they are greater than all ids of an earlier process and
    /// a client's `Last-Event-ID` never points at another event than it saw.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |elapsed| elapsed.as_micros());
        let first_id = u64::try_from(micros).unwrap_or(1);
        Self {
            ring: Mutex::new(Ring { first_id, next_id: first_id, events: VecDeque::new() }),
            sender: broadcast::channel(capacity).0,
            capacity,
        }
    }

    /// Adds an event and gives it to all subscribers; answers with its id. Never waits for a subscriber.
    pub fn publish(&self, event: SystemEvent) -> u64 {
        // Sending happens under the lock: a subscriber sees exactly the events that its replay does not hold.
        let mut ring = self.ring.lock();
        let id = ring.next_id;
        ring.next_id = id.saturating_add(1);
        let event = Arc::new(Sequenced { id, event });
        if ring.events.len() >= self.capacity {
            ring.events.pop_front();
        }
        ring.events.push_back(Arc::clone(&event));
        // An error only says that nobody listens.
        let _ = self.sender.send(event);
        id
    }

    /// Subscribes. With `last_seen`, the id of the last event that the client got, the events since then come first
    /// as far as the ring still holds them.
    #[must_use]
    pub fn subscribe(&self, last_seen: Option<u64>) -> Subscription {
        let ring = self.ring.lock();
        let last_id = ring.next_id.saturating_sub(1);
        let receiver = self.sender.subscribe();
        let Some(seen) = last_seen else {
            return Subscription { missed: Missed::Nothing, replay: Vec::new(), last_id, receiver };
        };
        // `first_id - 1` is what a client of a stream without any event yet has seen.
        let known = seen.saturating_add(1) >= ring.first_id && seen <= last_id;
        let oldest = ring.events.front().map_or(ring.next_id, |event| event.id);
        let missed = if !known {
            Missed::Unknown
        } else {
            match oldest.saturating_sub(seen.saturating_add(1)) {
                0 => Missed::Nothing,
                count => Missed::Events(count),
            }
        };
        let replay = if known {
            let newer = ring.events.iter().filter(|event| event.id > seen);
            newer.cloned().collect()
        } else {
            Vec::new()
        };
        Subscription { missed, replay, last_id, receiver }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LogLevel, LogLine};

    fn line(text: &str) -> SystemEvent {
        SystemEvent::Log(LogLine {
            seq: 1,
            at: 1,
            app: "echo".into(),
            level: LogLevel::Info,
            text: text.into(),
            message_id: None,
            user: None,
        })
    }

    fn ids(events: &[Arc<Sequenced>]) -> Vec<u64> {
        events.iter().map(|event| event.id).collect()
    }

    #[test]
    fn replay_and_live_meet_without_gap_or_repetition() {
        let hub = EventHub::new(8);
        let first = hub.publish(line("one"));
        let second = hub.publish(line("two"));
        let mut subscription = hub.subscribe(Some(first));
        assert_eq!(subscription.missed, Missed::Nothing);
        assert_eq!(ids(&subscription.replay), [second]);
        let third = hub.publish(line("three"));
        assert_eq!(subscription.receiver.try_recv().unwrap().id, third);
        assert!(subscription.receiver.try_recv().is_err());
    }

    #[test]
    fn a_ring_that_moved_on_tells_how_much_is_missing() {
        let hub = EventHub::new(2);
        let seen = hub.publish(line("seen"));
        for _ in 0..5 {
            hub.publish(line("later"));
        }
        let subscription = hub.subscribe(Some(seen));
        assert_eq!(subscription.missed, Missed::Events(3));
        assert_eq!(ids(&subscription.replay), [seen + 4, seen + 5]);
    }

    #[test]
    fn an_id_of_another_process_is_not_mistaken_for_one_of_this() {
        let hub = EventHub::new(4);
        let id = hub.publish(line("mine"));
        for foreign in [0, 17, id - 2, id + 1, u64::MAX] {
            let subscription = hub.subscribe(Some(foreign));
            assert_eq!(subscription.missed, Missed::Unknown, "{foreign}");
            assert!(subscription.replay.is_empty());
        }
    }

    #[test]
    fn a_client_that_saw_nothing_yet_gets_everything() {
        let hub = EventHub::new(4);
        let before = hub.subscribe(None).last_id;
        let id = hub.publish(line("first"));
        let subscription = hub.subscribe(Some(before));
        assert_eq!(subscription.missed, Missed::Nothing);
        assert_eq!(ids(&subscription.replay), [id]);
    }
}
