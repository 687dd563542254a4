//! Metric messages: `{"datapoints": [[name, [aggregator, …], [[timestamp, value], …]], …]}` (specification: metrics,
//! section 2).

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_message::json;

use super::number::Number;

/// Longest name of a metric, in bytes: names are what aggregators and collectors keep.
const MAX_NAME: usize = 1000;

/// The values of one metric.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Wire")]
pub struct Datapoint {
    /// Full name, prefix included.
    pub name: String,
    /// Names of aggregators; empty for aggregates.
    pub aggregators: Vec<String>,
    /// Pairs of timestamp (seconds since the epoch) and value.
    pub values: Vec<(Number, Number)>,
}

type Wire = (String, Vec<String>, Vec<(Number, Number)>);

impl From<Wire> for Datapoint {
    fn from((name, aggregators, values): Wire) -> Self {
        Self { name, aggregators, values }
    }
}

impl Datapoint {
    fn to_json(&self) -> Value {
        let values: Vec<Value> =
            self.values.iter().map(|(at, value)| Value::Array(vec![at.to_json(), value.to_json()])).collect();
        json!([self.name, self.aggregators, values])
    }
}

/// What one message carries.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct MetricMessage {
    /// In the order in which they were made.
    pub datapoints: Vec<Datapoint>,
}

impl MetricMessage {
    /// Reads a message.
    ///
    /// # Errors
    /// One sentence that says what is wrong with it.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let message: Self =
            serde_json::from_slice(body).map_err(|error| format!("this is no metric message: {error}"))?;
        match message.datapoints.iter().map(|point| point.name.len()).find(|length| *length > MAX_NAME) {
            Some(length) => {
                Err(format!("this is no metric message: a name has {length} bytes, {MAX_NAME} are allowed"))
            }
            None => Ok(message),
        }
    }

    /// The message as a body, byte for byte as Vumi wrote it.
    pub fn body(&self) -> Bytes {
        json::to_text(&json!({"datapoints": self.datapoints.iter().map(Datapoint::to_json).collect::<Vec<_>>()})).into()
    }

    /// The message as bodies of at most about `limit` bytes each; usually one. A datapoint is never divided.
    pub fn bodies(&self, limit: usize) -> Vec<Bytes> {
        let whole = self.body();
        if whole.len() <= limit || self.datapoints.len() < 2 {
            return vec![whole];
        }
        let (mut bodies, mut part, mut size) = (Vec::new(), Self::default(), 0);
        for point in &self.datapoints {
            let more = json::to_text(&point.to_json()).len() + 2;
            if size + more > limit && !part.datapoints.is_empty() {
                bodies.push(part.body());
                part.datapoints.clear();
                size = 0;
            }
            part.datapoints.push(point.clone());
            size += more;
        }
        bodies.push(part.body());
        bodies
    }
}

impl From<Datapoint> for MetricMessage {
    fn from(point: Datapoint) -> Self {
        Self { datapoints: vec![point] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_messages_are_named() {
        for (body, text) in [
            ("x", "expected value"),
            ("{}", "missing field `datapoints`"),
            (r#"{"datapoints": [["a", ["sum"]]]}"#, "invalid length 2"),
            (r#"{"datapoints": [["a", ["sum"], [[1, "x"]]]]}"#, "invalid type"),
        ] {
            let error = MetricMessage::parse(body.as_bytes()).unwrap_err();
            assert!(error.starts_with("this is no metric message: ") && error.contains(text), "{error}");
        }
    }

    #[test]
    fn names_have_a_bound() {
        let body = |length| format!(r#"{{"datapoints": [["{}", [], []]]}}"#, "n".repeat(length));
        assert!(MetricMessage::parse(body(MAX_NAME).as_bytes()).is_ok());
        let error = MetricMessage::parse(body(MAX_NAME + 1).as_bytes()).unwrap_err();
        assert_eq!(error, "this is no metric message: a name has 1001 bytes, 1000 are allowed");
    }

    #[test]
    fn long_messages_are_divided_between_datapoints() {
        let point =
            |n: i64| Datapoint { name: format!("m{n}"), aggregators: vec![], values: vec![(n.into(), n.into())] };
        let message = MetricMessage { datapoints: (0..100).map(point).collect() };
        let bodies = message.bodies(200);
        assert!(bodies.len() > 5 && bodies.iter().all(|body| body.len() < 260));
        let again = bodies.iter().flat_map(|body| MetricMessage::parse(body).unwrap().datapoints).collect();
        assert_eq!(MetricMessage { datapoints: again }, message);
        assert_eq!(message.bodies(1_000_000), [message.body()]);
    }
}
