//! The dead letters of one queue: bounded in number and in bytes, the oldest go first.

use std::collections::BTreeMap;

use vumi_core::DeadLetter;

use crate::options::Limits;

/// See the module's text. Numbers grow with time, so their order is the order of death.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    letters: BTreeMap<u64, DeadLetter>,
    bytes: u64,
    max: u64,
    max_bytes: u64,
}

impl DeadLetters {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { letters: BTreeMap::new(), bytes: 0, max: limits.max_dead, max_bytes: limits.bound_bytes }
    }

    /// Adds a letter; the numbers of those that had to go for it. The newest always stays.
    pub(crate) fn insert(&mut self, letter: DeadLetter) -> Vec<u64> {
        self.bytes += letter.body.len() as u64;
        self.letters.insert(letter.id, letter);
        let mut dropped = Vec::new();
        while self.len() > 1 && (self.len() > self.max || self.bytes > self.max_bytes) {
            let Some((id, letter)) = self.letters.pop_first() else { break };
            self.bytes = self.bytes.saturating_sub(letter.body.len() as u64);
            dropped.push(id);
        }
        dropped
    }

    /// Takes a letter out.
    pub(crate) fn take(&mut self, id: u64) -> Option<DeadLetter> {
        let letter = self.letters.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(letter.body.len() as u64);
        Some(letter)
    }

    /// The oldest ones, at most `limit`.
    pub(crate) fn list(&self, limit: usize) -> Vec<DeadLetter> {
        self.letters.values().take(limit).cloned().collect()
    }

    pub(crate) fn len(&self) -> u64 {
        self.letters.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::options::BrokerOptions;

    fn letter(id: u64, size: usize) -> DeadLetter {
        DeadLetter {
            id,
            queue: "q".to_owned(),
            reason: "why".to_owned(),
            at_micros: 0,
            attempts: 1,
            body: Bytes::from(vec![b'x'; size]),
        }
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_too_large() {
        let options = BrokerOptions { max_dead: 3, bound_bytes: 10, ..BrokerOptions::default() };
        let mut dead = DeadLetters::new(Limits::of(&options));
        for id in 0..3 {
            assert!(dead.insert(letter(id, 1)).is_empty());
        }
        assert_eq!(dead.insert(letter(3, 1)), [0]);
        assert_eq!(dead.insert(letter(4, 8)), [1]);
        assert_eq!(dead.insert(letter(5, 50)), [2, 3, 4], "the newest stays however large it is");
        assert_eq!(dead.take(5).map(|letter| letter.id), Some(5));
        assert_eq!(dead.take(5), None);
        assert!(dead.insert(letter(6, 10)).is_empty(), "the bytes of the taken one are free again");
        assert_eq!(dead.list(9).len(), 1);
    }
}
