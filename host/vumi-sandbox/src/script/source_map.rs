//! Source maps, version 3 (<https://tc39.es/ecma426/>): which place of a bundle came from which place of a source.
//!
//! Maps come from whoever deploys an app, so nothing in one is trusted: sizes are bounded, and one that makes no sense
//! counts as none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// Largest map that is read, in bytes.
pub(super) const MAX_MAP: usize = 32 << 20;

/// Most places of one map; each takes 20 bytes.
const MAX_PLACES: usize = 4_000_000;

/// What the last line of a bundle with its map in it begins with.
const INLINE: &str = "//# sourceMappingURL=data:application/json";

/// A map, ready to be asked.
pub(super) struct SourceMap {
    sources: Vec<String>,
    /// Sorted by place in the bundle.
    places: Vec<Place>,
}

/// One place of the bundle and where it came from; all numbers from 0.
struct Place {
    line: u32,
    column: u32,
    source: u32,
    source_line: u32,
    source_column: u32,
}

/// A place in a source.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) file: &'a str,
    /// From 1.
    pub(super) line: u32,
    /// From 1.
    pub(super) column: u32,
}

/// What is read of the JSON.
#[derive(Deserialize)]
struct Text {
    version: u32,
    #[serde(default, rename = "sourceRoot")]
    root: Option<String>,
    sources: Vec<Option<String>>,
    mappings: String,
}

impl SourceMap {
    /// Reads a map.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        if json.len() > MAX_MAP {
            return None;
        }
        let text: Text = serde_json::from_slice(json).ok()?;
        if text.version != 3 {
            return None;
        }
        let root = text.root.unwrap_or_default();
        let sources = text.sources.iter().map(|source| shown(&root, source.as_deref().unwrap_or("?"))).collect();
        let mut places = places(&text.mappings)?;
        places.sort_by_key(|place| (place.line, place.column));
        Some(Self { sources, places })
    }

    /// Where a place of the bundle came from; line and column from 1.
    pub(super) fn find(&self, line: u32, column: u32) -> Option<Found<'_>> {
        let (line, column) = (line.checked_sub(1)?, column.saturating_sub(1));
        let after = self.places.partition_point(|place| (place.line, place.column) <= (line, column));
        let place = self.places.get(after.checked_sub(1)?).filter(|place| place.line == line)?;
        let file = self.sources.get(place.source as usize)?;
        Some(Found { file, line: place.source_line + 1, column: place.source_column + 1 })
    }
}

/// The map that a bundle holds itself.
pub(super) fn inline(code: &str) -> Option<Vec<u8>> {
    let at = code.rfind(INLINE)?;
    let (_, data) = code.get(at..)?.lines().next()?.split_once(";base64,")?;
    if data.len() / 4 * 3 > MAX_MAP {
        return None;
    }
    STANDARD.decode(data.trim_end()).ok()
}

/// A source's name for people: without the way out of the folder that bundles are put in.
fn shown(root: &str, source: &str) -> String {
    let mut name = source;
    while let Some(rest) = name.strip_prefix("../").or_else(|| name.strip_prefix("./")) {
        name = rest;
    }
    format!("{root}{name}").chars().filter(|c| !c.is_control()).take(300).collect()
}

fn places(mappings: &str) -> Option<Vec<Place>> {
    let mut places = Vec::new();
    let (mut source, mut source_line, mut source_column) = (0, 0, 0);
    for (line, segments) in mappings.split(';').enumerate() {
        let mut column = 0;
        for segment in segments.split(',').filter(|segment| !segment.is_empty()) {
            let mut digits = segment.bytes();
            column = step(column, &mut digits)?;
            // A place that came from nowhere has one number.
            if digits.len() == 0 {
                continue;
            }
            source = step(source, &mut digits)?;
            source_line = step(source_line, &mut digits)?;
            source_column = step(source_column, &mut digits)?;
            if places.len() >= MAX_PLACES {
                return None;
            }
            places.push(Place { line: u32::try_from(line).ok()?, column, source, source_line, source_column });
        }
    }
    Some(places)
}

/// The number that follows, which is written as the distance to the one before.
fn step(before: u32, digits: &mut std::str::Bytes<'_>) -> Option<u32> {
    let mut value: u64 = 0;
    let mut shift = 0;
    loop {
        let digit = match digits.next()? {
            byte @ b'A'..=b'Z' => byte - b'A',
            byte @ b'a'..=b'z' => byte - b'a' + 26,
            byte @ b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        if shift > 30 {
            return None;
        }
        value |= u64::from(digit & 31) << shift;
        shift += 5;
        if digit & 32 == 0 {
            break;
        }
    }
    let distance = i64::try_from(value >> 1).ok()?;
    let distance = if value & 1 == 1 { -distance } else { distance };
    u32::try_from(i64::from(before) + distance).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_found_in_its_bundle() {
        let code = "x();\n//# sourceMappingURL=data:application/json;base64,e30=\n";
        assert_eq!(inline(code).as_deref(), Some(&b"{}"[..]));
        let charset = "//# sourceMappingURL=data:application/json;charset=utf-8;base64,e30=";
        assert_eq!(inline(charset).as_deref(), Some(&b"{}"[..]));
        assert_eq!(inline("x();\n//# sourceMappingURL=app.mjs.map"), None);
    }

    #[test]
    fn numbers_are_distances() {
        let number = |text: &str| step(10, &mut text.bytes());
        assert_eq!((number("A"), number("C"), number("D"), number("gB")), (Some(10), Some(11), Some(9), Some(26)));
        for bad in ["", "g", "X", "*", "ggggggggg", "//////////"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_no_map() {
        for bad in [
            "",
            "{}",
            r#"{"version":2,"sources":[],"mappings":""}"#,
            r#"{"version":3,"sources":[],"mappings":"AA"}"#,
            r#"{"version":3,"sources":[],"mappings":"DAAA"}"#,
        ] {
            assert!(SourceMap::parse(bad.as_bytes()).is_none(), "{bad}");
        }
        // A source that is not there.
        let map = SourceMap::parse(br#"{"version":3,"sources":[],"mappings":"AAAA"}"#).unwrap();
        assert_eq!(map.find(1, 1), None);
        assert_eq!((map.find(0, 0), map.find(u32::MAX, u32::MAX)), (None, None));
    }
}
