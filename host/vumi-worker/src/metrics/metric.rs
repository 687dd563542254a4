//! What a worker measures with: a metric, a counter, a timer (specification: metrics, section 1).

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::time::Instant;
use vumi_core::{Clock, Error, Result, SystemClock};

use super::manager::log_dropped_value;
use super::message::Datapoint;
use super::number::Number;

/// Values that a metric keeps between two publications.
const MAX_VALUES: usize = 10_000;

/// A value that is set from time to time. Clones are the same metric.
#[derive(Clone)]
pub struct Metric(Arc<Inner>);

struct Inner {
    name: String,
    aggregators: Vec<String>,
    /// Of the manager that it belongs to.
    clock: OnceLock<Arc<dyn Clock>>,
    values: Mutex<VecDeque<(i64, Number)>>,
}

impl std::fmt::Debug for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metric").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl Metric {
    /// A metric that is averaged.
    pub fn new(name: impl Into<String>) -> Self {
        Self::aggregated(name, &["avg"])
    }

    /// A metric with these aggregators, see [`super::Aggregators`].
    pub fn aggregated(name: impl Into<String>, aggregators: &[&str]) -> Self {
        let mut aggregators: Vec<String> = aggregators.iter().map(|name| (*name).to_owned()).collect();
        aggregators.sort();
        aggregators.dedup();
        let (clock, values) = (OnceLock::new(), Mutex::new(VecDeque::new()));
        Self(Arc::new(Inner { name: name.into(), aggregators, clock, values }))
    }

    /// Its name, without the manager's prefix.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Names of its aggregators, in order.
    pub fn aggregators(&self) -> &[String] {
        &self.0.aggregators
    }

    /// Adds a value, measured now. One that is not finite is ignored: JSON cannot hold it. When more come between two
    /// publications than are kept, the oldest go.
    pub fn set(&self, value: impl Into<Number>) {
        let value = value.into();
        if !value.is_finite() {
            return;
        }
        let now = self.0.clock.get().map_or_else(|| SystemClock.now(), |clock| clock.now()).secs();
        let mut values = self.0.values.lock();
        if values.len() >= MAX_VALUES {
            values.pop_front();
            log_dropped_value(&self.0.name);
        }
        values.push_back((now, value));
    }

    /// Binds it to a manager's clock.
    pub(super) fn manage(&self, clock: &Arc<dyn Clock>) -> Result<()> {
        self.0.clock.set(Arc::clone(clock)).map_err(|_| {
            Error::permanent(format!("the metric `{}` belongs to a manager already: it cannot have two", self.0.name))
        })
    }

    /// Takes what was measured since the last call.
    pub(super) fn poll(&self, prefix: &str) -> Datapoint {
        let values = std::mem::take(&mut *self.0.values.lock());
        Datapoint {
            name: format!("{prefix}{}", self.0.name),
            aggregators: self.0.aggregators.clone(),
            values: values.into_iter().map(|(at, value)| (at.into(), value)).collect(),
        }
    }
}

/// Counts what happens; summed.
#[derive(Clone, Debug)]
pub struct Count(Metric);

impl Count {
    /// A counter.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Metric::aggregated(name, &["sum"]))
    }

    /// One more.
    pub fn inc(&self) {
        self.0.set(1.0);
    }
}

impl AsRef<Metric> for Count {
    fn as_ref(&self) -> &Metric {
        &self.0
    }
}

impl AsRef<Metric> for Metric {
    fn as_ref(&self) -> &Metric {
        self
    }
}

/// Measures how long something takes, in seconds; averaged.
#[derive(Clone, Debug)]
pub struct Timer(Metric);

impl Timer {
    /// A timer.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Metric::new(name))
    }

    /// One measurement, which is started and stopped once.
    pub fn timeit(&self) -> Timing {
        Timing { metric: self.0.clone(), state: State::Fresh }
    }
}

impl AsRef<Metric> for Timer {
    fn as_ref(&self) -> &Metric {
        &self.0
    }
}

/// One measurement of a [`Timer`].
#[derive(Debug)]
pub struct Timing {
    metric: Metric,
    state: State,
}

#[derive(Debug)]
enum State {
    Fresh,
    Running(Instant),
    Stopped,
}

impl Timing {
    /// Starts it.
    ///
    /// # Errors
    /// When it has been started before.
    pub fn start(&mut self) -> Result<()> {
        if !matches!(self.state, State::Fresh) {
            return Err(self.wrong("was started twice"));
        }
        self.state = State::Running(Instant::now());
        Ok(())
    }

    /// Stops it and sets the metric; the seconds that it took.
    ///
    /// # Errors
    /// When it was not started, or has been stopped before.
    pub fn stop(&mut self) -> Result<f64> {
        let began = match self.state {
            State::Fresh => return Err(self.wrong("was stopped before it was started")),
            State::Stopped => return Err(self.wrong("was stopped twice")),
            State::Running(began) => began,
        };
        self.state = State::Stopped;
        let seconds = began.elapsed().as_secs_f64();
        self.metric.set(seconds);
        Ok(seconds)
    }

    fn wrong(&self, what: &str) -> Error {
        Error::permanent(format!("a measurement of the timer `{}` {what}", self.metric.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_timing_is_used_once() {
        let timer = Timer::new("t");
        let mut timing = timer.timeit();
        let text = |result: Result<f64>| result.unwrap_err().to_string();
        assert_eq!(text(timing.stop()), "a measurement of the timer `t` was stopped before it was started");
        timing.start().unwrap();
        assert_eq!(timing.start().unwrap_err().to_string(), "a measurement of the timer `t` was started twice");
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert_eq!(timing.stop().unwrap(), 1.5);
        assert_eq!(text(timing.stop()), "a measurement of the timer `t` was stopped twice");
        assert!(timing.start().is_err());
        let point = timer.as_ref().poll("p.");
        assert_eq!((point.name.as_str(), point.aggregators), ("p.t", vec!["avg".to_owned()]));
        assert_eq!(point.values.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [Number::Float(1.5)]);
    }

    #[test]
    fn what_is_too_much_or_not_finite_goes() {
        let metric = Metric::new("m");
        metric.set(f64::NAN);
        metric.set(f64::INFINITY);
        for n in 0..=MAX_VALUES {
            metric.set(n as f64);
        }
        let values = metric.poll("").values;
        assert_eq!((values.len(), values[0].1), (MAX_VALUES, Number::Float(1.0)));
        assert_eq!(metric.poll("").values, []);
    }
}
