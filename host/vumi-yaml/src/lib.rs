//! YAML as the configuration and the tests of apps read it.
//!
//! This crate alone knows the YAML library, and uses of it only the parser: `load` turns its events into a tree in
//! which each value knows its line and column, `expand` puts environment variables and secret files in, and `read`
//! hands the tree to serde. Doing the last two here, and not in the library, buys three things: every error knows the
//! key path and the exact place (in the right file, where `!include` joins several); `${NAME}` works inside quotes too, which `{ token: "${TOKEN}" }` needs; and a value
//! that came from the environment is known as such, so that no error ever shows it.

mod access;
mod expand;
mod fault;
mod files;
mod load;
pub mod nearest;
mod node;
mod read;
mod syntax;

#[cfg(test)]
mod tests;

pub use expand::{Revealed, expand, secret_file};
pub use fault::{Fault, What};
pub use files::{Files, Source};
pub use load::{MAX_BYTES, load};
pub use node::{Entry, Mark, Node, Scalar, Value};
pub use read::{Reader, is_secret};

/// Line `number` of a text, counted from 1, without its line end. YAML also ends a line at a lone carriage return.
pub fn line(text: &str, number: usize) -> &str {
    let mut rest = text;
    for _ in 1..number {
        let Some(end) = rest.find(['\n', '\r']) else { return "" };
        let (_, after) = rest.split_at(end);
        rest = after.strip_prefix("\r\n").unwrap_or_else(|| after.get(1..).unwrap_or_default());
    }
    rest.split(['\n', '\r']).next().unwrap_or_default()
}
