//! The operations, each within one transaction. An error of the caller's own making is returned before anything is
//! changed but what has expired.

use std::time::Duration;

use rusqlite::Result;
use vumi_core::{KeyQuota, Quota};

use super::rows::{self, Stored};
use super::tx::Tx;
use crate::error::StoreError;
use crate::expiry::{ZERO_COUNTER, is_live, moment};
use crate::number;

/// A result within a result: the database's own failure, or else the caller's.
pub(super) type Answer<T> = Result<std::result::Result<T, StoreError>>;

/// What became of a key that was to be added under a quota.
enum Admission {
    /// Added; the owner now has so many.
    Added(u64),
    Refused,
}

impl Tx<'_> {
    pub(super) fn set(&mut self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()> {
        let expires = self.moment(ttl);
        match self.live(key)? {
            Some(_) => self.change(key, value, expires),
            None => self.add(key, value, expires),
        }
    }

    pub(super) fn set_if_absent(&mut self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool> {
        if self.live(key)?.is_some() {
            return Ok(false);
        }
        self.add(key, value, self.moment(ttl))?;
        Ok(true)
    }

    pub(super) fn delete_live(&mut self, key: &str) -> Result<bool> {
        let Some(row) = self.live(key)? else { return Ok(false) };
        self.remove(key, row.counter.as_deref())?;
        Ok(true)
    }

    pub(super) fn incr(&mut self, key: &str, amount: i64) -> Answer<i64> {
        if let Some(row) = self.live(key)? {
            return self.add_to(key, &row, amount);
        }
        self.add(key, &amount.to_string(), None)?;
        Ok(Ok(amount))
    }

    pub(super) fn set_within(
        &mut self,
        key: &str,
        value: &str,
        ttl: Option<Duration>,
        quota: &KeyQuota<'_>,
    ) -> Answer<Quota<()>> {
        let expires = self.moment(ttl);
        if self.live(key)?.is_some() {
            self.change(key, value, expires)?;
            return Ok(Ok(Quota::Changed(())));
        }
        Ok(self.add_counted(key, value, expires, quota)?.map(|admission| match admission {
            Admission::Added(count) => Quota::Created { value: (), count },
            Admission::Refused => Quota::TooMany,
        }))
    }

    pub(super) fn incr_within(&mut self, key: &str, amount: i64, quota: &KeyQuota<'_>) -> Answer<Quota<i64>> {
        if let Some(row) = self.live(key)? {
            return Ok(self.add_to(key, &row, amount)?.map(Quota::Changed));
        }
        Ok(self.add_counted(key, &amount.to_string(), None, quota)?.map(|admission| match admission {
            Admission::Added(count) => Quota::Created { value: amount, count },
            Admission::Refused => Quota::TooMany,
        }))
    }

    /// Deletes a batch of rows that have expired; how many they were.
    pub(super) fn delete_expired(&mut self, limit: usize) -> Result<usize> {
        let expired = rows::expired(self.connection, self.now, limit)?;
        for (key, counter) in &expired {
            self.remove(key, counter.as_deref())?;
        }
        Ok(expired.len())
    }

    fn moment(&self, ttl: Option<Duration>) -> Option<i64> {
        ttl.map(|ttl| moment(self.now, ttl))
    }

    /// The row, unless it has expired: then it is deleted now, so that a new one can take its place.
    fn live(&mut self, key: &str) -> Result<Option<Stored>> {
        let Some(row) = self.load(key)? else { return Ok(None) };
        if is_live(row.expires, self.now) {
            return Ok(Some(row));
        }
        self.remove(key, row.counter.as_deref())?;
        Ok(None)
    }

    /// Deletes a row and lowers the counter that counted it.
    fn remove(&mut self, key: &str, counter: Option<&str>) -> Result<()> {
        self.delete(key)?;
        counter.map_or(Ok(()), |counter| self.lower(counter, 1))
    }

    /// Adds a row that is not counted.
    fn add(&mut self, key: &str, value: &str, expires: Option<i64>) -> Result<()> {
        self.insert(key, &Stored { value: value.to_owned(), expires, counter: None })
    }

    /// Adds to the number in a row that is there; its expiry stays.
    fn add_to(&mut self, key: &str, row: &Stored, amount: i64) -> Answer<i64> {
        match number::parse(&row.value).and_then(|number| number::add(number, amount)) {
            Ok(sum) => {
                self.change(key, &sum.to_string(), row.expires)?;
                Ok(Ok(sum))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// Adds a counted row whose key is not there, unless the quota forbids it.
    fn add_counted(&mut self, key: &str, value: &str, expires: Option<i64>, quota: &KeyQuota<'_>) -> Answer<Admission> {
        for expired in rows::expired_of(self.connection, quota.counter, self.now)? {
            self.remove(&expired, Some(quota.counter))?;
        }
        let counter = self.live(quota.counter)?;
        let n = match number::one_more(counter.as_ref().map(|row| row.value.as_str())) {
            Ok(n) => n,
            Err(error) => return Ok(Err(error)),
        };
        let count = n.unsigned_abs();
        if !number::admits(quota, count) {
            return Ok(Ok(Admission::Refused));
        }
        self.insert(key, &Stored { value: value.to_owned(), expires, counter: Some(quota.counter.to_owned()) })?;
        match counter {
            Some(_) => self.change(quota.counter, &n.to_string(), None)?,
            None => self.add(quota.counter, &n.to_string(), None)?,
        }
        Ok(Ok(Admission::Added(count)))
    }

    /// Lowers a counter. One that is gone, or holds no number, has been changed by a foreign hand and is left alone.
    fn lower(&mut self, counter: &str, gone: i64) -> Result<()> {
        let Some(row) = self.load(counter)?.filter(|row| is_live(row.expires, self.now)) else { return Ok(()) };
        let Some(number) = number::fewer(&row.value, gone) else { return Ok(()) };
        let expires = (number == 0).then(|| moment(self.now, ZERO_COUNTER));
        self.change(counter, &number.to_string(), expires)
    }
}
