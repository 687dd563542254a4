//! Values on their way to becoming aggregates (specification: metrics, section 5).
//!
//! Values gather by stretch of time and metric. A stretch is closed some time (`lag`) after its end, so that slow
//! messages still count; what comes for a closed stretch is thrown away. Nothing here knows a clock: the time is
//! given.

use std::collections::{BTreeMap, BTreeSet};

use super::aggregators::Aggregators;
use super::message::Datapoint;
use super::number::Number;
use super::spread::{stretch, stretch_of_second};

/// Values held at most. An aggregator that holds as many has values far in the future, or far too much to do.
const MAX_VALUES: usize = 1_000_000;

/// See the module's text.
#[derive(Debug)]
pub struct Tally {
    bucket_size: u32,
    lag: f64,
    aggregators: Aggregators,
    /// The last stretch that is closed.
    last: i64,
    open: BTreeMap<i64, BTreeMap<String, Series>>,
    held: usize,
}

#[derive(Debug, Default)]
struct Series {
    aggregators: BTreeSet<String>,
    values: Vec<(Number, Number)>,
}

/// What a check gave.
#[derive(Debug, Default, PartialEq)]
pub struct Closed {
    /// To be published, one message each.
    pub aggregates: Vec<Datapoint>,
    /// What came too late, or cannot be published: sentences for the log.
    pub thrown: Vec<String>,
}

impl Tally {
    /// Empty, at the time `now` (seconds since the epoch); `lag` is in seconds.
    pub fn new(bucket_size: u32, lag: f64, now: f64, aggregators: Aggregators) -> Self {
        let mut tally = Self { bucket_size, lag, aggregators, last: 0, open: BTreeMap::new(), held: 0 };
        tally.last = tally.current(now) - 1;
        tally
    }

    /// The youngest stretch that is over.
    fn current(&self, now: f64) -> i64 {
        stretch_of_second(Number::Float(now - self.lag).floor(), self.bucket_size) - 1
    }

    /// Adds the datapoints of one message: all or none.
    ///
    /// # Errors
    /// One sentence for an unknown aggregator, and when as many values are held as may be.
    pub fn add(&mut self, points: Vec<Datapoint>) -> Result<(), String> {
        for name in points.iter().flat_map(|point| &point.aggregators) {
            self.aggregators.get(name).map_err(|error| error.to_string())?;
        }
        let more: usize = points.iter().map(|point| point.values.len()).sum();
        if self.held + more > MAX_VALUES {
            return Err(format!("the aggregator holds {} values already and takes at most {MAX_VALUES}", self.held));
        }
        for point in points {
            let Some((first, _)) = point.values.first() else { continue };
            let stretch = stretch(*first, self.bucket_size);
            let series = self.open.entry(stretch).or_default().entry(point.name).or_default();
            series.aggregators.extend(point.aggregators);
            series.values.extend(point.values);
        }
        self.held += more;
        Ok(())
    }

    /// Closes what is over at the time `now`.
    pub fn check(&mut self, now: f64) -> Closed {
        let current = self.current(now);
        let closed = self.close(current);
        self.last = current;
        closed
    }

    /// Closes everything, for an orderly stop.
    pub fn flush(&mut self) -> Closed {
        self.close(i64::MAX)
    }

    fn close(&mut self, current: i64) -> Closed {
        let mut closed = Closed::default();
        while let Some(entry) = self.open.first_entry() {
            if *entry.key() > current {
                break;
            }
            let (stretch, metrics) = entry.remove_entry();
            for (name, series) in metrics {
                self.held = self.held.saturating_sub(series.values.len());
                if stretch <= self.last {
                    closed.thrown.push(thrown(&name, &series));
                } else {
                    self.aggregate(stretch, &name, series, &mut closed);
                }
            }
        }
        closed
    }

    fn aggregate(&self, stretch: i64, name: &str, mut series: Series, closed: &mut Closed) {
        series.values.sort_by(|a, b| a.0.order(&b.0).then_with(|| a.1.order(&b.1)));
        let values: Vec<Number> = series.values.iter().map(|(_, value)| *value).collect();
        let at = Number::Int(stretch.saturating_mul(i64::from(self.bucket_size)));
        for aggregator in &series.aggregators {
            // Known: `add` looked it up.
            let Ok(function) = self.aggregators.get(aggregator) else { continue };
            let name = format!("{name}.{aggregator}");
            let value = function(&values);
            if value.is_finite() {
                closed.aggregates.push(Datapoint { name, aggregators: Vec::new(), values: vec![(at, value)] });
            } else {
                closed.thrown.push(format!("Throwing an aggregate that is no finite number: {name} at {}", at.trunc()));
            }
        }
    }
}

/// Vumi's words; of many values the first few.
fn thrown(name: &str, series: &Series) -> String {
    let shown: Vec<String> =
        series.values.iter().take(10).map(|(at, value)| format!("[{}, {}]", at.text(), value.text())).collect();
    let more = if series.values.len() > shown.len() { ", …" } else { "" };
    let aggregators: Vec<&str> = series.aggregators.iter().map(String::as_str).collect();
    format!("Throwing way old metric data: {name} [{}] [{}{more}]", aggregators.join(", "), shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(name: &str, aggregators: &[&str], values: &[(i64, f64)]) -> Datapoint {
        Datapoint {
            name: name.into(),
            aggregators: aggregators.iter().map(|name| (*name).to_owned()).collect(),
            values: values.iter().map(|(at, value)| (Number::Int(*at), Number::Float(*value))).collect(),
        }
    }

    #[test]
    fn a_message_is_taken_whole_or_not_at_all() {
        let mut tally = Tally::new(5, 0.0, 0.0, Aggregators::default());
        let error = tally.add(vec![point("a", &["sum"], &[(1, 1.0)]), point("b", &["mode"], &[(1, 1.0)])]).unwrap_err();
        assert!(error.starts_with("unknown aggregator `mode`"));
        assert_eq!(tally.flush(), Closed::default());
    }

    #[test]
    fn aggregators_of_a_metric_are_united_and_values_sorted() {
        let mut tally = Tally::new(10, 0.0, 100.0, Aggregators::default());
        tally.add(vec![point("m", &["last"], &[(105, 9.0)]), point("m", &["sum"], &[(103, 1.0), (105, 8.0)])]).unwrap();
        tally.add(vec![point("empty", &["sum"], &[])]).unwrap();
        let flushed = tally.flush().aggregates;
        assert_eq!(flushed, [point("m.last", &[], &[(100, 9.0)]), point("m.sum", &[], &[(100, 18.0)])]);
        assert_eq!(tally.held, 0);
    }

    #[test]
    fn values_are_bounded() {
        let mut tally = Tally::new(5, 0.0, 0.0, Aggregators::default());
        let many: Vec<(i64, f64)> = (0..1_000_000).map(|_| (1_000_000, 1.0)).collect();
        tally.add(vec![point("m", &["sum"], &many)]).unwrap();
        assert!(tally.add(vec![point("m", &["sum"], &[(1, 1.0)])]).unwrap_err().contains("at most 1000000"));
    }

    #[test]
    fn what_is_no_number_is_not_published() {
        let mut tally = Tally::new(5, 0.0, 0.0, Aggregators::default());
        tally.add(vec![point("m", &["sum", "max"], &[(1, f64::MAX), (2, f64::MAX)])]).unwrap();
        let closed = tally.check(100.0);
        assert_eq!(closed.aggregates, [point("m.max", &[], &[(0, f64::MAX)])]);
        assert_eq!(closed.thrown, ["Throwing an aggregate that is no finite number: m.sum at 0"]);
    }
}
