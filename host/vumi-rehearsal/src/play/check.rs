//! What else a step expects: keys, metrics, log lines, how the app ended.

use std::collections::HashMap;

use serde_json::Value;
use vumi_core::{LogLine, Outcome, Run};
use vumi_sandbox::{Aggregator, Datapoint};

use super::web::Unexpected;
use crate::outcome::Problem;
use crate::script::{FailRule, KeyRule, LogRule, Stub};

/// How the app ended, against what was expected.
pub(super) fn ending(run: &Run, rule: Option<&FailRule>) -> Option<Problem> {
    let reason = run.error.as_deref().unwrap_or_default();
    let failed = run.outcome != Outcome::Ok;
    let ended = format!("the app failed ({}): {reason}", run.outcome.code());
    match rule {
        None => failed.then_some(Problem::Says(ended)),
        Some(_) if !failed => Some(Problem::Says("the app is expected to fail, and ends well".to_owned())),
        Some(rule) => {
            if let Some(outcome) = rule.outcome.filter(|outcome| *outcome != run.outcome) {
                return Some(Problem::Says(format!("{ended}\nexpected is {}", outcome.code())));
            }
            let fits = rule.reason.fits(Some(reason));
            (!fits).then(|| Problem::Says(format!("{ended}\nexpected as the reason is {}", rule.reason.describe())))
        }
    }
}

/// Keys and what they hold; `held` has all of the app's.
pub(super) fn keys(rules: &[KeyRule], held: &HashMap<String, String>) -> Vec<Problem> {
    let parsed = |text: &String| serde_json::from_str::<Value>(text).unwrap_or_else(|_| Value::String(text.clone()));
    let mut problems = Vec::new();
    for rule in rules {
        let Some(key) = &rule.key else {
            let mut others: Vec<&str> = held
                .keys()
                .map(String::as_str)
                .filter(|key| !rules.iter().any(|rule| rule.key.as_deref() == Some(key)))
                .collect();
            others.sort_unstable();
            if !others.is_empty() {
                problems.push(Problem::Says(format!("kv has other keys too: {}", others.join(", "))));
            }
            continue;
        };
        let value = held.get(key).map(parsed);
        if !rule.rule.fits(value.as_ref()) {
            let seen = value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
            problems.push(Problem::Says(format!(
                "the key {key} holds {seen}\nexpected is {} (line {})",
                rule.rule.describe(),
                rule.place.line
            )));
        }
    }
    problems
}

/// Metrics, by the names that the app gave them.
pub(super) fn metrics(rules: &[(String, Option<f64>)], fired: &[Datapoint], prefix: &str) -> Vec<Problem> {
    let name_of = |point: &Datapoint| point.name.strip_prefix(prefix).unwrap_or(&point.name).to_owned();
    let mut values: HashMap<String, f64> = HashMap::new();
    for point in fired {
        let value = values.entry(name_of(point)).or_default();
        *value = if point.aggregator == Aggregator::Sum { *value + point.value } else { point.value };
    }
    let mut problems = Vec::new();
    for (name, expected) in rules {
        let seen = values.get(name).copied();
        let fits = match (expected, seen) {
            (Some(expected), Some(seen)) => (expected - seen).abs() <= f64::EPSILON * expected.abs().max(1.0),
            (expected, seen) => expected.is_none() && seen.is_none(),
        };
        if !fits {
            let shown = |value: Option<f64>| value.map_or_else(|| "not fired".to_owned(), |value| value.to_string());
            problems.push(Problem::Says(format!(
                "the metric {name} is {}\nexpected is {}",
                shown(seen),
                shown(*expected)
            )));
        }
    }
    problems
}

/// Log lines.
pub(super) fn log(rules: &[LogRule], lines: &[LogLine]) -> Vec<Problem> {
    let fits = |rule: &LogRule, line: &LogLine| {
        rule.text.fits(Some(&line.text)) && rule.level.is_none_or(|level| level == line.level)
    };
    let missing = rules.iter().filter(|rule| !lines.iter().any(|line| fits(rule, line)));
    let words = |rule: &LogRule| {
        let level = rule.level.map(|level| format!(" at level {}", level.as_str())).unwrap_or_default();
        Problem::Says(format!("no line{level} of the log is {}", rule.text.describe()))
    };
    missing.map(words).collect()
}

/// Requests that no answer fits.
pub(super) fn unexpected(requests: Vec<Unexpected>) -> Vec<Problem> {
    let words = |request: Unexpected| {
        let mut text = format!("the app asks the web, and the test has no answer: {}", request.request);
        if let Some((place, what)) = request.nearest {
            text.push_str(&format!("\nthe answer in line {} comes nearest: {what}", place.line));
        }
        Problem::Says(text)
    };
    requests.into_iter().map(words).collect()
}

/// Answers that were needed and not used.
pub(super) fn unused(stubs: &[Stub]) -> Vec<Problem> {
    let words = |stub: &Stub| {
        let url = stub.request.url.describe();
        Problem::Says(format!(
            "the app never made the request of line {} (to {url}); `optional: true` allows that",
            stub.place.line
        ))
    };
    stubs.iter().map(words).collect()
}
