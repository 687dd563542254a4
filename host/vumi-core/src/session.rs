//! Sessions: small records of fields, one for each user, that are forgotten after a while (specification: session
//! manager).
//!
//! A session is one hash under the key `session:<user>` of a keyspace, as Vumi kept it in Redis, so that data written
//! by either is read by both. USSD transports remember a dialogue in one, dispatchers the way back of a message. There
//! is no index of sessions. Whoever loads one must be ready to find nothing: it may have expired.
//!
//! ```ignore
//! let sessions = Sessions::new(keyspace.under("bot"), clock, Some(Duration::from_secs(600)));
//! sessions.create("+2771", fields).await?;      // key bot:session:+2771, forgotten after ten minutes
//! let session = sessions.load("+2771").await?;  // empty when there is none
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use vumi_message::{Payload, Timestamp};

use crate::clock::Clock;
use crate::collections::{Change, Op};
use crate::error::{Error, Result};
use crate::keyspace::Keyspace;

/// What all keys of sessions begin with, after the keyspace's prefix.
const PREFIX: &str = "session:";

/// The field that says when a session was made: seconds since the epoch.
pub const CREATED_AT: &str = "created_at";

/// The fields of a session, as texts. Empty means that there is no such session.
pub type Session = BTreeMap<String, String>;

/// The sessions of one keyspace. Clones share everything.
#[derive(Clone)]
pub struct Sessions {
    keyspace: Keyspace,
    clock: Arc<dyn Clock>,
    length: Option<Duration>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Sessions {
    /// Sessions under a keyspace's prefix. A new session expires after `length`, cut to whole seconds; with `None` or
    /// less than a second it never does.
    pub fn new(keyspace: Keyspace, clock: Arc<dyn Clock>, length: Option<Duration>) -> Self {
        let length = length.map(whole_seconds).filter(|length| !length.is_zero());
        Self { keyspace, clock, length }
    }

    /// Makes a session in place of any old one, and returns it: the fields, and `created_at` (unless that is among
    /// the fields). Whoever loads it meanwhile gets the old one or the new one, never a mixture.
    ///
    /// # Errors
    /// Permanent when a field is neither text nor number nor flag nor null (nothing is written then); those of the
    /// store.
    pub async fn create(&self, user: &str, fields: &Payload) -> Result<Session> {
        let mut session = Session::from([(CREATED_AT.to_owned(), decimal_seconds(self.clock.now()))]);
        session.extend(texts(fields)?);
        let key = key(user);
        let written = session.iter().map(|(field, text)| (field.clone(), text.clone())).collect();
        let mut change = Change::new()
            .then(Op::Delete { keys: vec![key.clone()] })
            .then(Op::HashSet { key: key.clone(), fields: written });
        if let Some(length) = self.length {
            change = change.then(Op::Expire { key, ttl_ms: millis(length) });
        }
        self.apply(change).await?;
        Ok(session)
    }

    /// A session; empty when there is none, or when it has expired.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load(&self, user: &str) -> Result<Session> {
        self.keyspace.collections.hash(&key(user)).await
    }

    /// Sets fields of a session; other fields and the time left stay. Where there is no session this makes one
    /// without `created_at` that never expires, as it did in Vumi.
    ///
    /// # Errors
    /// As [`Sessions::create`].
    pub async fn save(&self, user: &str, fields: &Payload) -> Result<()> {
        let fields = texts(fields)?;
        if fields.is_empty() {
            return Ok(());
        }
        self.apply(Change::new().then(Op::HashSet { key: key(user), fields })).await
    }

    /// Lets a session expire after a time, cut to whole seconds; less than a second ends it now.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn schedule_expiry(&self, user: &str, after: Duration) -> Result<()> {
        let after = whole_seconds(after);
        if after.is_zero() {
            return self.clear(user).await;
        }
        self.apply(Change::new().then(Op::Expire { key: key(user), ttl_ms: millis(after) })).await
    }

    /// Ends a session, if there is one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn clear(&self, user: &str) -> Result<()> {
        self.apply(Change::new().then(Op::Delete { keys: vec![key(user)] })).await
    }

    /// Users with their sessions, in no order, at most `limit`. Costs as much as the store has keys at all. A session
    /// that expires meanwhile is left out.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn active(&self, limit: u64) -> Result<Vec<(String, Session)>> {
        let mut active = Vec::new();
        for key in self.keyspace.collections.keys(PREFIX, limit).await? {
            let session = self.keyspace.collections.hash(&key).await?;
            if let (Some(user), false) = (key.strip_prefix(PREFIX), session.is_empty()) {
                active.push((user.to_owned(), session));
            }
        }
        Ok(active)
    }

    async fn apply(&self, change: Change) -> Result<()> {
        // There is no guard, so it is always made.
        self.keyspace.collections.apply(change).await.map(drop)
    }
}

fn key(user: &str) -> String {
    format!("{PREFIX}{user}")
}

fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Fields as texts. What is no text is written as Python's `str` did it, for Vumi's own code reads it back so.
fn texts(fields: &Payload) -> Result<Vec<(String, String)>> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(true) => Ok("True".to_owned()),
        Value::Bool(false) => Ok("False".to_owned()),
        Value::Null => Ok("None".to_owned()),
        Value::Array(_) | Value::Object(_) => Err(Error::permanent("session values must be scalars")),
    };
    fields.iter().map(|(field, value)| Ok((field.clone(), text(value)?))).collect()
}

/// Seconds since the epoch as Vumi wrote them: to a hundredth, without zeros at the end but with at least one digit of
/// fraction.
fn decimal_seconds(now: Timestamp) -> String {
    let hundredths = now.micros().saturating_add(5_000).div_euclid(10_000).max(0);
    let (seconds, fraction) = (hundredths / 100, hundredths % 100);
    if fraction % 10 == 0 { format!("{seconds}.{}", fraction / 10) } else { format!("{seconds}.{fraction:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_look_as_vumi_wrote_them() {
        for (micros, text) in [
            (1_795_197_576_570_000, "1795197576.57"),
            (1_795_197_576_574_999, "1795197576.57"),
            (1_795_197_576_575_000, "1795197576.58"),
            (1_795_197_576_500_000, "1795197576.5"),
            (1_795_197_576_999_999, "1795197577.0"),
            (1_795_197_576_050_000, "1795197576.05"),
            (-1, "0.0"),
        ] {
            assert_eq!(decimal_seconds(Timestamp::from_micros(micros)), text, "{micros}");
        }
    }

    #[test]
    fn values_are_written_as_texts() {
        let fields = serde_json::json!({"s": "x", "n": 5, "f": 2.5, "t": true, "z": null});
        let texts = texts(fields.as_object().unwrap()).unwrap();
        let values: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(values, ["x", "5", "2.5", "True", "None"]);
    }

    #[test]
    fn nested_values_are_refused() {
        for nested in [serde_json::json!({"x": {"a": 1}}), serde_json::json!({"x": []})] {
            let error = texts(nested.as_object().unwrap()).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.is_temporary()), ("session values must be scalars", false));
        }
    }
}
