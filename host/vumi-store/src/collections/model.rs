//! The collections as plain data: no locks, no clock, no disk.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use vumi_core::{Answer, Change, Guard, Op, Scores};

use crate::StoreError;
use crate::expiry::{is_live, left_ms, moment};

/// What a key holds. Never an empty collection: what becomes empty is removed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Hash(BTreeMap<String, String>),
    Set(BTreeSet<String>),
    List(VecDeque<String>),
    Sorted(BTreeMap<String, f64>),
}

impl Value {
    fn len(&self) -> u64 {
        let len = match self {
            Self::Text(_) => 1,
            Self::Hash(map) => map.len(),
            Self::Set(set) => set.len(),
            Self::List(list) => list.len(),
            Self::Sorted(map) => map.len(),
        };
        len as u64
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) value: Value,
    /// In milliseconds since the epoch.
    pub(super) expires: Option<i64>,
}

/// See the module's text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Model {
    pub(super) entries: BTreeMap<String, Entry>,
}

/// Makes the readers and writers of one kind of collection.
macro_rules! kind {
    ($read:ident, $write:ident, $Variant:ident, $Inner:ty) => {
        fn $read(&self, key: &str, now: i64) -> Result<Option<&$Inner>, StoreError> {
            match self.live(key, now) {
                None => Ok(None),
                Some(Value::$Variant(inner)) => Ok(Some(inner)),
                Some(_) => Err(StoreError::WrongType),
            }
        }

        fn $write(&mut self, key: &str) -> Result<&mut $Inner, StoreError> {
            let fresh = || Entry { value: Value::$Variant(<$Inner>::default()), expires: None };
            match &mut self.entries.entry(key.to_owned()).or_insert_with(fresh).value {
                Value::$Variant(inner) => Ok(inner),
                _ => Err(StoreError::WrongType),
            }
        }
    };
}

impl Model {
    kind!(hash_at, hash_mut, Hash, BTreeMap<String, String>);
    kind!(set_at, set_mut, Set, BTreeSet<String>);
    kind!(list_at, list_mut, List, VecDeque<String>);
    kind!(sorted_at, sorted_mut, Sorted, BTreeMap<String, f64>);

    fn live(&self, key: &str, now: i64) -> Option<&Value> {
        self.entries.get(key).filter(|entry| is_live(entry.expires, now)).map(|entry| &entry.value)
    }

    pub(super) fn text(&self, key: &str, now: i64) -> Result<Option<String>, StoreError> {
        match self.live(key, now) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(StoreError::WrongType),
        }
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
        Ok(list.iter().skip(size(skip)).take(size(limit)).cloned().collect())
    }

    pub(super) fn sorted(
        &self,
        key: &str,
        scores: Scores,
        limit: u64,
        now: i64,
    ) -> Result<Vec<(String, f64)>, StoreError> {
        let Some(map) = self.sorted_at(key, now)? else { return Ok(Vec::new()) };
        let within =
            |score: f64| scores.min.is_none_or(|min| score >= min) && scores.max.is_none_or(|max| score <= max);
        let mut found: Vec<(String, f64)> =
            map.iter().filter(|(_, score)| within(**score)).map(|(member, score)| (member.clone(), *score)).collect();
        found.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        found.truncate(size(limit));
        Ok(found)
    }

    pub(super) fn score(&self, key: &str, member: &str, now: i64) -> Result<Option<f64>, StoreError> {
        Ok(self.sorted_at(key, now)?.and_then(|map| map.get(member).copied()))
    }

    pub(super) fn len(&self, key: &str, now: i64) -> Result<u64, StoreError> {
        match self.live(key, now) {
            Some(Value::Text(_)) => Err(StoreError::WrongType),
            Some(value) => Ok(value.len()),
            None => Ok(0),
        }
    }

    pub(super) fn ttl(&self, key: &str, now: i64) -> Option<Duration> {
        let entry = self.entries.get(key).filter(|entry| is_live(entry.expires, now))?;
        Some(Duration::from_millis(left_ms(entry.expires?, now)))
    }

    pub(super) fn keys(&self, prefix: &str, limit: u64, now: i64) -> Vec<String> {
        let from = self.entries.range(prefix.to_owned()..);
        from.take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(_, entry)| is_live(entry.expires, now))
            .take(size(limit))
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Removes what has expired.
    pub(super) fn sweep(&mut self, now: i64) {
        self.entries.retain(|_, entry| is_live(entry.expires, now));
    }

    /// Makes a change, all of it or nothing.
    pub(super) fn apply(&mut self, change: &Change, now: i64) -> Result<Option<Vec<Answer>>, StoreError> {
        for guard in &change.guards {
            if !self.holds(guard, now)? {
                return Ok(None);
            }
        }
        // What each touched key was, to be put back when a step fails.
        let mut before: BTreeMap<String, Option<Entry>> = BTreeMap::new();
        let mut answers = Vec::with_capacity(change.ops.len());
        for op in &change.ops {
            for key in touched(op) {
                if self.entries.get(key).is_some_and(|entry| !is_live(entry.expires, now)) {
                    self.entries.remove(key);
                }
                before.entry(key.clone()).or_insert_with(|| self.entries.get(key).cloned());
            }
            match self.step(op, now) {
                Ok(answer) => answers.push(answer),
                Err(error) => {
                    for (key, entry) in before {
                        match entry {
                            Some(entry) => drop(self.entries.insert(key, entry)),
                            None => drop(self.entries.remove(&key)),
                        }
                    }
                    return Err(error);
                }
            }
            for key in touched(op) {
                if self.entries.get(key).is_some_and(|entry| entry.value.len() == 0) {
                    self.entries.remove(key);
                }
            }
        }
        Ok(Some(answers))
    }

    fn holds(&self, guard: &Guard, now: i64) -> Result<bool, StoreError> {
        Ok(match guard {
            Guard::Exists { key } => self.live(key, now).is_some(),
            Guard::Absent { key } => self.live(key, now).is_none(),
            Guard::TextIs { key, value } => self.text(key, now)? == *value,
            Guard::FieldIs { key, field, value } => self.field(key, field, now)? == *value,
            Guard::Has { key, member } => self.has(key, member, now)?,
            Guard::HasNot { key, member } => !self.has(key, member, now)?,
            Guard::Below { key, len } => self.len(key, now)? < *len,
            Guard::HeadIs { key, value } => self.list_at(key, now)?.and_then(VecDeque::front) == value.as_ref(),
            Guard::TailIs { key, value } => self.list_at(key, now)?.and_then(VecDeque::back) == value.as_ref(),
        })
    }

    fn step(&mut self, op: &Op, now: i64) -> Result<Answer, StoreError> {
        let count = |n: usize| Ok(Answer::Count(n as u64));
        match op {
            Op::SetText { key, value } => {
                self.entries.insert(key.clone(), Entry { value: Value::Text(value.clone()), expires: None });
                Ok(Answer::Done)
            }
            Op::Delete { keys } => count(keys.iter().filter(|key| self.entries.remove(*key).is_some()).count()),
            Op::Expire { key, ttl_ms } => match self.entries.entry(key.clone()) {
                Slot::Vacant(_) => Ok(Answer::Count(0)),
                Slot::Occupied(mut slot) => {
                    slot.get_mut().expires = Some(moment(now, Duration::from_millis((*ttl_ms).max(1))));
                    Ok(Answer::Count(1))
                }
            },
            Op::HashSet { key, fields } => {
                let map = self.hash_mut(key)?;
                count(fields.iter().filter(|(field, value)| map.insert(field.clone(), value.clone()).is_none()).count())
            }
            Op::HashRemove { key, fields } => {
                let map = self.hash_mut(key)?;
                count(fields.iter().filter(|field| map.remove(*field).is_some()).count())
            }
            Op::SetAdd { key, members } => {
                let set = self.set_mut(key)?;
                count(members.iter().filter(|member| set.insert((*member).clone())).count())
            }
            Op::SetRemove { key, members } => {
                let set = self.set_mut(key)?;
                count(members.iter().filter(|member| set.remove(*member)).count())
            }
            Op::SetPop { key } => Ok(Answer::Value(self.set_mut(key)?.pop_first())),
            Op::PushHead { key, values } => {
                let list = self.list_mut(key)?;
                values.iter().for_each(|value| list.push_front(value.clone()));
                count(list.len())
            }
            Op::PushTail { key, values } => {
                let list = self.list_mut(key)?;
                list.extend(values.iter().cloned());
                count(list.len())
            }
            Op::PopHead { key } => Ok(Answer::Value(self.list_mut(key)?.pop_front())),
            Op::PopTail { key } => Ok(Answer::Value(self.list_mut(key)?.pop_back())),
            Op::ListRemove { key, value } => {
                let list = self.list_mut(key)?;
                let before = list.len();
                list.retain(|entry| entry != value);
                count(before - list.len())
            }
            Op::SortedAdd { key, member, score } => {
                if !score.is_finite() {
                    return Err(StoreError::NotAScore);
                }
                count(usize::from(self.sorted_mut(key)?.insert(member.clone(), *score).is_none()))
            }
            Op::SortedRemove { key, members } => {
                let map = self.sorted_mut(key)?;
                count(members.iter().filter(|member| map.remove(*member).is_some()).count())
            }
        }
    }
}

fn touched(op: &Op) -> &[String] {
    match op {
        Op::Delete { keys } => keys,
        Op::SetText { key, .. }
        | Op::Expire { key, .. }
        | Op::HashSet { key, .. }
        | Op::HashRemove { key, .. }
        | Op::SetAdd { key, .. }
        | Op::SetRemove { key, .. }
        | Op::SetPop { key }
        | Op::PushHead { key, .. }
        | Op::PushTail { key, .. }
        | Op::PopHead { key }
        | Op::PopTail { key }
        | Op::ListRemove { key, .. }
        | Op::SortedAdd { key, .. }
        | Op::SortedRemove { key, .. } => std::slice::from_ref(key),
    }
}

fn size(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
