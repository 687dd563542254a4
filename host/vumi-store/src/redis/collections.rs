//! [`Collections`] on Redis: a hash is a Redis hash, a list a Redis list, and so on, as Vumi kept them. Reads are plain
//! commands; a change is one script.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use redis::{FromRedisValue, cmd};
use vumi_core::{Answer, Change, Collections, Op, Result, Scores};

use super::RedisStore;
use super::health::Access;
use super::slot::apart;
use crate::StoreError;
use crate::flat::{Flat, check, guard_key, op_keys};

/// Redis closes the connection to whoever sends more texts in one call (it takes 1 048 576).
const MOST_TEXTS: usize = 1_000_000;

/// The longest time to live that Redis takes, in milliseconds.
const LONGEST_MS: u64 = 9_000_000_000_000_000_000;

impl RedisStore {
    async fn ask<T: FromRedisValue>(&self, command: &str, key: &str, args: &[&str]) -> Result<T> {
        Ok(self.link.command(Access::Read, cmd(command).arg(key).arg(args).take()).await?)
    }
}

#[async_trait]
impl Collections for RedisStore {
    async fn text(&self, key: &str) -> Result<Option<String>> {
        self.ask("GET", key, &[]).await
    }

    async fn hash(&self, key: &str) -> Result<BTreeMap<String, String>> {
        self.ask("HGETALL", key, &[]).await
    }

    async fn field(&self, key: &str, field: &str) -> Result<Option<String>> {
        self.ask("HGET", key, &[field]).await
    }

    async fn members(&self, key: &str) -> Result<BTreeSet<String>> {
        self.ask("SMEMBERS", key, &[]).await
    }

    async fn has(&self, key: &str, member: &str) -> Result<bool> {
        let found: u64 = self.ask("SISMEMBER", key, &[member]).await?;
        Ok(found > 0)
    }

    async fn list(&self, key: &str, skip: u64, limit: u64) -> Result<Vec<String>> {
        let (first, last) = match limit {
            // What Redis takes for nothing; the kind of the key is still checked.
            0 => (1, 0),
            _ => (position(skip), position(skip.saturating_add(limit - 1))),
        };
        self.ask("LRANGE", key, &[&first.to_string(), &last.to_string()]).await
    }

    async fn sorted(&self, key: &str, scores: Scores, limit: u64) -> Result<Vec<(String, f64)>> {
        if [scores.min, scores.max].into_iter().flatten().any(f64::is_nan) {
            return Err(StoreError::NotAScore.into());
        }
        let bound =
            |score: Option<f64>, open: &str| score.map_or_else(|| open.to_owned(), |score| format!("{score:e}"));
        let (min, max, limit) = (bound(scores.min, "-inf"), bound(scores.max, "+inf"), position(limit).to_string());
        self.ask("ZRANGEBYSCORE", key, &[&min, &max, "WITHSCORES", "LIMIT", "0", &limit]).await
    }

    async fn score(&self, key: &str, member: &str) -> Result<Option<f64>> {
        self.ask("ZSCORE", key, &[member]).await
    }

    async fn len(&self, key: &str) -> Result<u64> {
        Ok(self.link.script(Access::Read, &self.len, &[key], &[]).await?)
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        Ok(self.time_left(key).await?)
    }

    async fn keys(&self, prefix: &str, limit: u64) -> Result<Vec<String>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.some_keys(prefix, limit).await?.into_iter().collect())
    }

    async fn apply(&self, mut change: Change) -> Result<Option<Vec<Answer>>> {
        check(&change)?;
        for op in &mut change.ops {
            if let Op::Expire { ttl_ms, .. } = op {
                *ttl_ms = (*ttl_ms).clamp(1, LONGEST_MS);
            }
        }
        let mut keys: BTreeSet<&str> = change.guards.iter().map(guard_key).collect();
        keys.extend(change.ops.iter().flat_map(op_keys).map(String::as_str));
        if keys.is_empty() {
            return Ok(Some(change.ops.iter().map(|_| Answer::Count(0)).collect()));
        }
        let keys: Vec<&str> = keys.into_iter().collect();
        self.one_slot(&keys)?;
        let flat = Flat::change(&change);
        if flat.texts.len() + keys.len() > MOST_TEXTS {
            return Err(StoreError::TooLarge { most: MOST_TEXTS }.into());
        }
        let args: Vec<&str> = flat.texts.iter().map(String::as_str).collect();
        let answers: Option<Vec<String>> = self.link.script(access(&change), &self.apply, &keys, &args).await?;
        Ok(answers.map(|answers| answers.into_iter().map(answer).collect()))
    }
}

impl RedisStore {
    /// In a cluster, only keys of one slot can be changed together.
    fn one_slot(&self, keys: &[&str]) -> std::result::Result<(), StoreError> {
        match apart(keys) {
            Some((one, other)) if self.link.options.cluster => {
                Err(StoreError::Apart { one: one.to_owned(), other: other.to_owned() })
            }
            _ => Ok(()),
        }
    }
}

/// A position in a list, as far as Redis can count.
fn position(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Whether a change needs room.
fn access(change: &Change) -> Access {
    let grows = |op: &Op| {
        matches!(
            op,
            Op::SetText { .. }
                | Op::HashSet { .. }
                | Op::SetAdd { .. }
                | Op::PushHead { .. }
                | Op::PushTail { .. }
                | Op::SortedAdd { .. }
        )
    };
    if change.ops.iter().any(grows) { Access::Write } else { Access::Remove }
}

/// What a step answered.
fn answer(text: String) -> Answer {
    match text.split_at_checked(1) {
        Some(("n", number)) => Answer::Count(number.parse().unwrap_or(0)),
        Some(("v", value)) => Answer::Value(Some(value.to_owned())),
        Some(("-", _)) => Answer::Value(None),
        _ => Answer::Done,
    }
}
