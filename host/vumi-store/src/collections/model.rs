//! The collections as plain data: no locks, no clock, no disk. Reads are here, changes in [`super::steps`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use vumi_core::{Guard, Scores};

use super::entries::Entries;
use super::value::{Sorted, Value};
use crate::StoreError;
use crate::expiry::left_ms;

/// See the module's text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Model {
    pub(super) entries: Entries,
    /// Keys that were removed because they had expired, and not by a step of a change: whoever keeps a log of changes
    /// takes them from here.
    pub(super) swept: Vec<String>,
}

/// Makes the reader of one kind of collection.
macro_rules! kind {
    ($read:ident, $Variant:ident, $Inner:ty) => {
        fn $read(&self, key: &str, now: i64) -> Result<Option<&$Inner>, StoreError> {
            match self.live(key, now) {
                None => Ok(None),
                Some(Value::$Variant(inner)) => Ok(Some(inner)),
                Some(_) => Err(StoreError::WrongType),
            }
        }
    };
}

impl Model {
    kind!(text_at, Text, String);
    kind!(hash_at, Hash, BTreeMap<String, String>);
    kind!(set_at, Set, BTreeSet<String>);
    kind!(list_at, List, VecDeque<String>);
    kind!(sorted_at, Sorted, Sorted);

    pub(super) fn live(&self, key: &str, now: i64) -> Option<&Value> {
        self.entries.live(key, now).map(|entry| &entry.value)
    }

    pub(super) fn text(&self, key: &str, now: i64) -> Result<Option<String>, StoreError> {
        Ok(self.text_at(key, now)?.cloned())
    }

    pub(super) fn hash(&self, key: &str, now: i64) -> Result<BTreeMap<String, String>, StoreError> {
        Ok(self.hash_at(key, now)?.cloned().unwrap_or_default())
    }

    pub(super) fn field(&self, key: &str, field: &str, now: i64) -> Result<Option<String>, StoreError> {
        Ok(self.hash_at(key, now)?.and_then(|map| map.get(field).cloned()))
    }

    pub(super) fn members(&self, key: &str, now: i64) -> Result<BTreeSet<String>, StoreError> {
        Ok(self.set_at(key, now)?.cloned().unwrap_or_default())
    }

    pub(super) fn has(&self, key: &str, member: &str, now: i64) -> Result<bool, StoreError> {
        Ok(self.set_at(key, now)?.is_some_and(|set| set.contains(member)))
    }

    pub(super) fn list(&self, key: &str, skip: u64, limit: u64, now: i64) -> Result<Vec<String>, StoreError> {
        let Some(list) = self.list_at(key, now)? else { return Ok(Vec::new()) };
        let from = size(skip).min(list.len());
        Ok(list.range(from..).take(size(limit)).cloned().collect())
    }

    pub(super) fn sorted(
        &self,
        key: &str,
        scores: Scores,
        limit: u64,
        now: i64,
    ) -> Result<Vec<(String, f64)>, StoreError> {
        if [scores.min, scores.max].into_iter().flatten().any(f64::is_nan) {
            return Err(StoreError::NotAScore);
        }
        let Some(sorted) = self.sorted_at(key, now)? else { return Ok(Vec::new()) };
        let members = sorted.range(scores.min, scores.max).take(size(limit));
        Ok(members.map(|(member, score)| (member.to_owned(), score)).collect())
    }

    pub(super) fn score(&self, key: &str, member: &str, now: i64) -> Result<Option<f64>, StoreError> {
        Ok(self.sorted_at(key, now)?.and_then(|sorted| sorted.score(member)))
    }

    pub(super) fn len(&self, key: &str, now: i64) -> Result<u64, StoreError> {
        match self.live(key, now) {
            Some(Value::Text(_)) => Err(StoreError::WrongType),
            Some(value) => Ok(value.len() as u64),
            None => Ok(0),
        }
    }

    pub(super) fn ttl(&self, key: &str, now: i64) -> Option<Duration> {
        let expires = self.entries.live(key, now)?.expires?;
        Some(Duration::from_millis(left_ms(expires, now)))
    }

    pub(super) fn keys(&self, prefix: &str, limit: u64, now: i64) -> Vec<String> {
        self.entries.live_from(prefix, now).take(size(limit)).cloned().collect()
    }

    pub(super) fn holds(&self, guard: &Guard, now: i64) -> Result<bool, StoreError> {
        Ok(match guard {
            Guard::Exists { key } => self.live(key, now).is_some(),
            Guard::Absent { key } => self.live(key, now).is_none(),
            Guard::TextIs { key, value } => self.text_at(key, now)? == value.as_ref(),
            Guard::FieldIs { key, field, value } => {
                self.hash_at(key, now)?.and_then(|map| map.get(field)) == value.as_ref()
            }
            Guard::Has { key, member } => self.has(key, member, now)?,
            Guard::HasNot { key, member } => !self.has(key, member, now)?,
            Guard::Below { key, len } => self.len(key, now)? < *len,
            Guard::HeadIs { key, value } => self.list_at(key, now)?.and_then(VecDeque::front) == value.as_ref(),
            Guard::TailIs { key, value } => self.list_at(key, now)?.and_then(VecDeque::back) == value.as_ref(),
        })
    }
}

fn size(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
