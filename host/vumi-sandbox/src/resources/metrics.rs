//! `vumi:app/metrics`: numbers for the app's owner (specification: sandbox, section 8).
//!
//! A datapoint is named `<metrics_prefix>.stores.default.<name>`, as Vumi's was.

use vumi_bindings::app::vumi::app::metrics::{Aggregator as WitAggregator, Host};
use vumi_bindings::app::vumi::app::types::Error;

use crate::state::Guest;
use crate::tape::number;

/// Longest name, in characters.
const MAX_NAME: usize = 101;

/// The store of metrics that name none.
const STORE: &str = "default";

/// How values within one interval become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregator {
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The latest.
    Last,
}

/// One value that an app fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Datapoint {
    /// The app's name.
    pub app: String,
    /// Full name, prefix and store included.
    pub name: String,
    /// The value; finite.
    pub value: f64,
    /// How it is to be aggregated.
    pub aggregator: Aggregator,
}

/// Where datapoints go.
pub trait MetricSink: Send + Sync + 'static {
    /// Takes one; never waits.
    fn fire(&self, datapoint: Datapoint);
}

/// As records name it.
fn how(aggregator: WitAggregator) -> &'static str {
    match aggregator {
        WitAggregator::Sum => "sum",
        WitAggregator::Avg => "avg",
        WitAggregator::Min => "min",
        WitAggregator::Max => "max",
        WitAggregator::Last => "last",
    }
}

/// `^[a-zA-Z][a-zA-Z0-9._-]{0,100}$`
fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        && name.len() <= MAX_NAME
}

impl Host for Guest {
    fn fire(&mut self, name: String, value: f64, aggregator: WitAggregator) -> wasmtime::Result<Result<(), Error>> {
        self.fire_in(STORE, &name, value, aggregator)
    }
}

impl Guest {
    /// Fires a metric of a store; components know one store alone.
    pub(crate) fn fire_in(
        &mut self,
        store: &str,
        name: &str,
        value: f64,
        aggregator: WitAggregator,
    ) -> wasmtime::Result<Result<(), Error>> {
        let args = || {
            let mut args = vec![name.into(), number(value), how(aggregator).into()];
            args.extend((store != STORE).then(|| store.into()));
            args
        };
        if let Some(answer) = self.cue("metrics.fire", args, || Ok(()))? {
            return Ok(answer);
        }
        let answer = self.fire_metric(store, name, value, aggregator);
        self.note(&answer);
        answer
    }

    fn fire_metric(
        &mut self,
        store: &str,
        name: &str,
        value: f64,
        aggregator: WitAggregator,
    ) -> wasmtime::Result<Result<(), Error>> {
        let began = self.begin()?;
        let answer = self.check_metric(store, name, value).map(|()| {
            self.app.metrics.fire(Datapoint {
                app: self.app.name.clone(),
                name: format!("{}.stores.{store}.{name}", self.app.metrics_prefix),
                value,
                aggregator: match aggregator {
                    WitAggregator::Sum => Aggregator::Sum,
                    WitAggregator::Avg => Aggregator::Avg,
                    WitAggregator::Min => Aggregator::Min,
                    WitAggregator::Max => Aggregator::Max,
                    WitAggregator::Last => Aggregator::Last,
                },
            });
        });
        self.budget.end(began);
        Ok(answer)
    }

    fn check_metric(&self, store: &str, name: &str, value: f64) -> Result<(), Error> {
        if !is_name(store) {
            return Err(Error::Invalid("the store of a metric is named like a metric".into()));
        }
        if !is_name(name) {
            return Err(Error::Invalid(format!(
                "`{}` is no metric name: it begins with a letter and goes on with at most 100 letters, digits, `.`, `_` or `-`",
                name.chars().take(MAX_NAME).collect::<String>()
            )));
        }
        if !value.is_finite() {
            return Err(Error::Invalid(format!("the value of metric `{name}` is not a finite number")));
        }
        let name = if store == STORE { name.to_owned() } else { format!("{store}/{name}") };
        let mut names = self.app.metric_names.lock();
        if !names.contains(&name) {
            let limit = self.app.limits.metric_names;
            if names.len() >= limit {
                return Err(Error::Quota(format!(
                    "the app has fired {limit} different metrics, the limit metric_names"
                )));
            }
            names.insert(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(is_name("m") && is_name("Aa.b_c-9") && is_name(&"a".repeat(101)));
        assert!(!is_name("") && !is_name("9m") && !is_name("a b") && !is_name(&"a".repeat(102)) && !is_name("é"));
    }
}
