//! A long random walk, every answer of which is compared with that of a model too simple to be wrong: it copies
//! everything before a change, and takes the copy back when a step fails.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use vumi_core::{Answer, Change, Guard, Op, Scores};

use crate::kit::collections::*;

#[derive(Clone, Debug, PartialEq)]
enum Held {
    Text(String),
    Hash(BTreeMap<String, String>),
    Set(BTreeSet<String>),
    List(Vec<String>),
    Sorted(BTreeMap<String, f64>),
}

impl Held {
    fn len(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::Hash(map) => map.len(),
            Self::Set(set) => set.len(),
            Self::List(list) => list.len(),
            Self::Sorted(map) => map.len(),
        }
    }
}

/// A wrong kind of key.
#[derive(Debug, PartialEq)]
struct Wrong;

#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    now_ms: u64,
    keys: BTreeMap<String, (Held, Option<u64>)>,
}

/// The collection under a key, made if absent; `Err` when it is of another kind.
macro_rules! at {
    ($model:expr, $key:expr, $Kind:ident) => {
        match &mut $model.keys.entry($key.clone()).or_insert((Held::$Kind(Default::default()), None)).0 {
            Held::$Kind(inner) => inner,
            _ => return Err(Wrong),
        }
    };
}

/// The collection under a key, if there; `Err` when it is of another kind.
macro_rules! look {
    ($model:expr, $key:expr, $Kind:ident) => {
        match $model.keys.get($key) {
            None => None,
            Some((Held::$Kind(inner), _)) => Some(inner),
            Some(_) => return Err(Wrong),
        }
    };
}

impl Model {
    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        let now = self.now_ms;
        self.keys.retain(|_, (_, expires)| expires.is_none_or(|at| at > now));
    }

    /// What becomes of a change. Which member a set gives away is for the backend to choose: `real` tells.
    fn apply(&mut self, change: &Change, real: Option<&[Answer]>) -> Result<Option<Vec<Answer>>, Wrong> {
        for guard in &change.guards {
            if !self.holds(guard)? {
                return Ok(None);
            }
        }
        let before = self.clone();
        let mut answers = Vec::new();
        for (n, op) in change.ops.iter().enumerate() {
            match self.step(op, real.and_then(|real| real.get(n))) {
                Ok(answer) => answers.push(answer),
                Err(wrong) => {
                    *self = before;
                    return Err(wrong);
                }
            }
            self.keys.retain(|_, (held, _)| held.len() > 0);
        }
        Ok(Some(answers))
    }

    fn holds(&self, guard: &Guard) -> Result<bool, Wrong> {
        Ok(match guard {
            Guard::Exists { key } => self.keys.contains_key(key),
            Guard::Absent { key } => !self.keys.contains_key(key),
            Guard::TextIs { key, value } => look!(self, key, Text) == value.as_ref(),
            Guard::FieldIs { key, field, value } => {
                look!(self, key, Hash).and_then(|map| map.get(field)) == value.as_ref()
            }
            Guard::Has { key, member } => look!(self, key, Set).is_some_and(|set| set.contains(member)),
            Guard::HasNot { key, member } => !look!(self, key, Set).is_some_and(|set| set.contains(member)),
            Guard::Below { key, len } => match self.keys.get(key) {
                Some((Held::Text(_), _)) => return Err(Wrong),
                held => (held.map_or(0, |(held, _)| held.len()) as u64) < *len,
            },
            Guard::HeadIs { key, value } => look!(self, key, List).and_then(|list| list.first()) == value.as_ref(),
            Guard::TailIs { key, value } => look!(self, key, List).and_then(|list| list.last()) == value.as_ref(),
        })
    }

    fn step(&mut self, op: &Op, real: Option<&Answer>) -> Result<Answer, Wrong> {
        let count = |n: usize| Ok(Answer::Count(n as u64));
        match op {
            Op::SetText { key, value } => {
                self.keys.insert(key.clone(), (Held::Text(value.clone()), None));
                Ok(Answer::Done)
            }
            Op::Delete { keys } => count(keys.iter().filter(|key| self.keys.remove(*key).is_some()).count()),
            Op::Expire { key, ttl_ms } => match self.keys.get_mut(key) {
                Some((_, expires)) => {
                    *expires = Some(self.now_ms + ttl_ms);
                    count(1)
                }
                None => count(0),
            },
            Op::HashSet { key, fields } => {
                let map = at!(self, key, Hash);
                count(fields.iter().filter(|(field, value)| map.insert(field.clone(), value.clone()).is_none()).count())
            }
            Op::HashRemove { key, fields } => {
                let map = at!(self, key, Hash);
                count(fields.iter().filter(|field| map.remove(*field).is_some()).count())
            }
            Op::SetAdd { key, members } => {
                let set = at!(self, key, Set);
                count(members.iter().filter(|member| set.insert((*member).clone())).count())
            }
            Op::SetRemove { key, members } => {
                let set = at!(self, key, Set);
                count(members.iter().filter(|member| set.remove(*member)).count())
            }
            Op::SetPop { key } => {
                let set = at!(self, key, Set);
                let chosen = match real {
                    Some(Answer::Value(Some(member))) if set.contains(member) => Some(member.clone()),
                    _ => set.first().cloned(),
                };
                Ok(Answer::Value(chosen.and_then(|member| set.take(&member))))
            }
            Op::PushHead { key, values } => {
                let list = at!(self, key, List);
                values.iter().for_each(|value| list.insert(0, value.clone()));
                count(list.len())
            }
            Op::PushTail { key, values } => {
                let list = at!(self, key, List);
                list.extend(values.iter().cloned());
                count(list.len())
            }
            Op::PopHead { key } => {
                let list = at!(self, key, List);
                Ok(Answer::Value((!list.is_empty()).then(|| list.remove(0))))
            }
            Op::PopTail { key } => Ok(Answer::Value(at!(self, key, List).pop())),
            Op::ListRemove { key, value } => {
                let list = at!(self, key, List);
                let before = list.len();
                list.retain(|entry| entry != value);
                count(before - list.len())
            }
            Op::SortedAdd { key, member, score } => {
                count(usize::from(at!(self, key, Sorted).insert(member.clone(), *score).is_none()))
            }
            Op::SortedRemove { key, members } => {
                let map = at!(self, key, Sorted);
                count(members.iter().filter(|member| map.remove(*member).is_some()).count())
            }
        }
    }
}

/// A generator of numbers that are the same in every run (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn key(&mut self) -> String {
        format!("k{}", self.below(4))
    }

    fn value(&mut self) -> String {
        ["a", "b", "", "ключ"][self.below(4) as usize].to_owned()
    }

    fn values(&mut self) -> Vec<String> {
        (0..self.below(4)).map(|_| self.value()).collect()
    }

    fn maybe(&mut self) -> Option<String> {
        (self.below(3) > 0).then(|| self.value())
    }

    fn guard(&mut self) -> Guard {
        let key = self.key();
        match self.below(11) {
            0 | 1 => Guard::Exists { key },
            2 | 3 => Guard::Absent { key },
            4 => Guard::TextIs { key, value: self.maybe() },
            5 => Guard::FieldIs { key, field: self.value(), value: self.maybe() },
            6 => Guard::Has { key, member: self.value() },
            7 => Guard::HasNot { key, member: self.value() },
            8 => Guard::Below { key, len: self.below(4) },
            9 => Guard::HeadIs { key, value: self.maybe() },
            _ => Guard::TailIs { key, value: self.maybe() },
        }
    }

    /// Steps of one kind mostly, so that they find what they need.
    fn op(&mut self, kind: u64, ttl_ms: u64) -> Op {
        let key = self.key();
        let kind = if self.below(8) == 0 { self.below(4) } else { kind };
        match (self.below(10), kind) {
            (0, _) => Op::SetText { key, value: self.value() },
            (1, _) => Op::Delete { keys: (0..self.below(3)).map(|_| self.key()).collect() },
            (2, _) => Op::Expire { key, ttl_ms: ttl_ms + self.below(2_000) + 1 },
            (3..=5, 0) => {
                Op::HashSet { key, fields: (0..self.below(4)).map(|_| (self.value(), self.value())).collect() }
            }
            (_, 0) => Op::HashRemove { key, fields: self.values() },
            (3..=5, 1) => Op::SetAdd { key, members: self.values() },
            (6..=7, 1) => Op::SetRemove { key, members: self.values() },
            (_, 1) => Op::SetPop { key },
            (3..=4, 2) => Op::PushHead { key, values: self.values() },
            (5..=6, 2) => Op::PushTail { key, values: self.values() },
            (7, 2) => Op::PopHead { key },
            (8, 2) => Op::PopTail { key },
            (_, 2) => Op::ListRemove { key, value: self.value() },
            (3..=6, 3) => Op::SortedAdd { key, member: self.value(), score: self.below(100) as f64 / 7.0 - 5.0 },
            _ => Op::SortedRemove { key, members: self.values() },
        }
    }
}

async fn assert_same(bench: &Bench, model: &Model, key: &str, step: usize) {
    let all = &bench.all;
    let held = model.keys.get(key);
    let real = match held.map(|(held, _)| held) {
        None => {
            assert_eq!(all.text(key).await.expect("absent"), None, "{key} at step {step}");
            assert_eq!(all.len(key).await.expect("absent"), 0, "{key} at step {step}");
            None
        }
        Some(Held::Text(_)) => all.text(key).await.expect("a text").map(Held::Text),
        Some(Held::Hash(_)) => Some(Held::Hash(all.hash(key).await.expect("a hash"))),
        Some(Held::Set(_)) => Some(Held::Set(all.members(key).await.expect("a set"))),
        Some(Held::List(_)) => Some(Held::List(all.list(key, 0, 1_000).await.expect("a list"))),
        Some(Held::Sorted(_)) => {
            let sorted = all.sorted(key, Scores::default(), 1_000).await.expect("a sorted set");
            assert!(sorted.is_sorted_by(|a, b| (a.1, &a.0) < (b.1, &b.0)), "{sorted:?}");
            Some(Held::Sorted(sorted.into_iter().collect()))
        }
    };
    assert_eq!(real.as_ref(), held.map(|(held, _)| held), "{key} at step {step}");
    let left = all.ttl(key).await.expect("reads");
    let wanted = held.and_then(|(_, expires)| *expires).map(|at| Duration::from_millis(at - model.now_ms));
    if bench.clock.is_some() {
        assert_eq!(left, wanted, "{key} at step {step}");
    } else {
        assert_eq!(left.is_some(), wanted.is_some(), "{key} at step {step}");
    }
}

pub(crate) async fn a_long_random_walk_agrees_with_a_simple_model(bench: Bench) {
    let (mut model, mut dice) = (Model::default(), Dice(11));
    let (mut applied, mut refused, mut wrong) = (0, 0, 0);
    // With Redis, whose clock cannot be moved, no key expires during the walk.
    let ttl_ms = if bench.clock.is_some() { 0 } else { 10_000_000 };
    let steps = if bench.clock.is_some() { 6_000 } else { 2_000 };
    for step in 0..steps {
        if let (Some(clock), 0) = (&bench.clock, dice.below(10)) {
            let ms = dice.below(1_000);
            clock.advance(Duration::from_millis(ms));
            model.pass(ms);
        }
        let kind = dice.below(4);
        let mut change = Change::new();
        for _ in 0..dice.below(4).saturating_sub(1) {
            change = change.when(dice.guard());
        }
        for _ in 0..dice.below(5) {
            change = change.then(dice.op(kind, ttl_ms));
        }
        let real = bench.all.apply(change.clone()).await;
        let before = model.clone();
        let wanted = model.apply(&change, real.as_ref().ok().and_then(Option::as_deref));
        match (real, wanted) {
            (Ok(real), Ok(wanted)) => {
                assert_eq!(real, wanted, "step {step}: {change:?} on {before:?}");
                *(if real.is_some() { &mut applied } else { &mut refused }) += 1;
            }
            (Err(error), Err(Wrong)) => {
                assert!(error.to_string().starts_with("WRONGTYPE"), "step {step}: {error}");
                wrong += 1;
            }
            (real, wanted) => panic!("step {step}: {real:?}, not {wanted:?}: {change:?} on {before:?}"),
        }
        for key in ["k0", "k1", "k2", "k3"] {
            assert_same(&bench, &model, key, step).await;
        }
    }
    // The walk has been everywhere.
    assert!(applied > steps / 5 && refused > steps / 20 && wrong > steps / 20, "{applied} {refused} {wrong}");
}
