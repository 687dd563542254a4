//! How the values of one metric within one bucket become one value (specification: metrics, section 3).

use std::collections::BTreeMap;

use vumi_core::{Error, Result};

use super::number::Number;

/// Makes one value of many; they come in the order of time.
pub type Aggregator = fn(&[Number]) -> Number;

/// The aggregators by name. The set is open: a worker of one's own may define more.
#[derive(Clone, Debug)]
pub struct Aggregators(BTreeMap<String, Aggregator>);

impl Default for Aggregators {
    /// `sum`, `avg`, `max`, `min` and `last`. All are 0 over nothing.
    fn default() -> Self {
        let known: [(&str, Aggregator); 5] = [("sum", sum), ("avg", avg), ("max", max), ("min", min), ("last", last)];
        Self(known.into_iter().map(|(name, function)| (name.to_owned(), function)).collect())
    }
}

impl Aggregators {
    /// Adds one.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn define(&mut self, name: &str, function: Aggregator) -> Result<()> {
        if self.0.contains_key(name) {
            return Err(Error::permanent(format!("the aggregator `{name}` is defined already")));
        }
        self.0.insert(name.to_owned(), function);
        Ok(())
    }

    /// The aggregator of this name.
    ///
    /// # Errors
    /// When there is none; names those there are.
    pub fn get(&self, name: &str) -> Result<Aggregator> {
        self.0.get(name).copied().ok_or_else(|| {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            Error::permanent(format!("unknown aggregator `{name}`; known are {}", known.join(", ")))
        })
    }
}

fn sum(values: &[Number]) -> Number {
    values.iter().fold(Number::Int(0), |sum, value| sum.plus(*value))
}

fn avg(values: &[Number]) -> Number {
    if values.is_empty() { Number::Float(0.0) } else { Number::Float(sum(values).as_f64() / values.len() as f64) }
}

fn max(values: &[Number]) -> Number {
    values.iter().copied().max_by(Number::order).unwrap_or(Number::Float(0.0))
}

fn min(values: &[Number]) -> Number {
    values.iter().copied().min_by(Number::order).unwrap_or(Number::Float(0.0))
}

fn last(values: &[Number]) -> Number {
    values.last().copied().unwrap_or(Number::Float(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_defined_once() {
        let mut aggregators = Aggregators::default();
        aggregators.define("count", |values| Number::Int(i64::try_from(values.len()).unwrap())).unwrap();
        assert_eq!(aggregators.get("count").unwrap()(&[Number::Int(5), Number::Int(6)]), Number::Int(2));
        for name in ["count", "sum"] {
            let error = aggregators.define(name, last).unwrap_err().to_string();
            assert_eq!(error, format!("the aggregator `{name}` is defined already"));
        }
        let error = aggregators.get("median").unwrap_err().to_string();
        assert_eq!(error, "unknown aggregator `median`; known are avg, count, last, max, min, sum");
    }
}
