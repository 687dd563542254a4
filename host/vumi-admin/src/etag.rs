//! Entity tags: a caller that has a thing already is told so instead of being sent it again.

use axum::http::{HeaderMap, header};

/// Whether the caller says in `If-None-Match` that it has what `tag` (with its quotes) stands for.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}
