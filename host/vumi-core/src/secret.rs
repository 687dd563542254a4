//! Passwords: they can be used and compared, and are never shown.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A text that must not be seen: it shows itself as `[secret]` wherever it is printed.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `candidate` is the secret; see `same`.
    pub fn matches(&self, candidate: &[u8]) -> bool {
        same(self.0.as_bytes(), candidate)
    }
}

/// Whether two texts are the same. How long the answer takes depends on the length of `candidate` alone, so that the
/// delay does not tell how much of a guess was right.
pub fn same(secret: &[u8], candidate: &[u8]) -> bool {
    let mut difference = secret.len() ^ candidate.len();
    for (index, byte) in candidate.iter().enumerate() {
        let other = secret.get(index).copied().unwrap_or_default();
        difference |= usize::from(std::hint::black_box(byte ^ other));
    }
    std::hint::black_box(difference) == 0
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_matches_and_it_is_never_printed() {
        let secret = Secret::new("pä:ss");
        assert!(secret.matches("pä:ss".as_bytes()));
        for wrong in ["", "pä:s", "pä:sS", "pä:ss ", "pä:ss\0", "xä:ss"] {
            assert!(!secret.matches(wrong.as_bytes()), "{wrong:?}");
        }
        assert!(Secret::new("").matches(b"") && !Secret::new("").matches(b"\0"));
        assert_eq!(format!("{secret:?}"), "[secret]");
    }
}
