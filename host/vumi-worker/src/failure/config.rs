//! The configuration of a failure worker, with Vumi's templates for its two routing keys.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::component::Component;
use vumi_core::{Error, RedisManager, Result, Worker, names};
use vumi_message::retry::RetryPolicy;

use super::records::Records;
use super::worker::FailureWorker;
use crate::every::seconds;
use crate::registry::{WorkerComponent, WorkerPlace};
use crate::shared::WorkerShared;

/// Keeps the messages that a transport could not handle, and sends those again whose failure may pass, later after
/// each failure.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureConfig {
    /// The transport whose failures these are. The keys begin with `failures:` and this name.
    pub transport_name: String,
    /// The queue where messages are sent again, e.g. `%(transport_name)s.outbound`. Every `%(key)s` stands for the
    /// value of another key of this worker.
    pub retry_routing_key: String,
    /// The queue of the failures, e.g. `%(transport_name)s.failures`, with the same placeholders.
    pub failures_routing_key: String,
    /// Where the failures are kept.
    #[serde(default)]
    pub redis_manager: RedisManager,
    /// Retries that fall due within so many seconds are sent together.
    #[serde(default = "five")]
    #[schemars(range(min = 1))]
    pub retry_granularity: u64,
    /// Seconds between two looks for retries that have fallen due; 0 for none at all: failures are then only kept.
    #[serde(default = "three")]
    #[schemars(range(min = 0))]
    pub retry_delivery_period: f64,
    /// Seconds before the first retry.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub retry_initial_delay: u64,
    /// By what each further wait is longer than the one before.
    #[serde(default = "factor")]
    #[schemars(range(min = 1))]
    pub retry_delay_factor: u64,
    /// The longest wait between two retries, in seconds.
    #[serde(default = "hour")]
    #[schemars(range(min = 1))]
    pub retry_max_delay: u64,
}

fn five() -> u64 {
    5
}

fn three() -> f64 {
    3.0
}

fn one() -> u64 {
    1
}

fn factor() -> u64 {
    3
}

fn hour() -> u64 {
    3600
}

impl FailureConfig {
    fn policy(&self) -> RetryPolicy {
        RetryPolicy {
            initial_delay: self.retry_initial_delay,
            delay_factor: self.retry_delay_factor,
            max_delay: self.retry_max_delay,
        }
    }

    /// The value of a key as it stands in a template.
    fn value(&self, key: &str) -> Option<String> {
        match key {
            "transport_name" => Some(self.transport_name.clone()),
            "retry_granularity" => Some(self.retry_granularity.to_string()),
            "retry_delivery_period" => Some(self.retry_delivery_period.to_string()),
            "retry_initial_delay" => Some(self.retry_initial_delay.to_string()),
            "retry_delay_factor" => Some(self.retry_delay_factor.to_string()),
            "retry_max_delay" => Some(self.retry_max_delay.to_string()),
            _ => None,
        }
    }

    /// The queue that a template names.
    fn queue(&self, key: &str, template: &str) -> Result<String> {
        let wrong = |why: String| Error::permanent(format!("`{key}` is `{template}`: {why}"));
        let (mut queue, mut rest) = (String::new(), template);
        while let Some((before, after)) = rest.split_once('%') {
            queue.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                queue.push('%');
                rest = after;
                continue;
            }
            let placed = after.strip_prefix('(').and_then(|name| name.split_once(")s"));
            let (name, after) = placed.ok_or_else(|| {
                wrong("a % begins a placeholder such as %(transport_name)s; a percent sign itself is written %%".into())
            })?;
            let value = self.value(name);
            queue.push_str(&value.ok_or_else(|| {
                wrong(format!("%({name})s names no key of this worker: write %(transport_name)s or the name itself"))
            })?);
            rest = after;
        }
        queue.push_str(rest);
        if queue.is_empty() || queue.len() > 255 || queue.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(wrong(format!("`{queue}` is no queue: write a name such as sms.outbound")));
        }
        if queue.chars().any(char::is_uppercase) {
            return Err(wrong(format!("routing key '{queue}' is not all lower case")));
        }
        Ok(queue)
    }
}

impl Component for FailureConfig {
    const CLASS: &'static str = "failure";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.failures.FailureWorker", "vumi.transports.FailureWorker"];
}

impl WorkerComponent for FailureConfig {
    fn check(&self, _: &WorkerShared) -> Result<()> {
        names::check(&self.transport_name)?;
        for (key, value) in [
            ("retry_granularity", self.retry_granularity),
            ("retry_initial_delay", self.retry_initial_delay),
            ("retry_delay_factor", self.retry_delay_factor),
            ("retry_max_delay", self.retry_max_delay),
        ] {
            if value == 0 {
                return Err(Error::permanent(format!("`{key}` is 0: write at least 1")));
            }
        }
        seconds("retry_delivery_period", self.retry_delivery_period)?;
        let retries = self.queue("retry_routing_key", &self.retry_routing_key)?;
        if retries == self.queue("failures_routing_key", &self.failures_routing_key)? {
            return Err(Error::permanent(format!(
                "`retry_routing_key` and `failures_routing_key` both name `{retries}`: retries go to the transport's \
                 outbound queue"
            )));
        }
        Ok(())
    }

    fn build(self, place: WorkerPlace<'_>) -> Result<Arc<dyn Worker>> {
        self.check(place.shared)?;
        let space = place.context.keyspaces.open(&self.redis_manager)?;
        Ok(Arc::new(FailureWorker {
            context: place.context.clone(),
            prefetch: place.shared.prefetch(),
            failures: self.queue("failures_routing_key", &self.failures_routing_key)?,
            retries: self.queue("retry_routing_key", &self.retry_routing_key)?,
            period: seconds("retry_delivery_period", self.retry_delivery_period)?,
            records: Records::new(&space, &self.transport_name, self.policy(), self.retry_granularity),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(retry: &str) -> FailureConfig {
        let config = serde_json::json!({
            "transport_name": "sms", "retry_routing_key": retry, "failures_routing_key": "%(transport_name)s.failures",
        });
        serde_json::from_value(config).unwrap()
    }

    #[test]
    fn placeholders_stand_for_the_workers_own_values() {
        for (template, queue) in [
            ("%(transport_name)s.outbound", "sms.outbound"),
            ("a.%(transport_name)s.%(retry_granularity)s.b", "a.sms.5.b"),
            ("100%%.outbound", "100%.outbound"),
            ("plain.outbound", "plain.outbound"),
        ] {
            assert_eq!(config(template).queue("k", template).unwrap(), queue);
            config(template).check(&WorkerShared::default()).unwrap();
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (template, why) in [
            ("%(transport)s.outbound", "%(transport)s names no key"),
            ("%s.outbound", "a % begins a placeholder"),
            ("%(transport_name", "a % begins a placeholder"),
            ("", "is no queue"),
            ("a b", "is no queue"),
            ("SMS.outbound", "not all lower case"),
            ("sms.failures", "both name `sms.failures`"),
        ] {
            let error = config(template).check(&WorkerShared::default()).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("retry_routing_key"), "{template}: {error}");
        }
        let wrong = FailureConfig { retry_granularity: 0, ..config("sms.outbound") };
        assert_eq!(
            wrong.check(&WorkerShared::default()).unwrap_err().to_string(),
            "`retry_granularity` is 0: write at least 1"
        );
        let wrong = FailureConfig { retry_delivery_period: -1.0, ..config("sms.outbound") };
        assert!(wrong.check(&WorkerShared::default()).unwrap_err().to_string().contains("from 0 to"));
    }
}
