//! Collections: hashes, sets, lists and sorted sets under keys, for what is more than a small value.
//!
//! Sessions, tag pools, windows, schedules and stored failures keep the layout that Vumi gave them in Redis, so the
//! model here is that of Redis: a collection exists while it holds something, every key may expire, and reading a key
//! as what it is not is an error. What Redis would need scripts for is one call here: [`Collections::apply`] checks
//! guards and makes changes in one step, or does nothing. Whoever must decide on what it read, reads, builds a
//! [`Change`] whose guards say what it relied on, and starts again when a guard no longer holds.
//!
//! Texts kept through a [`crate::KvStore`] and those kept here are not the same keys, except in Redis: a key belongs
//! to one of the two.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use crate::error::Result;

/// A condition of a [`Change`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "if", rename_all = "snake_case")]
pub enum Guard {
    /// The key holds something.
    Exists {
        /// Key.
        key: String,
    },
    /// The key holds nothing.
    Absent {
        /// Key.
        key: String,
    },
    /// The text under the key is this one, or absent.
    TextIs {
        /// Key of a text.
        key: String,
        /// What it must be.
        value: Option<String>,
    },
    /// A field of a hash has this value, or is absent.
    FieldIs {
        /// Key of a hash.
        key: String,
        /// Field.
        field: String,
        /// What it must be.
        value: Option<String>,
    },
    /// A set holds a member.
    Has {
        /// Key of a set.
        key: String,
        /// Member.
        member: String,
    },
    /// A set does not hold a member.
    HasNot {
        /// Key of a set.
        key: String,
        /// Member.
        member: String,
    },
    /// The number of entries (of a list, set, sorted set or hash) is below this.
    Below {
        /// Key.
        key: String,
        /// Bound.
        len: u64,
    },
    /// The first entry of a list is this one, or the list is empty.
    HeadIs {
        /// Key of a list.
        key: String,
        /// What it must be.
        value: Option<String>,
    },
    /// The last entry of a list is this one, or the list is empty.
    TailIs {
        /// Key of a list.
        key: String,
        /// What it must be.
        value: Option<String>,
    },
}

/// One step of a [`Change`]. Each has an [`Answer`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Op {
    /// Sets a text, whatever was there; answers [`Answer::Done`].
    SetText {
        /// Key.
        key: String,
        /// Text.
        value: String,
    },
    /// Removes keys of any kind; answers how many there were.
    Delete {
        /// Keys.
        keys: Vec<String>,
    },
    /// Lets a key expire after a time (at least a millisecond); answers 1, or 0 when there is no such key.
    Expire {
        /// Key.
        key: String,
        /// Milliseconds.
        ttl_ms: u64,
    },
    /// Sets fields of a hash; answers how many are new.
    HashSet {
        /// Key.
        key: String,
        /// Fields and their values.
        fields: Vec<(String, String)>,
    },
    /// Removes fields of a hash; answers how many there were.
    HashRemove {
        /// Key.
        key: String,
        /// Fields.
        fields: Vec<String>,
    },
    /// Adds members to a set; answers how many are new.
    SetAdd {
        /// Key.
        key: String,
        /// Members.
        members: Vec<String>,
    },
    /// Removes members of a set; answers how many there were.
    SetRemove {
        /// Key.
        key: String,
        /// Members.
        members: Vec<String>,
    },
    /// Takes any member out of a set; answers it.
    SetPop {
        /// Key.
        key: String,
    },
    /// Puts values before the first entry of a list, one after the other; answers the new length.
    PushHead {
        /// Key.
        key: String,
        /// Values.
        values: Vec<String>,
    },
    /// Puts values behind the last entry of a list, one after the other; answers the new length.
    PushTail {
        /// Key.
        key: String,
        /// Values.
        values: Vec<String>,
    },
    /// Takes the first entry out of a list; answers it.
    PopHead {
        /// Key.
        key: String,
    },
    /// Takes the last entry out of a list; answers it.
    PopTail {
        /// Key.
        key: String,
    },
    /// Removes every entry of a list that equals the value; answers how many there were.
    ListRemove {
        /// Key.
        key: String,
        /// Value.
        value: String,
    },
    /// Adds a member to a sorted set, or gives it another score; answers 1 when it is new.
    SortedAdd {
        /// Key.
        key: String,
        /// Member.
        member: String,
        /// Its score; finite.
        score: f64,
    },
    /// Removes members of a sorted set; answers how many there were.
    SortedRemove {
        /// Key.
        key: String,
        /// Members.
        members: Vec<String>,
    },
}

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was done.
    Done,
    /// A number, see the step.
    Count(u64),
    /// What was taken out; `None` when there was nothing.
    Value(Option<String>),
}

/// Steps that are made together, if all guards hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Change {
    /// What must hold.
    pub guards: Vec<Guard>,
    /// What is done then, in order.
    pub ops: Vec<Op>,
}

impl Change {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition.
    #[must_use]
    pub fn when(mut self, guard: Guard) -> Self {
        self.guards.push(guard);
        self
    }

    /// Adds a step.
    #[must_use]
    pub fn then(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }
}

/// Which part of a sorted set, both ends included; `None` has no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Lowest score.
    pub min: Option<f64>,
    /// Highest score.
    pub max: Option<f64>,
}

/// See the module's text. Each call is atomic. A key of another kind than the call expects is a permanent error whose
/// text begins with `WRONGTYPE`.
#[async_trait]
pub trait Collections: Send + Sync + 'static {
    /// A text.
    async fn text(&self, key: &str) -> Result<Option<String>>;
    /// All fields of a hash; empty when it is absent.
    async fn hash(&self, key: &str) -> Result<BTreeMap<String, String>>;
    /// One field of a hash.
    async fn field(&self, key: &str, field: &str) -> Result<Option<String>>;
    /// All members of a set.
    async fn members(&self, key: &str) -> Result<BTreeSet<String>>;
    /// Whether a set holds a member.
    async fn has(&self, key: &str, member: &str) -> Result<bool>;
    /// Entries of a list, first to last, from position `skip`, at most `limit`.
    async fn list(&self, key: &str, skip: u64, limit: u64) -> Result<Vec<String>>;
    /// Members of a sorted set with their scores, lowest first (equal scores by member, bytewise), at most `limit`.
    async fn sorted(&self, key: &str, scores: Scores, limit: u64) -> Result<Vec<(String, f64)>>;
    /// The score of a member of a sorted set.
    async fn score(&self, key: &str, member: &str) -> Result<Option<f64>>;
    /// How many entries a list, set, sorted set or hash has; 0 when it is absent.
    async fn len(&self, key: &str) -> Result<u64>;
    /// Time left until the key expires; `None` when it is absent or never expires.
    async fn ttl(&self, key: &str) -> Result<Option<Duration>>;
    /// Keys that start with `prefix`, in no order, at most `limit`. Costs as much as there are keys at all.
    async fn keys(&self, prefix: &str, limit: u64) -> Result<Vec<String>>;
    /// Makes the steps if all guards hold: one answer a step. `None` when a guard did not hold, and nothing was done.
    async fn apply(&self, change: Change) -> Result<Option<Vec<Answer>>>;
}
