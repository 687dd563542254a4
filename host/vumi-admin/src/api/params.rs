//! Query parameters that several routes share, and their bounds.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::control::PageQuery;
use crate::problem::Problem;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;
/// The longest name or address that is looked up, in bytes.
const MAX_TEXT: usize = 1024;

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParams {
    /// At most so many entries; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    pub(super) limit: Option<usize>,
    /// Only entries older than this `seq`: the `next` of the page before.
    pub(super) before: Option<u64>,
}

/// At most how many entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LimitParams {
    /// At most so many entries; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    pub(super) limit: Option<usize>,
}

impl PageParams {
    pub(super) fn page(&self) -> Result<PageQuery, Problem> {
        page(self.limit, self.before)
    }
}

pub(super) fn page(limit: Option<usize>, before: Option<u64>) -> Result<PageQuery, Problem> {
    let limit = self::limit(limit)?;
    Ok(PageQuery { limit, before })
}

pub(super) fn limit(limit: Option<usize>) -> Result<usize, Problem> {
    match limit.unwrap_or(DEFAULT_LIMIT) {
        good @ 1..=MAX_LIMIT => Ok(good),
        bad => Err(Problem::invalid(format!("limit is {bad}; it must be from 1 to {MAX_LIMIT}"))),
    }
}

/// An optional text: an empty one counts as absent, an endless one is refused.
pub(super) fn text(name: &str, value: Option<String>) -> Result<Option<String>, Problem> {
    match value {
        Some(text) if text.len() > MAX_TEXT => Err(Problem::invalid(format!("{name} is longer than {MAX_TEXT} bytes"))),
        other => Ok(other.filter(|text| !text.is_empty())),
    }
}
