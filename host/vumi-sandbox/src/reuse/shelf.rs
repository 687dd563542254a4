//! Things that wait to be used again: so many at most, for so long at most.
//!
//! The one put down last is taken first, so that those that are not needed any more come to their end. What is thrown
//! away is handed to the caller, who lets go of it outside of any lock.

use std::time::Duration;

use tokio::time::Instant;

/// See the module's text.
pub(super) struct Shelf<T> {
    keep: usize,
    idle: Duration,
    /// In the order in which they were put down.
    waiting: Vec<(Instant, T)>,
}

impl<T> Shelf<T> {
    /// Keeps so many for so long.
    pub(super) fn new(keep: usize, idle: Duration) -> Self {
        Self { keep, idle, waiting: Vec::new() }
    }

    /// Takes one that will do; those that lay above it will not, and come second.
    pub(super) fn take(&mut self, will_do: impl Fn(&T) -> bool) -> (Option<T>, Vec<T>) {
        let mut useless = Vec::new();
        while let Some((_, thing)) = self.waiting.pop() {
            if will_do(&thing) {
                return (Some(thing), useless);
            }
            useless.push(thing);
        }
        (None, useless)
    }

    /// Puts one down; it comes back when there is no room.
    pub(super) fn put(&mut self, thing: T, now: Instant) -> Option<T> {
        if self.waiting.len() >= self.keep {
            return Some(thing);
        }
        self.waiting.push((now, thing));
        None
    }

    /// Takes out what has waited too long.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<T> {
        let count = self.waiting.partition_point(|(since, _)| *since + self.idle <= now);
        self.waiting.drain(..count).map(|(_, thing)| thing).collect()
    }

    /// When the next one will have waited too long; `None` when nothing waits.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.waiting.first().map(|(since, _)| *since + self.idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(60);

    #[test]
    fn the_last_comes_first_and_there_is_a_bound() {
        let (mut shelf, now) = (Shelf::new(2, IDLE), Instant::now());
        assert_eq!((shelf.put(1, now), shelf.put(2, now), shelf.put(3, now)), (None, None, Some(3)));
        assert_eq!(shelf.take(|_| true), (Some(2), vec![]));
        assert_eq!(shelf.take(|_| true), (Some(1), vec![]));
        assert_eq!(shelf.take(|_| true), (None, vec![]));
    }

    #[test]
    fn what_will_not_do_is_handed_out() {
        let (mut shelf, now) = (Shelf::new(9, IDLE), Instant::now());
        (1..=4).for_each(|n| assert_eq!(shelf.put(n, now), None));
        assert_eq!(shelf.take(|n| *n < 3), (Some(2), vec![4, 3]));
        assert_eq!(shelf.take(|n| *n > 5), (None, vec![1]));
        assert_eq!(shelf.next_expiry(), None);
    }

    #[test]
    fn what_has_waited_too_long_goes() {
        let (mut shelf, now) = (Shelf::new(9, IDLE), Instant::now());
        let later = |secs| now + Duration::from_secs(secs);
        (0..3).for_each(|n| assert_eq!(shelf.put(n, later(n * 10)), None));
        assert_eq!((shelf.expired(later(59)), shelf.next_expiry()), (vec![], Some(later(60))));
        assert_eq!((shelf.expired(later(70)), shelf.next_expiry()), (vec![0, 1], Some(later(80))));
        assert_eq!((shelf.expired(later(80)), shelf.next_expiry()), (vec![2], None));
    }
}
