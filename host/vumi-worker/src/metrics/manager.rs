//! The manager: gathers what a process measures and publishes it every few seconds (specification: metrics,
//! section 1).

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;
use vumi_core::{Broker, Clock, Error, Result, names};

use super::heard::publish_if_heard;
use super::message::{Datapoint, MetricMessage};
use super::metric::Metric;
use super::number::Number;

/// Vumi's interval.
const INTERVAL: Duration = Duration::from_secs(5);
/// Messages kept while the broker is away: eight minutes of them.
const MAX_WAITING: usize = 100;
/// One-shot values kept between two publications.
const MAX_ONESHOTS: usize = 50_000;
/// Bytes of one message; brokers take at most a mebibyte.
const MAX_BODY: usize = 512 * 1024;
/// How long the last publication may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// Gathers metrics under one prefix and publishes them, one message an interval.
pub struct MetricManager {
    prefix: String,
    publish_interval: Duration,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    publisher: Mutex<Option<Arc<dyn Broker>>>,
    /// What could not be published yet, oldest first.
    waiting: tokio::sync::Mutex<VecDeque<Bytes>>,
    dropped: AtomicU64,
    away: AtomicBool,
}

#[derive(Default)]
struct State {
    names: BTreeSet<String>,
    metrics: Vec<Metric>,
    oneshots: VecDeque<Datapoint>,
}

impl std::fmt::Debug for MetricManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MetricManager").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl MetricManager {
    /// A manager whose metrics' names begin with `prefix`, which usually ends in `.`; publishes every 5 seconds.
    pub fn new(prefix: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            prefix: prefix.into(),
            publish_interval: INTERVAL,
            clock,
            state: Mutex::default(),
            publisher: Mutex::default(),
            waiting: tokio::sync::Mutex::default(),
            dropped: AtomicU64::new(0),
            away: AtomicBool::new(false),
        }
    }

    /// Publishes at another interval (at least a millisecond).
    #[must_use]
    pub fn every(mut self, publish_interval: Duration) -> Self {
        self.publish_interval = publish_interval.max(Duration::from_millis(1));
        self
    }

    /// Takes a metric into care: from now on each message tells its values.
    ///
    /// # Errors
    /// When this manager has one of that name, or another manager has this one.
    pub fn register(&self, metric: &impl AsRef<Metric>) -> Result<()> {
        let metric = metric.as_ref();
        let mut state = self.state.lock();
        if state.names.contains(metric.name()) {
            return Err(Error::permanent(format!("there is a metric `{}{}` already", self.prefix, metric.name())));
        }
        metric.manage(&self.clock)?;
        state.names.insert(metric.name().to_owned());
        state.metrics.push(metric.clone());
        Ok(())
    }

    /// Publishes one value with the next message, ahead of the registered metrics; the metric need not be registered.
    pub fn oneshot(&self, metric: &impl AsRef<Metric>, value: impl Into<Number>) {
        let metric = metric.as_ref();
        self.put(metric.name(), metric.aggregators().to_vec(), value.into());
    }

    /// As [`MetricManager::oneshot`], with a name and one aggregator (`sum`, `avg`, `max`, `min`, `last`): for values
    /// that apps fire. Never waits.
    pub fn fire(&self, name: &str, aggregator: &str, value: impl Into<Number>) {
        self.put(name, vec![aggregator.to_owned()], value.into());
    }

    fn put(&self, name: &str, aggregators: Vec<String>, value: Number) {
        if !value.is_finite() {
            return;
        }
        let values = vec![(self.clock.now().secs().into(), value)];
        let point = Datapoint { name: format!("{}{name}", self.prefix), aggregators, values };
        let mut state = self.state.lock();
        if state.oneshots.len() >= MAX_ONESHOTS {
            state.oneshots.pop_front();
            log_dropped_value(name);
        }
        state.oneshots.push_back(point);
    }

    /// Takes all that was measured since the last call: one-shot values, then each registered metric in the order of
    /// registration, with an empty list where there is nothing.
    pub fn poll(&self) -> MetricMessage {
        let mut state = self.state.lock();
        let oneshots = std::mem::take(&mut state.oneshots);
        let polled = state.metrics.iter().map(|metric| metric.poll(&self.prefix));
        MetricMessage { datapoints: oneshots.into_iter().chain(polled).collect() }
    }

    /// Gives it the broker to publish to.
    pub fn attach(&self, broker: Arc<dyn Broker>) {
        *self.publisher.lock() = Some(broker);
    }

    /// Publishes what was measured since the last call as one message (in several where it would be too long), behind
    /// what could not be published before. With no datapoint at all there is no message.
    ///
    /// # Errors
    /// Without a publisher (see [`MetricManager::attach`]), and when the broker is away: then the message waits for
    /// the next call. 100 messages are kept; beyond that the oldest are dropped.
    pub async fn publish(&self) -> Result<()> {
        let Some(broker) = self.publisher.lock().clone() else {
            return Err(Error::permanent("this metric manager has no publisher: run it, or attach a broker"));
        };
        let mut waiting = self.waiting.lock().await;
        let message = self.poll();
        if !message.datapoints.is_empty() {
            waiting.extend(message.bodies(MAX_BODY));
        }
        let beyond = waiting.len().saturating_sub(MAX_WAITING);
        if beyond > 0 {
            waiting.drain(..beyond);
            self.drop_messages(beyond);
        }
        while let Some(body) = waiting.front() {
            match publish_if_heard(&*broker, names::METRICS, body.clone()).await {
                Ok(_) => {}
                Err(error) if error.is_temporary() => return Err(error),
                Err(error) => {
                    tracing::error!("a metric message cannot be published, so it is dropped: {}", error.report());
                    self.drop_messages(1);
                }
            }
            waiting.pop_front();
        }
        Ok(())
    }

    fn drop_messages(&self, count: usize) {
        let count = count as u64;
        self.dropped.fetch_add(count, Ordering::Relaxed);
        ::metrics::counter!("vumi_metric_messages_dropped_total").increment(count);
    }

    /// Messages dropped so far because the broker was away too long.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Publishes every interval, the first time one interval from now, until `stop` ends; then what is left.
    pub async fn run(&self, broker: Arc<dyn Broker>, stop: CancellationToken) {
        self.attach(broker);
        let mut ticks = interval_at(Instant::now() + self.publish_interval, self.publish_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => break,
            }
            tokio::select! {
                published = self.publish() => self.note(published),
                () = stop.cancelled() => break,
            }
        }
        if let Ok(published) = timeout(FAREWELL, self.publish()).await {
            self.note(published);
        }
    }

    /// Logs a change between reaching the broker and not.
    fn note(&self, published: Result<()>) {
        match published {
            Ok(()) => {
                if self.away.swap(false, Ordering::Relaxed) {
                    tracing::info!(dropped = self.dropped(), "metrics are published again");
                }
            }
            Err(error) => {
                if !self.away.swap(true, Ordering::Relaxed) {
                    tracing::warn!("metrics cannot be published and wait: {}", error.report());
                }
            }
        }
    }
}

/// Says once in the life of the process that values come faster than they are published; counts every one.
pub(super) fn log_dropped_value(metric: &str) {
    static SAID: AtomicBool = AtomicBool::new(false);
    ::metrics::counter!("vumi_metric_values_dropped_total").increment(1);
    if !SAID.swap(true, Ordering::Relaxed) {
        tracing::warn!(metric, "more values than are kept between two publications: the oldest are dropped");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use vumi_broker::{BrokerOptions, EmbeddedBroker};
    use vumi_core::{Consumer, SystemClock};

    use super::*;
    use crate::metrics::Count;

    async fn names_in(consumer: &mut dyn Consumer) -> Vec<Value> {
        let mut delivery = consumer.next().await.unwrap();
        let message: Value = serde_json::from_slice(&delivery.body).unwrap();
        delivery.ack().await.unwrap();
        message["datapoints"].as_array().unwrap().iter().map(|point| point[0].clone()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn publishes_once_an_interval_and_what_is_left_at_the_end() {
        let broker = EmbeddedBroker::in_memory(BrokerOptions::default());
        let mut consumer = broker.consume(names::METRICS, 0).await.unwrap();
        let manager = Arc::new(MetricManager::new("p.", Arc::new(SystemClock)));
        manager.register(&Count::new("c")).unwrap();
        let (stop, began) = (CancellationToken::new(), Instant::now());
        let run = tokio::spawn({
            let (manager, stop) = (Arc::clone(&manager), stop.clone());
            async move { manager.run(broker, stop).await }
        });
        for seconds in [5, 10] {
            assert_eq!(names_in(&mut *consumer).await, [json!("p.c")]);
            assert_eq!(began.elapsed().as_secs(), seconds);
        }
        manager.fire("x", "max", 2.5);
        stop.cancel();
        run.await.unwrap();
        assert_eq!(names_in(&mut *consumer).await, [json!("p.x"), json!("p.c")]);
        assert_eq!(began.elapsed().as_secs(), 10);
    }

    #[test]
    fn the_oldest_of_too_many_one_shot_values_go() {
        let manager = MetricManager::new("", Arc::new(SystemClock));
        for n in 0..=MAX_ONESHOTS {
            manager.fire("m", "sum", n as f64);
        }
        manager.fire("m", "sum", f64::NAN);
        let points = manager.poll().datapoints;
        assert_eq!((points.len(), points[0].values[0].1), (MAX_ONESHOTS, Number::Float(1.0)));
    }
}
