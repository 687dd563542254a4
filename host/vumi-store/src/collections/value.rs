//! What a key of the embedded collections holds, and what that costs.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::flat::score_text;

/// What a field, a member or a value costs beside its bytes: its place in a tree or list.
pub(super) const UPKEEP: usize = 64;

/// What a key holds. Never an empty collection: what becomes empty is removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Value {
    Text(String),
    Hash(BTreeMap<String, String>),
    Set(BTreeSet<String>),
    List(VecDeque<String>),
    Sorted(Sorted),
}

/// The kinds of [`Value`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Hash,
    Set,
    List,
    Sorted,
}

impl Kind {
    /// One without anything in it yet.
    pub(super) fn empty(self) -> Value {
        match self {
            Self::Text => Value::Text(String::new()),
            Self::Hash => Value::Hash(BTreeMap::new()),
            Self::Set => Value::Set(BTreeSet::new()),
            Self::List => Value::List(VecDeque::new()),
            Self::Sorted => Value::Sorted(Sorted::default()),
        }
    }
}

impl Value {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Hash(_) => Kind::Hash,
            Self::Set(_) => Kind::Set,
            Self::List(_) => Kind::List,
            Self::Sorted(_) => Kind::Sorted,
        }
    }

    /// How many entries; a text is one.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::Hash(map) => map.len(),
            Self::Set(set) => set.len(),
            Self::List(list) => list.len(),
            Self::Sorted(sorted) => sorted.scores.len(),
        }
    }

    /// Bytes, upkeep included. Goes through all entries.
    pub(super) fn cost(&self) -> usize {
        match self {
            Self::Text(text) => cost(text),
            Self::Hash(map) => map.iter().map(|(field, value)| cost(field) + value.len()).sum(),
            Self::Set(set) => set.iter().map(|member| cost(member)).sum(),
            Self::List(list) => list.iter().map(|value| cost(value)).sum(),
            Self::Sorted(sorted) => sorted.scores.keys().map(|member| cost(member)).sum(),
        }
    }
}

/// Bytes of one entry.
pub(super) fn cost(text: &str) -> usize {
    text.len().saturating_add(UPKEEP)
}

/// Members with scores, found by either.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(String, String)>", into = "Vec<(String, String)>")]
pub(super) struct Sorted {
    scores: HashMap<Arc<str>, f64>,
    order: BTreeSet<(Score, Arc<str>)>,
}

/// A finite number in its order.
#[derive(Clone, Copy, Debug)]
struct Score(f64);

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Score {}

impl Sorted {
    /// Adds a member or gives it another score; true when it is new.
    pub(super) fn insert(&mut self, member: &str, score: f64) -> bool {
        // The two zeros are one number and must have one place in the order.
        let score = score + 0.0;
        let name = match self.scores.get_key_value(member) {
            Some((name, old)) => {
                let name = Arc::clone(name);
                self.order.remove(&(Score(*old), Arc::clone(&name)));
                name
            }
            None => Arc::from(member),
        };
        self.order.insert((Score(score), Arc::clone(&name)));
        self.scores.insert(name, score).is_none()
    }

    /// Removes a member; true when it was there.
    pub(super) fn remove(&mut self, member: &str) -> bool {
        let Some((name, score)) = self.scores.remove_entry(member) else { return false };
        self.order.remove(&(Score(score), name));
        true
    }

    pub(super) fn score(&self, member: &str) -> Option<f64> {
        self.scores.get(member).copied()
    }

    /// Members with scores from `min` to `max`, lowest first, equal scores by member.
    pub(super) fn range(&self, min: Option<f64>, max: Option<f64>) -> impl Iterator<Item = (&str, f64)> {
        let from = (Score(min.unwrap_or(f64::NEG_INFINITY) + 0.0), Arc::from(""));
        self.order
            .range(from..)
            .map(|(score, member)| (&**member, score.0))
            .take_while(move |(_, score)| max.is_none_or(|max| *score <= max))
    }
}

impl From<Sorted> for Vec<(String, String)> {
    fn from(sorted: Sorted) -> Self {
        // As text: a number in JSON is not always read as the one that was written.
        sorted.order.iter().map(|(score, member)| (String::from(&**member), score_text(score.0))).collect()
    }
}

impl TryFrom<Vec<(String, String)>> for Sorted {
    type Error = StoreError;

    fn try_from(members: Vec<(String, String)>) -> Result<Self, StoreError> {
        let mut sorted = Self::default();
        for (member, score) in members {
            let score: f64 = score.parse().map_err(|_| StoreError::NotAScore)?;
            sorted.insert(&member, score);
        }
        Ok(sorted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_in_order_of_score_then_bytes() {
        let mut sorted = Sorted::default();
        for (member, score) in [("b", 0.0), ("a", -0.0), ("c", -1.5), ("z", 1e300), ("é", 0.0)] {
            assert!(sorted.insert(member, score));
        }
        assert!(!sorted.insert("z", 2.0));
        let all: Vec<_> = sorted.range(None, None).collect();
        assert_eq!(all, [("c", -1.5), ("a", 0.0), ("b", 0.0), ("é", 0.0), ("z", 2.0)]);
        let zeros: Vec<_> = sorted.range(Some(-0.0), Some(0.0)).map(|(member, _)| member).collect();
        assert_eq!(zeros, ["a", "b", "é"]);
        assert_eq!(sorted.range(Some(3.0), Some(-3.0)).count(), 0);
        assert!(sorted.remove("b") && !sorted.remove("b"));
        assert_eq!((sorted.score("z"), sorted.score("b")), (Some(2.0), None));
    }

    #[test]
    fn values_are_read_from_json_as_they_were_written() {
        let mut sorted = Sorted::default();
        sorted.insert("\0m", 0.1 + 0.2);
        sorted.insert("n", 5e-324);
        for value in [
            Value::Text("ключ\0".to_owned()),
            Value::Hash([("f".to_owned(), String::new())].into()),
            Value::Set(["a".to_owned(), "b".to_owned()].into()),
            Value::List(["x".to_owned(), "x".to_owned()].into()),
            Value::Sorted(sorted),
        ] {
            let text = serde_json::to_string(&value).expect("writes");
            assert_eq!(serde_json::from_str::<Value>(&text).expect(&text), value);
        }
    }
}
