//! What the golden files give the fuzzer: requests, replies, messages, and the configurations that they were made for.

use serde_json::{Map, Value};
use vumi_tests::golden::step::RemoteStep;
use vumi_tests::golden::{Bindings, Case, Golden, Step};

use super::shape::Shape;

/// Replaces the placeholders of golden cases. Names that stand for nothing become a text.
#[derive(Clone, Debug)]
pub(super) struct Filler(pub(super) Bindings);

impl Filler {
    pub(super) fn fill(&self, text: &str) -> String {
        let mut bindings = self.0.clone();
        if let Ok(filled) = bindings.fill(text) {
            return filled;
        }
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            filled.push_str(before);
            filled.push_str(&bindings.fill(&format!("${{{name}}}")).unwrap_or_else(|_| "0123456789abcdef".to_owned()));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    pub(super) fn map(&self, map: &Map<String, Value>) -> Map<String, Value> {
        let text = self.fill(&Value::Object(map.clone()).to_string());
        serde_json::from_str(&text).unwrap_or_else(|_| map.clone())
    }

    /// A configuration, in which every placeholder has a value of its own type.
    ///
    /// # Errors
    /// A name that stands for nothing.
    pub(super) fn config(&self, config: &Map<String, Value>) -> Result<Map<String, Value>, String> {
        let mut bindings = self.0.clone();
        config.iter().map(|(key, value)| Ok((key.clone(), bindings.fill_value(value)?))).collect()
    }
}

/// Cases with which a transport can be started and that send something.
pub(super) fn cases(golden: &Golden) -> Vec<&Case> {
    let is_life = |step: &Step| matches!(step, Step::StartFails(_) | Step::CheckFails(_));
    let is_work = |step: &Step| matches!(step, Step::Request(_) | Step::Send(_));
    let all = golden.cases.iter().map(|case| &case.value);
    all.filter(|case| {
        let mut steps = case.steps.iter().map(|step| &step.value);
        steps.clone().any(is_work) && !steps.any(is_life)
    })
    .collect()
}

/// Requests of a case, in their order.
pub(super) fn requests(case: &Case, filler: &Filler) -> Vec<Shape> {
    let steps = case.steps.iter().filter_map(|step| match &step.value {
        Step::Request(step) => Shape::of(step, &|text| filler.fill(text)),
        _ => None,
    });
    steps.collect()
}

/// Requests of all cases.
pub(super) fn all_requests(golden: &Golden, filler: &Filler) -> Vec<Shape> {
    golden.requests().filter_map(|(_, step)| Shape::of(step, &|text| filler.fill(text))).collect()
}

/// What replies set in the cases of a file.
pub(super) fn replies(golden: &Golden, filler: &Filler) -> Vec<Map<String, Value>> {
    steps(golden, |step| match step {
        Step::Reply(step) => Some(filler.map(&step.reply)),
        _ => None,
    })
}

/// Messages that answer nothing.
pub(super) fn sends(golden: &Golden, filler: &Filler) -> Vec<Map<String, Value>> {
    steps(golden, |step| match step {
        Step::Send(step) => Some(filler.map(&step.send)),
        _ => None,
    })
}

/// What the network answers in a case, and then in all others.
pub(super) fn remotes(golden: &Golden, case: &Case) -> Vec<RemoteStep> {
    let of = |case: &Case| -> Vec<RemoteStep> {
        let steps = case.steps.iter().filter_map(|step| match &step.value {
            Step::Remote(step) => Some(step.clone()),
            _ => None,
        });
        steps.collect()
    };
    let own = of(case);
    if own.is_empty() { golden.cases.iter().flat_map(|case| of(&case.value)).collect() } else { own }
}

fn steps<T>(golden: &Golden, of: impl Fn(&Step) -> Option<T>) -> Vec<T> {
    golden.cases.iter().flat_map(|case| &case.value.steps).filter_map(|step| of(&step.value)).collect()
}
