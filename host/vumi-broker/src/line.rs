//! Those who wait until a queue has room, first come, first served.
//!
//! A publisher leaves its body here, and whoever makes room publishes it: so the order of coming is the order in the
//! queue, whichever task runs first afterwards. Others only want to know that there is room; they stand in the same
//! line, so that neither kind starves the other.

use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::sync::oneshot;
use vumi_core::{Confirm, Result};

/// Who waits.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// A publisher with its body, and where it waits for the confirm.
    Publisher(Bytes, oneshot::Sender<Result<Confirm>>),
    /// Someone who waits for room alone.
    Observer(oneshot::Sender<()>),
}

/// See the module's text. As long as the callers: each is a call that has not returned.
#[derive(Debug, Default)]
pub(crate) struct Line {
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
}

impl Line {
    /// Joins at the end; the number to leave with.
    pub(crate) fn join(&mut self, who: Waiting) -> u64 {
        let number = self.next;
        self.next += 1;
        self.waiting.insert(number, who);
        number
    }

    /// Leaves early. False when the turn had come already.
    pub(crate) fn leave(&mut self, number: u64) -> bool {
        self.waiting.remove(&number).is_some()
    }

    /// Whose turn it is.
    pub(crate) fn call(&mut self) -> Option<Waiting> {
        self.waiting.pop_first().map(|(_, who)| who)
    }

    /// Sends everybody away: the broker is closed.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_come_first_served() {
        let mut line = Line::default();
        let mut numbers = Vec::new();
        for body in ["a", "b", "c"] {
            numbers.push(line.join(Waiting::Publisher(Bytes::from(body), oneshot::channel().0)));
        }
        assert!(line.leave(numbers[1]));
        assert!(!line.leave(numbers[1]));
        let called = std::iter::from_fn(|| line.call()).map(|who| match who {
            Waiting::Publisher(body, _) => body,
            Waiting::Observer(_) => Bytes::from("?"),
        });
        assert_eq!(called.collect::<Vec<_>>(), ["a", "c"]);
    }
}
