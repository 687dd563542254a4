//! Stack traces that name the sources: `app.mjs:1:2048` becomes `src/app.ts:17:5`, by the source map that
//! came with a bundle.
//!
//! A map is larger than the script, and most runs never fail: it is read when the first trace is seen.

use std::sync::OnceLock;

use super::source_map::SourceMap;

/// Where a map comes from.
type Read = Box<dyn Fn() -> Option<Vec<u8>> + Send + Sync>;

/// Traces of one script.
pub(crate) struct Traces {
    /// What the engine calls the script, with the colon that follows it.
    mark: String,
    read: Read,
    map: OnceLock<Option<SourceMap>>,
}

impl Traces {
    /// For a script of this name. `read` gets the map's JSON text when it is needed.
    pub(crate) fn later(name: &str, read: impl Fn() -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self { mark: format!("{name}:"), read: Box::new(read), map: OnceLock::new() }
    }

    /// The text, with places in the bundle replaced where the map knows better.
    pub(crate) fn mapped(&self, text: String) -> String {
        if !text.contains(&self.mark) {
            return text;
        }
        let map = self.map.get_or_init(|| (self.read)().and_then(|json| SourceMap::parse(&json)));
        match map {
            Some(map) => self.rewritten(&text, map),
            None => text,
        }
    }

    fn rewritten(&self, text: &str, map: &SourceMap) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(&self.mark) {
            let (before, found) = rest.split_at(at);
            out.push_str(before);
            let after = found.get(self.mark.len()..).unwrap_or_default();
            let place = numbers(after);
            // A longer name that ends like ours is not ours.
            let is_ours = !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '.'));
            let known = place.filter(|_| is_ours).and_then(|(line, column, _)| map.find(line, column));
            match (known, place) {
                (Some(source), Some((_, _, length))) => {
                    out.push_str(&format!("{}:{}:{}", source.file, source.line, source.column));
                    rest = after.get(length..).unwrap_or_default();
                }
                _ => {
                    out.push_str(&self.mark);
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// `line:column` at the beginning of a text, and how long that is.
fn numbers(text: &str) -> Option<(u32, u32, usize)> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let first = digits(text);
    let rest = text.get(first..)?.strip_prefix(':')?;
    let second = digits(rest);
    Some((text.get(..first)?.parse().ok()?, rest.get(..second)?.parse().ok()?, first + 1 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_those_of_the_sources() {
        // Line 1 of the bundle: column 1 is a.ts 1:1, column 11 is b.ts 3:5.
        let json = br#"{"version":3,"sources":["../src/a.ts","../src/b.ts"],"mappings":"AAAA,UCEI"}"#;
        let traces = Traces::later("app.mjs", || Some(json.to_vec()));
        let text = "Error: no\n    at f (app.mjs:1:15)\n    at g (app.mjs:1:4)\n    at h (my-app.mjs:1:4)";
        let mapped = "Error: no\n    at f (src/b.ts:3:5)\n    at g (src/a.ts:1:1)\n    at h (my-app.mjs:1:4)";
        assert_eq!(traces.mapped(text.to_owned()), mapped);
        for same in ["", "app.mjs", "app.mjs:", "app.mjs:7:1", "app.mjs:1", "app.mjs:99999999999:1"] {
            assert_eq!(traces.mapped(same.to_owned()), same);
        }
    }

    #[test]
    fn without_a_map_a_text_stays() {
        let traces = Traces::later("app.mjs", || Some(b"{}".to_vec()));
        assert_eq!(traces.mapped("at app.mjs:1:1".to_owned()), "at app.mjs:1:1");
    }
}
