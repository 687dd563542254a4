//! When a message that failed for the time being is sent again.
//!
//! The failure worker waits longer after each failure. Due messages are kept in *buckets*, one for all that fall
//! due within the same few seconds, so that a worker has to look at few keys only. The functions here are pure;
//! all times are in seconds.

use serde_json::Value;

use crate::{Payload, Timestamp};

/// The field of a failed message's payload that counts its retries.
pub const RETRY_METADATA: &str = "retry_metadata";

/// How long to wait before each retry (messages.md §7, common.md C3). The default is Vumi's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Wait before the first retry, in seconds.
    pub initial_delay: u64,
    /// By what each further wait is longer than the one before.
    pub delay_factor: u64,
    /// The longest wait but the first, in seconds.
    pub max_delay: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy { initial_delay: 1, delay_factor: 3, max_delay: 3600 }
    }
}

/// The wait after one of `previous` seconds (0: there was none yet), in seconds.
pub fn next_retry_delay(previous: u64, policy: &RetryPolicy) -> u64 {
    match previous {
        0 => policy.initial_delay,
        _ => previous.saturating_mul(policy.delay_factor).min(policy.max_delay),
    }
}

/// The bucket for a retry `delay` seconds after `now` (seconds since the epoch): the next multiple of
/// `granularity` seconds, and never the moment itself. A granularity of 0 counts as 1. Its name in keys is
/// [`Timestamp::iso_seconds`], its score [`Timestamp::secs`].
pub fn retry_bucket(now: i64, delay: u64, granularity: u64) -> Timestamp {
    let due = now.saturating_add_unsigned(delay);
    let step = i64::try_from(granularity).unwrap_or(i64::MAX).max(1);
    Timestamp::from_secs(due.saturating_add(step - due.rem_euclid(step)))
}

/// How often a message has been sent again: the object in its field `retry_metadata`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryMetadata {
    /// Number of retries so far.
    pub retries: u64,
    /// The last wait, in seconds; 0 when there was none.
    pub delay: u64,
}

impl RetryMetadata {
    /// Reads it from a payload. What is absent or no number counts as 0; fractions are rounded up.
    pub fn of(payload: &Payload) -> Self {
        let number = |field| payload.get(RETRY_METADATA).and_then(|metadata| metadata.get(field)).map_or(0, whole);
        RetryMetadata { retries: number("retries"), delay: number("delay") }
    }

    /// What it becomes with the next retry.
    #[must_use]
    pub fn next(self, policy: &RetryPolicy) -> Self {
        RetryMetadata { retries: self.retries.saturating_add(1), delay: next_retry_delay(self.delay, policy) }
    }

    /// Writes it into a payload.
    pub fn put(self, payload: &mut Payload) {
        let mut metadata = Payload::new();
        metadata.insert("delay".to_owned(), self.delay.into());
        metadata.insert("retries".to_owned(), self.retries.into());
        payload.insert(RETRY_METADATA.to_owned(), Value::Object(metadata));
    }
}

fn whole(value: &Value) -> u64 {
    // `as` from a float stops at the bounds of the type, and a negative number becomes 0.
    value.as_u64().or_else(|| value.as_f64().map(|float| float.ceil() as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(value: Value) -> RetryMetadata {
        RetryMetadata::of(&Payload::from_iter([(RETRY_METADATA.to_owned(), value)]))
    }

    #[test]
    fn buckets_are_always_later_than_the_due_time() {
        for (now, delay, granularity, bucket) in
            [(0, 0, 5, 5), (4, 0, 5, 5), (5, 0, 5, 10), (9, 2, 5, 15), (30, 0, 1, 31), (30, 0, 0, 31), (-3, 0, 5, 0)]
        {
            assert_eq!(retry_bucket(now, delay, granularity).secs(), bucket, "{now} {delay} {granularity}");
        }
    }

    #[test]
    fn absurd_times_do_not_overflow() {
        let last = Timestamp::from_micros(i64::MAX);
        assert_eq!(retry_bucket(i64::MAX, u64::MAX, u64::MAX), last);
        assert_eq!(retry_bucket(0, u64::MAX, 5), last);
        assert_eq!(
            next_retry_delay(u64::MAX, &RetryPolicy { max_delay: u64::MAX, ..RetryPolicy::default() }),
            u64::MAX
        );
    }

    #[test]
    fn metadata_counts_on_from_what_is_there() {
        let policy = RetryPolicy::default();
        assert_eq!(metadata(json!({"retries": 1, "delay": 1})).next(&policy), RetryMetadata { retries: 2, delay: 3 });
        assert_eq!(metadata(json!({"retries": 1, "delay": 1.5})).delay, 2);
        assert_eq!(RetryMetadata::of(&Payload::new()), RetryMetadata::default());
        for odd in [json!(null), json!([]), json!("x"), json!({"retries": "x", "delay": -5}), json!({"delay": -0.5})] {
            assert_eq!(metadata(odd.clone()), RetryMetadata::default(), "{odd}");
        }
    }

    #[test]
    fn metadata_is_written_as_vumi_writes_it() {
        let mut payload = Payload::new();
        RetryMetadata { retries: 2, delay: 3 }.put(&mut payload);
        assert_eq!(crate::json::object_to_text(&payload), r#"{"retry_metadata": {"delay": 3, "retries": 2}}"#);
        assert_eq!(RetryMetadata::of(&payload), RetryMetadata { retries: 2, delay: 3 });
    }
}
