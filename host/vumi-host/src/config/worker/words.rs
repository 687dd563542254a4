//! Vumi's words for mistakes in a worker's keys (specification: workers, section 3), in front of ours, which say more.

use crate::config::error::{ConfigError, Problem};

/// The same mistakes, in Vumi's words where it had some.
pub(super) fn of_vumi(error: &ConfigError) -> ConfigError {
    ConfigError::of(error.problems().iter().cloned().map(said).collect())
}

fn said(mut problem: Problem) -> Problem {
    let key = problem.path.rsplit('.').next().unwrap_or_default();
    let missing = problem.sentence.strip_prefix('`').and_then(|rest| rest.strip_suffix("` is missing"));
    if let Some(missing) = missing {
        problem.sentence = format!("Missing required config field '{missing}'");
    } else if problem.sentence.starts_with("expected a whole number") && !key.is_empty() {
        problem.sentence = format!("Field '{key}' could not be converted to int: {}", problem.sentence);
    }
    problem
}
