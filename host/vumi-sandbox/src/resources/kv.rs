//! `vumi:app/kv`: small values in the app's own namespace (specification: sandbox, section 5).
//!
//! Keys are `sandboxes#<sandbox_id>#<key>` and the number of keys stands in `count#<sandbox_id>`, as in Vumi. A
//! sandbox id never holds a `#`, so no key of one app can be read as a key of another.

use std::time::Duration;

use vumi_bindings::app::vumi::app::kv::Host;
use vumi_bindings::app::vumi::app::types::Error;
use vumi_core::{KeyQuota, LogLevel, Quota};

use crate::state::{Guest, wait};

/// Longest wait for the key-value store in one call.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest key, in bytes.
const MAX_KEY: usize = 1_024;

impl Guest {
    pub(crate) fn check_key(key: &str) -> Result<(), Error> {
        if key.len() > MAX_KEY {
            return Err(Error::Invalid(format!("the key has {} bytes, at most {MAX_KEY} are allowed", key.len())));
        }
        Ok(())
    }

    fn check_value(&self, value: &str) -> Result<(), Error> {
        let limit = self.app.limits.kv_value.0;
        if value.len() as u64 > limit {
            return Err(Error::Quota(format!("the value has {} bytes, the limit kv_value is {limit}", value.len())));
        }
        serde_json::from_str::<&serde_json::value::RawValue>(value)
            .map(|_| ())
            .map_err(|error| Error::Invalid(format!("the value is not JSON text: {error}")))
    }

    /// Waits for the store and sorts its errors: what no retry can mend is the guest's own fault.
    pub(crate) async fn ask<T>(
        &mut self,
        call: impl Future<Output = vumi_core::Result<T>>,
    ) -> wasmtime::Result<Result<T, Error>> {
        let answer = match wait(self.budget.deadline, PATIENCE, call).await? {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) if error.is_temporary() => {
                self.host_fault = Some(error.report());
                Err(Error::Unavailable("the key-value store is not available".into()))
            }
            Some(Err(error)) => Err(Error::Invalid(error.to_string())),
            None => {
                self.host_fault = Some("the key-value store did not answer in time".into());
                Err(Error::Unavailable("the key-value store did not answer in time".into()))
            }
        };
        Ok(answer)
    }

    /// What a quota's answer means for the guest and its log.
    fn judge<T>(&mut self, answer: Quota<T>) -> Result<T, Error> {
        let (soft, hard) = (self.app.limits.soft_keys(), self.app.limits.kv_keys);
        let id = &self.app.sandbox_id;
        match answer {
            Quota::Changed(value) => Ok(value),
            Quota::Created { value, count } => {
                if count > soft {
                    let text = format!(
                        "Redis soft limit of {soft} keys reached for sandbox {id}. Once the hard limit of {hard} is \
                         reached no more keys can be written."
                    );
                    self.host_log(LogLevel::Warning, &text);
                }
                Ok(value)
            }
            Quota::TooMany => {
                let text =
                    format!("Redis hard limit of {hard} keys reached for sandbox {id}. No more keys can be written.");
                self.host_log(LogLevel::Error, &text);
                Err(Error::Quota("Too many keys".into()))
            }
        }
    }
}

/// The calls themselves.
impl Guest {
    async fn kv_get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, Error>> {
        let began = self.begin()?;
        if let Err(error) = Self::check_key(&key) {
            self.budget.end(began);
            return Ok(Err(error));
        }
        let app = std::sync::Arc::clone(&self.app);
        let key = app.kv_key(&key);
        let answer = self.ask(app.kv.get(&key)).await?;
        self.budget.end(began);
        Ok(answer)
    }

    async fn kv_set(
        &mut self,
        key: String,
        value: String,
        ttl_seconds: Option<u32>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let began = self.begin()?;
        if let Err(error) = Self::check_key(&key).and_then(|()| self.check_value(&value)) {
            self.budget.end(began);
            return Ok(Err(error));
        }
        if ttl_seconds == Some(0) {
            return Ok(Err(Error::Invalid("ttl-seconds must be at least 1".into())));
        }
        let app = std::sync::Arc::clone(&self.app);
        let key = app.kv_key(&key);
        let ttl = ttl_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        let answer = self.ask(app.kv.set_within(&key, &value, ttl, app.key_quota())).await?;
        let answer = answer.and_then(|quota| self.judge(quota));
        self.budget.end(began);
        Ok(answer)
    }

    async fn kv_delete(&mut self, key: String) -> wasmtime::Result<Result<bool, Error>> {
        let began = self.begin()?;
        if let Err(error) = Self::check_key(&key) {
            self.budget.end(began);
            return Ok(Err(error));
        }
        let app = std::sync::Arc::clone(&self.app);
        let key = app.kv_key(&key);
        let answer = self.ask(app.kv.delete_within(&key, &app.kv_counter)).await?;
        self.budget.end(began);
        Ok(answer)
    }

    async fn kv_incr(&mut self, key: String, amount: i64) -> wasmtime::Result<Result<i64, Error>> {
        let began = self.begin()?;
        if let Err(error) = Self::check_key(&key) {
            self.budget.end(began);
            return Ok(Err(error));
        }
        let app = std::sync::Arc::clone(&self.app);
        let key = app.kv_key(&key);
        let answer = self.ask(app.kv.incr_within(&key, amount, app.key_quota())).await?;
        let answer = answer.and_then(|quota| self.judge(quota));
        self.budget.end(began);
        Ok(answer)
    }
}

impl Host for Guest {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, Error>> {
        if let Some(answer) = self.cue("kv.get", || vec![key.as_str().into()], || Ok(None))? {
            return Ok(answer);
        }
        let answer = self.kv_get(key).await;
        self.note(&answer);
        answer
    }

    async fn set(
        &mut self,
        key: String,
        value: String,
        ttl_seconds: Option<u32>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let args = || vec![key.as_str().into(), value.as_str().into(), ttl_seconds.into()];
        if let Some(answer) = self.cue("kv.set", args, || Ok(()))? {
            return Ok(answer);
        }
        let answer = self.kv_set(key, value, ttl_seconds).await;
        self.note(&answer);
        answer
    }

    async fn delete(&mut self, key: String) -> wasmtime::Result<Result<bool, Error>> {
        if let Some(answer) = self.cue("kv.delete", || vec![key.as_str().into()], || Ok(false))? {
            return Ok(answer);
        }
        let answer = self.kv_delete(key).await;
        self.note(&answer);
        answer
    }

    async fn incr(&mut self, key: String, amount: i64) -> wasmtime::Result<Result<i64, Error>> {
        if let Some(answer) = self.cue("kv.incr", || vec![key.as_str().into(), amount.into()], || Ok(amount))? {
            return Ok(answer);
        }
        let answer = self.kv_incr(key, amount).await;
        self.note(&answer);
        answer
    }
}

impl crate::app::AppShared {
    /// The full key in the store.
    pub(crate) fn kv_key(&self, key: &str) -> String {
        let mut full = String::with_capacity(self.kv_prefix.len() + key.len());
        full.push_str(&self.kv_prefix);
        full.push_str(key);
        full
    }

    fn key_quota(&self) -> KeyQuota<'_> {
        KeyQuota { counter: &self.kv_counter, soft: self.limits.soft_keys(), hard: self.limits.kv_keys }
    }
}
