//! The cases that the kits of both SDKs share (`tests/fixtures/dialogue`): pages and lengths are the same in either.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::*;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    limit: CaseLimit,
    pieces: Vec<CasePiece>,
    keys: CaseKeys,
    head: Option<String>,
    per_page: usize,
    /// None where the limit has no room beside the keys.
    pages: Option<Vec<String>>,
    broken: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum CaseLimit {
    Characters(usize),
    Segments(usize),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum CasePiece {
    Text(String),
    Option(String),
    #[expect(dead_code, reason = "it is always true")]
    Break(bool),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CaseKeys {
    more: String,
    go_on: Option<String>,
    back: String,
    back_first: bool,
    back_later: bool,
    restart: Option<String>,
}

#[derive(Deserialize)]
struct Length {
    text: String,
    gsm: bool,
    segments: usize,
    fits160: bool,
}

fn read<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = format!("{}/../../tests/fixtures/dialogue/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn screens_become_the_same_pages_in_both_kits() {
    let cases: Vec<Case> = read("pages.json");
    assert!(cases.len() > 100);
    for case in cases {
        let piece = |piece| match piece {
            CasePiece::Text(text) => Piece::Text(text),
            CasePiece::Option(line) => Piece::Option(line),
            CasePiece::Break(_) => Piece::Break,
        };
        let limit = match case.limit {
            CaseLimit::Characters(count) => Limit::Characters(count),
            CaseLimit::Segments(count) => Limit::Segments(count),
        };
        let CaseKeys { more, go_on, back, back_first, back_later, restart } = case.keys;
        let keys = Keys { more, go_on, back_first, back_later, back, restart };
        let pieces = case.pieces.into_iter().map(piece).collect();
        let sheet = Sheet { pieces, keys, head: case.head, per_page: case.per_page };
        let expected = case.pages.map(|pages| Pages { pages, broken: case.broken });
        assert_eq!(sheet.pages(limit).ok(), expected, "{}", case.name);
    }
}

#[test]
fn texts_have_the_same_length_in_both_kits() {
    let lengths: Vec<Length> = read("lengths.json");
    assert!(lengths.len() > 20);
    for Length { text, gsm, segments, fits160 } in lengths {
        let found = (sms::is_gsm(&text), sms::segments(&text), sms::fits(&text, 160));
        assert_eq!(found, (gsm, segments, fits160), "{text:?}");
    }
}
