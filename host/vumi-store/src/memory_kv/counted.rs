//! The operations under a quota, and the counters of keys that they keep.

use std::time::Duration;

use vumi_core::{KeyQuota, Quota};

use super::entries::{Due, Entry, cost};
use super::state::State;
use crate::error::StoreError;
use crate::expiry::{ZERO_COUNTER, moment};
use crate::number;

impl State {
    pub(super) fn set_within(
        &mut self,
        key: &str,
        value: &str,
        ttl: Option<Duration>,
        quota: &KeyQuota<'_>,
        now: i64,
    ) -> Result<Quota<()>, StoreError> {
        self.reap(now);
        let expires = ttl.map(|ttl| moment(now, ttl));
        if self.is_there(key, now) {
            self.change(key, value, expires, now)?;
            return Ok(Quota::Changed(()));
        }
        let created = self.add_counted(key, value, expires, quota, now)?;
        Ok(created.map_or(Quota::TooMany, |count| Quota::Created { value: (), count }))
    }

    pub(super) fn incr_within(
        &mut self,
        key: &str,
        amount: i64,
        quota: &KeyQuota<'_>,
        now: i64,
    ) -> Result<Quota<i64>, StoreError> {
        self.reap(now);
        if self.is_there(key, now) {
            return self.add_to(key, amount, now).map(Quota::Changed);
        }
        let created = self.add_counted(key, &amount.to_string(), None, quota, now)?;
        Ok(created.map_or(Quota::TooMany, |count| Quota::Created { value: amount, count }))
    }

    /// Adds a key that is not there, and is counted, unless the quota forbids it; the owner's number of keys when it was
    /// added.
    fn add_counted(
        &mut self,
        key: &str,
        value: &str,
        expires: Option<i64>,
        quota: &KeyQuota<'_>,
        now: i64,
    ) -> Result<Option<u64>, StoreError> {
        loop {
            match self.entries.due_of(quota.counter, now) {
                Due::Nothing => break,
                Due::Later => {}
                Due::Expired(key) => self.remove(&key, now),
            }
        }
        let n = number::one_more(self.live(quota.counter, now).map(|entry| &*entry.value))?;
        let count = n.unsigned_abs();
        if !number::admits(quota, count) {
            return Ok(None);
        }
        let (keys, bytes) = match self.entries.get(quota.counter) {
            Some(_) => (1, 0),
            None => (2, cost(quota.counter, "1")),
        };
        self.make_room(keys, bytes.saturating_add(cost(key, value)), now)?;
        let counter = self.entries.share(quota.counter);
        self.entries.insert(key, Entry::new(value, expires, Some(counter)));
        self.write_counter(quota.counter, n, now);
        Ok(Some(count))
    }

    /// Takes an entry out and lowers the counter that counted it.
    pub(super) fn remove(&mut self, key: &str, now: i64) {
        let Some(counter) = self.entries.remove(key).and_then(|entry| entry.counter) else { return };
        if let Some(fewer) = self.live(&counter, now).and_then(|entry| number::fewer(&entry.value, 1)) {
            self.write_counter(&counter, fewer, now);
        }
    }

    fn write_counter(&mut self, counter: &str, number: i64, now: i64) {
        let expires = (number == 0).then(|| moment(now, ZERO_COUNTER));
        let value = number.to_string();
        if self.entries.get(counter).is_some() {
            self.entries.change(counter, &value, expires);
        } else {
            self.entries.insert(counter, Entry::new(&value, expires, None));
        }
    }
}
