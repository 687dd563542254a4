//! Changes of the collections: all steps or none.
//!
//! Whether a step finds the kind of key that it needs is looked at before the first one is made, so that nothing has to
//! be taken back. That cannot always be told: a step that removes may empty a collection, and the key is free then for
//! another kind. Only in that case are the touched keys copied before. (The script for Redis does the same.)

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use vumi_core::{Answer, Change, Op};

use super::entries::{Changed, Entry, key_cost};
use super::model::Model;
use super::value::{Kind, UPKEEP, Value, cost};
use crate::expiry::moment;
use crate::flat::op_keys;
use crate::{MemoryBounds, StoreError};

/// Expired keys that one change throws away: more than one, so that they go faster than they come.
const SWEPT_PER_CHANGE: usize = 16;

/// What can be told of steps before they are made.
#[derive(Debug, PartialEq)]
enum Outlook {
    Fine,
    Wrong,
    Unsure,
}

impl Model {
    /// Makes a change, all of it or nothing; throws some of what has expired away. [`crate::flat::check`] comes first.
    pub(super) fn apply(
        &mut self,
        change: &Change,
        bounds: &MemoryBounds,
        now: i64,
    ) -> Result<Option<Vec<Answer>>, StoreError> {
        for _ in 0..SWEPT_PER_CHANGE {
            if !self.sweep_one(now) {
                break;
            }
        }
        for guard in &change.guards {
            if !self.holds(guard, now)? {
                return Ok(None);
            }
        }
        let outlook = self.outlook(&change.ops, now);
        if outlook == Outlook::Wrong {
            return Err(StoreError::WrongType);
        }
        self.make_room(&change.ops, bounds, now)?;
        for key in change.ops.iter().flat_map(op_keys) {
            if self.entries.get(key).is_some() && self.live(key, now).is_none() {
                self.entries.remove(key);
                self.swept.push(key.clone());
            }
        }
        let mut before: BTreeMap<&String, Option<Entry>> = BTreeMap::new();
        if outlook == Outlook::Unsure {
            before = change.ops.iter().flat_map(op_keys).map(|key| (key, self.entries.get(key).cloned())).collect();
        }
        let answers: Result<Vec<Answer>, StoreError> = change.ops.iter().map(|op| self.step(op, now)).collect();
        if answers.is_err() {
            for (key, entry) in before {
                match entry {
                    Some(entry) => self.entries.insert(key, entry),
                    None => drop(self.entries.remove(key)),
                }
            }
        }
        answers.map(Some)
    }

    /// Makes steps that were made before, at the time at which they were made: nothing is asked any more.
    pub(super) fn replay(&mut self, ops: &[Op], at: i64) -> Result<(), StoreError> {
        for op in ops {
            for key in op_keys(op) {
                if self.live(key, at).is_none() {
                    self.entries.remove(key);
                }
            }
            self.step(op, at)?;
        }
        Ok(())
    }

    /// Throws the key away that expired first; false when none has.
    fn sweep_one(&mut self, now: i64) -> bool {
        let Some(key) = self.entries.due(now) else { return false };
        self.entries.remove(&key);
        self.swept.push(key);
        true
    }

    /// Makes sure that what the steps add has a place. What does not grow is let through even beyond the bound.
    fn make_room(&mut self, ops: &[Op], bounds: &MemoryBounds, now: i64) -> Result<(), StoreError> {
        let (mut keys, mut bytes) = (0_usize, 0_usize);
        for op in ops {
            let added = added(op);
            if let (Some(added), [key]) = (added, op_keys(op)) {
                let new = self.live(key, now).is_none();
                keys += usize::from(new);
                bytes = bytes.saturating_add(added).saturating_add(if new { key_cost(key) } else { 0 });
            }
        }
        loop {
            let full = (keys > 0 && self.entries.len().saturating_add(keys) > bounds.keys)
                || (bytes > 0 && self.entries.bytes().saturating_add(bytes) > bounds.bytes);
            if !full {
                return Ok(());
            }
            if !self.sweep_one(now) {
                return Err(StoreError::CollectionsFull { keys: bounds.keys, bytes: bounds.bytes });
            }
        }
    }

    fn outlook(&self, ops: &[Op], now: i64) -> Outlook {
        /// What a key will be, and whether it may have become free.
        type Will<'a> = HashMap<&'a str, (Option<Kind>, bool)>;
        let mut will: Will<'_> = HashMap::new();
        for op in ops {
            match (op, needs(op), op_keys(op)) {
                (Op::SetText { key, .. }, ..) => drop(will.insert(key, (Some(Kind::Text), false))),
                (Op::Delete { keys }, ..) => will.extend(keys.iter().map(|key| (key.as_str(), (None, false)))),
                (_, Some(kind), [key]) => {
                    let is = || (self.live(key, now).map(Value::kind), false);
                    let known = will.entry(key).or_insert_with(is);
                    match *known {
                        (Some(is), free) if is != kind => return if free { Outlook::Unsure } else { Outlook::Wrong },
                        _ => {}
                    }
                    match added(op) {
                        Some(bytes) if bytes > 0 => *known = (Some(kind), false),
                        Some(_) => {}
                        None => known.1 = true,
                    }
                }
                _ => {}
            }
        }
        Outlook::Fine
    }

    /// Makes one step on keys that have not expired.
    fn step(&mut self, op: &Op, now: i64) -> Result<Answer, StoreError> {
        if let (Some(kind), [key]) = (needs(op), op_keys(op)) {
            let wrong = self.entries.get(key).is_some_and(|entry| entry.value.kind() != kind);
            return if wrong { Err(StoreError::WrongType) } else { Ok(self.in_collection(op, key, kind)) };
        }
        Ok(match op {
            Op::SetText { key, value } => {
                self.entries.insert(key, Entry::new(Value::Text(value.clone()), None));
                Answer::Done
            }
            Op::Delete { keys } => {
                Answer::Count(keys.iter().filter(|key| self.entries.remove(key).is_some()).count() as u64)
            }
            Op::Expire { key, ttl_ms } => {
                let at = moment(now, Duration::from_millis((*ttl_ms).max(1)));
                Answer::Count(u64::from(self.entries.expire(key, at)))
            }
            _ => Answer::Done,
        })
    }

    /// A step on a collection of the right kind, or on none.
    fn in_collection(&mut self, op: &Op, key: &str, kind: Kind) -> Answer {
        self.entries.change(key, kind, |value| {
            let (mut gained, mut lost) = (0, 0);
            let mut count = 0_u64;
            let answer = match (op, value) {
                (Op::HashSet { fields, .. }, Value::Hash(map)) => {
                    for (field, value) in fields {
                        gained += value.len();
                        match map.insert(field.clone(), value.clone()) {
                            Some(before) => lost += before.len(),
                            None => (gained, count) = (gained + cost(field), count + 1),
                        }
                    }
                    Answer::Count(count)
                }
                (Op::HashRemove { fields, .. }, Value::Hash(map)) => {
                    for field in fields {
                        if let Some(value) = map.remove(field) {
                            (lost, count) = (lost + cost(field) + value.len(), count + 1);
                        }
                    }
                    Answer::Count(count)
                }
                (Op::SetAdd { members, .. }, Value::Set(set)) => {
                    for member in members {
                        if set.insert(member.clone()) {
                            (gained, count) = (gained + cost(member), count + 1);
                        }
                    }
                    Answer::Count(count)
                }
                (Op::SetRemove { members, .. }, Value::Set(set)) => {
                    for member in members {
                        if set.remove(member) {
                            (lost, count) = (lost + cost(member), count + 1);
                        }
                    }
                    Answer::Count(count)
                }
                (Op::SetPop { .. }, Value::Set(set)) => taken(set.pop_first(), &mut lost),
                (Op::PushHead { values, .. }, Value::List(list)) => {
                    for value in values {
                        gained += cost(value);
                        list.push_front(value.clone());
                    }
                    Answer::Count(list.len() as u64)
                }
                (Op::PushTail { values, .. }, Value::List(list)) => {
                    gained = values.iter().map(|value| cost(value)).sum();
                    list.extend(values.iter().cloned());
                    Answer::Count(list.len() as u64)
                }
                (Op::PopHead { .. }, Value::List(list)) => taken(list.pop_front(), &mut lost),
                (Op::PopTail { .. }, Value::List(list)) => taken(list.pop_back(), &mut lost),
                (Op::ListRemove { value, .. }, Value::List(list)) => {
                    let before = list.len();
                    list.retain(|entry| entry != value);
                    lost = (before - list.len()) * cost(value);
                    Answer::Count((before - list.len()) as u64)
                }
                (Op::SortedAdd { member, score, .. }, Value::Sorted(sorted)) => {
                    let new = sorted.insert(member, *score);
                    gained = if new { cost(member) } else { 0 };
                    Answer::Count(u64::from(new))
                }
                (Op::SortedRemove { members, .. }, Value::Sorted(sorted)) => {
                    for member in members {
                        if sorted.remove(member) {
                            (lost, count) = (lost + cost(member), count + 1);
                        }
                    }
                    Answer::Count(count)
                }
                _ => Answer::Done,
            };
            Changed { answer, gained, lost }
        })
    }
}

fn taken(value: Option<String>, lost: &mut usize) -> Answer {
    *lost = value.as_deref().map_or(0, cost);
    Answer::Value(value)
}

/// The kind of collection that a step is for; none for those that take any key.
fn needs(op: &Op) -> Option<Kind> {
    match op {
        Op::SetText { .. } | Op::Delete { .. } | Op::Expire { .. } => None,
        Op::HashSet { .. } | Op::HashRemove { .. } => Some(Kind::Hash),
        Op::SetAdd { .. } | Op::SetRemove { .. } | Op::SetPop { .. } => Some(Kind::Set),
        Op::PushHead { .. } | Op::PushTail { .. } | Op::PopHead { .. } | Op::PopTail { .. } | Op::ListRemove { .. } => {
            Some(Kind::List)
        }
        Op::SortedAdd { .. } | Op::SortedRemove { .. } => Some(Kind::Sorted),
    }
}

/// Bytes that a step adds at most; none for one that only removes or sets an expiry.
fn added(op: &Op) -> Option<usize> {
    let all = |values: &[String]| values.iter().map(|value| cost(value)).fold(0, usize::saturating_add);
    match op {
        Op::SetText { value, .. } => Some(cost(value)),
        Op::HashSet { fields, .. } => {
            let costs = fields.iter().map(|(field, value)| cost(field).saturating_add(value.len()));
            Some(costs.fold(0, usize::saturating_add))
        }
        Op::SetAdd { members, .. } => Some(all(members)),
        Op::PushHead { values, .. } | Op::PushTail { values, .. } => Some(all(values)),
        Op::SortedAdd { member, .. } => Some(member.len().saturating_add(UPKEEP)),
        _ => None,
    }
}

/// Whether a step that answered so has changed anything.
pub(super) fn has_changed(op: &Op, answer: &Answer) -> bool {
    match added(op) {
        Some(bytes) => bytes > 0,
        None => !matches!(answer, Answer::Count(0) | Answer::Value(None)),
    }
}

#[cfg(test)]
mod tests;
