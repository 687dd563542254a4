//! What came of a rehearsal, for people and for build servers.

mod data;
mod junit;
mod screens;
mod text;

pub use data::json;
pub use junit::junit;
pub use text::text;

/// `1 step`, `2 steps`.
fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
