//! The consumers of one queue: how much each may still take, and who waits for a message.
//!
//! A message wakes the consumer that has waited longest; it then takes the message itself. A wake-up is only a hint:
//! another consumer may have been quicker, or the woken one goes away, and then the hint is passed on.

use std::collections::{BTreeMap, VecDeque};
use std::task::Waker;

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    seats: BTreeMap<u64, Seat>,
    /// Those who wait for a message, the longest first. Each is in state `Waiting::Message`.
    idle: VecDeque<u64>,
    next: u64,
}

#[derive(Debug)]
struct Seat {
    /// Deliveries that may be unsettled at a time; 0 = no bound.
    prefetch: u16,
    unsettled: u64,
    waiting: Waiting,
}

#[derive(Debug)]
enum Waiting {
    /// For nothing: its task is elsewhere, or was woken and has not come yet.
    No,
    Message(Waker),
    /// For one of its own deliveries to be settled.
    Capacity(Waker),
}

impl Seats {
    /// A consumer comes.
    pub(crate) fn sit(&mut self, prefetch: u16) -> u64 {
        let number = self.next;
        self.next += 1;
        self.seats.insert(number, Seat { prefetch, unsettled: 0, waiting: Waiting::No });
        number
    }

    /// A consumer goes; what it has handed on is settled without it.
    pub(crate) fn stand(&mut self, seat: u64) {
        self.idle.retain(|idle| *idle != seat);
        self.seats.remove(&seat);
    }

    /// Whether a consumer may take a message; if not, it is noted as waiting for that.
    pub(crate) fn may_take(&mut self, seat: u64, waker: &Waker) -> bool {
        let Some(found) = self.seats.get_mut(&seat) else { return false };
        if found.prefetch == 0 || found.unsettled < u64::from(found.prefetch) {
            return true;
        }
        found.waiting = Waiting::Capacity(waker.clone());
        false
    }

    /// A consumer that may take a message took one.
    pub(crate) fn took(&mut self, seat: u64) {
        let Some(found) = self.seats.get_mut(&seat) else { return };
        found.unsettled += 1;
        if let Waiting::Message(_) = std::mem::replace(&mut found.waiting, Waiting::No) {
            self.idle.retain(|idle| *idle != seat);
        }
    }

    /// A consumer found no message and waits for one; who waits already keeps its place.
    pub(crate) fn wait(&mut self, seat: u64, waker: &Waker) {
        let Some(found) = self.seats.get_mut(&seat) else { return };
        if let Waiting::Message(known) = &mut found.waiting {
            known.clone_from(waker);
            return;
        }
        found.waiting = Waiting::Message(waker.clone());
        self.idle.push_back(seat);
    }

    /// A consumer stops waiting. True when it had been woken, so that someone else should be.
    pub(crate) fn leave(&mut self, seat: u64) -> bool {
        let Some(found) = self.seats.get_mut(&seat) else { return false };
        match std::mem::replace(&mut found.waiting, Waiting::No) {
            Waiting::No => true,
            Waiting::Capacity(_) => false,
            Waiting::Message(_) => {
                self.idle.retain(|idle| *idle != seat);
                false
            }
        }
    }

    /// A delivery of this consumer was settled; whom to wake.
    pub(crate) fn settled(&mut self, seat: u64) -> Option<Waker> {
        let found = self.seats.get_mut(&seat)?;
        found.unsettled = found.unsettled.saturating_sub(1);
        match std::mem::replace(&mut found.waiting, Waiting::No) {
            Waiting::Capacity(waker) => Some(waker),
            other => {
                found.waiting = other;
                None
            }
        }
    }

    /// There is a message: whom to wake, in turn.
    pub(crate) fn wake_one(&mut self) -> Option<Waker> {
        let seat = self.seats.get_mut(&self.idle.pop_front()?)?;
        match std::mem::replace(&mut seat.waiting, Waiting::No) {
            Waiting::Message(waker) | Waiting::Capacity(waker) => Some(waker),
            Waiting::No => None,
        }
    }

    /// All who wait for a message, without taking their places: they set their alarms anew.
    pub(crate) fn idle(&self) -> impl Iterator<Item = Waker> {
        self.seats.values().filter_map(|seat| match &seat.waiting {
            Waiting::Message(waker) => Some(waker.clone()),
            _ => None,
        })
    }

    /// All who wait for anything: the broker is closed.
    pub(crate) fn wake_all(&mut self) -> impl Iterator<Item = Waker> {
        self.idle.clear();
        self.seats.values_mut().filter_map(|seat| match std::mem::replace(&mut seat.waiting, Waiting::No) {
            Waiting::Message(waker) | Waiting::Capacity(waker) => Some(waker),
            Waiting::No => None,
        })
    }

    pub(crate) fn len(&self) -> u64 {
        self.seats.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    /// Wakers that tell who was woken.
    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn bells<const N: usize>() -> ([Arc<Bell>; N], [Waker; N]) {
        let bells: [Arc<Bell>; N] = std::array::from_fn(|_| Arc::default());
        let wakers = std::array::from_fn(|n| Waker::from(Arc::clone(&bells[n])));
        (bells, wakers)
    }

    fn rung(bell: &Bell) -> usize {
        bell.0.load(Ordering::Relaxed)
    }

    #[test]
    fn the_longest_waiting_is_woken_first() {
        let (bells, wakers) = bells::<2>();
        let mut seats = Seats::default();
        let (a, b) = (seats.sit(1), seats.sit(1));
        seats.wait(b, &wakers[1]);
        seats.wait(a, &wakers[0]);
        seats.wait(b, &wakers[1]);
        seats.wake_one().expect("someone").wake();
        assert_eq!((rung(&bells[0]), rung(&bells[1])), (0, 1));
        assert!(seats.leave(b), "woken, so to be passed on");
        seats.wake_one().expect("someone").wake();
        assert_eq!(rung(&bells[0]), 1);
        assert!(seats.wake_one().is_none());
    }

    #[test]
    fn a_consumer_with_full_hands_waits_for_its_own_deliveries() {
        let (bells, wakers) = bells::<1>();
        let mut seats = Seats::default();
        let seat = seats.sit(2);
        for _ in 0..2 {
            assert!(seats.may_take(seat, &wakers[0]));
            seats.took(seat);
        }
        assert!(!seats.may_take(seat, &wakers[0]));
        assert!(seats.wake_one().is_none(), "a message is none of its business");
        seats.settled(seat).expect("waits").wake();
        assert_eq!(rung(&bells[0]), 1);
        assert!(seats.may_take(seat, &wakers[0]));
        seats.took(seat);
        assert!(!seats.may_take(seat, &wakers[0]));
        assert!(!seats.leave(seat));
        assert!(seats.settled(seat).is_none(), "nobody waits any more");
    }

    #[test]
    fn who_leaves_is_not_woken() {
        let (bells, wakers) = bells::<3>();
        let mut seats = Seats::default();
        let all: Vec<u64> = wakers
            .iter()
            .map(|waker| {
                let seat = seats.sit(0);
                seats.wait(seat, waker);
                seat
            })
            .collect();
        seats.stand(all[0]);
        assert!(!seats.leave(all[1]));
        assert_eq!(seats.idle().count(), 1);
        seats.wake_one().expect("the third").wake();
        assert_eq!(bells.each_ref().map(|bell| rung(bell)), [0, 0, 1]);
        assert_eq!(seats.len(), 2);
        assert_eq!(seats.wake_all().count(), 0);
    }
}
