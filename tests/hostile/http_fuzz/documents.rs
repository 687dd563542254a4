//! Changes to documents: JSON as a tree and as a text, XML as a row of tags and texts. SOAP and XML-RPC are XML.

use serde_json::{Value, json};

use super::dice::Dice;
use super::values;

/// The largest document that is changed further: changes may make it some hundred times as large.
const MOST: usize = 128 << 10;

/// Levels that no reader may follow.
const DEEP: usize = 100_000;

/// Documents that are more work than they look, for every transport that reads the one kind or the other.
pub(super) fn attacks(is_xml: bool) -> Vec<Vec<u8>> {
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(DEEP), close.repeat(DEEP)).into_bytes();
    if is_xml {
        let bombed = [bomb(), b"<a>".to_vec(), bomb_use(), b"</a>".to_vec()].concat();
        return vec![
            bombed,
            nested("<a>", "</a>"),
            "<a>".repeat(DEEP).into_bytes(),
            b"<a>\xff</a>".to_vec(),
            Vec::new(),
        ];
    }
    vec![nested("[", "]"), nested("{\"a\":", "}"), "[".repeat(DEEP).into_bytes(), b"\"\xff\"".to_vec(), Vec::new()]
}

/// A document with one change, as bytes.
pub(super) fn json(value: &Value, dice: &mut Dice) -> Vec<u8> {
    let text = value.to_string();
    if text.len() > MOST {
        return text.into_bytes();
    }
    let mut value = value.clone();
    if !dice.one_in(3) {
        let spots = spots(&value);
        let path = dice.pick(&spots).clone();
        change(&mut value, &path, dice);
        return value.to_string().into_bytes();
    }
    match dice.below(12) {
        0 => text.as_bytes()[..dice.below(text.len())].to_vec(),
        1 => format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP)).into_bytes(),
        2 => format!("{}1{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP)).into_bytes(),
        3 => doubled(&text, dice).into_bytes(),
        4 => instead(&text, dice, "\"\\ud800\"").into_bytes(),
        5 => {
            let number =
                *dice.pick(&["1e999", "-1e999", "1e-999", "123456789012345678901234567890", "-0", "NaN", "01"]);
            instead(&text, dice, number).into_bytes()
        }
        6 => instead(&text, dice, "\"\u{1}\n\"").into_bytes(),
        7 => format!("\u{feff}{text}").into_bytes(),
        8 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        9 => format!("{text}{text}").into_bytes(),
        10 => instead(&text, dice, &"9".repeat(20_000)).into_bytes(),
        _ => {
            let mut bytes = text.into_bytes();
            let at = dice.below(bytes.len());
            bytes.splice(at..at, values::bytes(dice));
            bytes
        }
    }
}

/// The ways to all values within a value.
fn spots(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, into: &mut Vec<String>) {
        into.push(at.to_owned());
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    walk(inner, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), into);
                }
            }
            Value::Array(items) => {
                for (index, inner) in items.iter().enumerate() {
                    walk(inner, &format!("{at}/{index}"), into);
                }
            }
            _ => {}
        }
    }
    let mut spots = Vec::new();
    walk(value, "", &mut spots);
    spots
}

/// Changes the value at a place, or takes it away, or doubles it.
fn change(value: &mut Value, path: &str, dice: &mut Dice) {
    if let Some((parent, name)) = path.rsplit_once('/')
        && dice.one_in(5)
    {
        let name = name.replace("~1", "/").replace("~0", "~");
        match value.pointer_mut(parent) {
            Some(Value::Object(fields)) => {
                let old = fields.shift_remove(&name);
                if dice.one_in(3) {
                    fields.insert(values::text(dice), old.unwrap_or_default());
                }
            }
            Some(Value::Array(items)) => {
                if dice.one_in(2) {
                    items.clear();
                } else if let Some(first) = items.first().cloned() {
                    items.extend(vec![first; *dice.pick(&[1, 20, 500])]);
                }
            }
            _ => {}
        }
        return;
    }
    if let Some(there) = value.pointer_mut(path) {
        *there = any(dice);
    }
}

/// A value of any type.
pub(super) fn any(dice: &mut Dice) -> Value {
    match dice.below(14) {
        0 => Value::Null,
        1 => true.into(),
        2 => false.into(),
        3 => 0.into(),
        4 => (-1).into(),
        5 => i64::MIN.into(),
        6 => u64::MAX.into(),
        7 => json!(1.5e300),
        8 => json!([]),
        9 => json!({}),
        10 => json!([[], {}, null]),
        11 => {
            (0..100).fold(json!(1), |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) })
        }
        _ => values::text(dice).into(),
    }
}

/// Each name of some object twice.
fn doubled(text: &str, dice: &mut Dice) -> String {
    let starts: Vec<usize> = text.match_indices("{\"").map(|(at, _)| at + 1).collect();
    if starts.is_empty() {
        return text.to_owned();
    }
    let at = *dice.pick(&starts);
    let name = text[at..].split('"').nth(1).unwrap_or_default();
    format!("{}\"{name}\":{},{}", &text[..at], any(dice), &text[at..])
}

/// A text in place of some text or number.
fn instead(text: &str, dice: &mut Dice, new: &str) -> String {
    let colons: Vec<usize> = text.match_indices("\":").map(|(at, _)| at + 2).collect();
    if colons.is_empty() {
        return new.to_owned();
    }
    let (before, after) = text.split_at(*dice.pick(&colons));
    let end = after.find([',', '}', ']']).unwrap_or(after.len());
    format!("{before}{new}{}", &after[end..])
}

/// A document with one change.
pub(super) fn xml(document: &[u8], dice: &mut Dice) -> Vec<u8> {
    if document.len() > MOST {
        return document.to_vec();
    }
    let mut pieces = pieces(document);
    let texts: Vec<usize> = (0..pieces.len()).filter(|at| !pieces[*at].starts_with(b"<")).collect();
    let tags: Vec<usize> = (0..pieces.len()).filter(|at| is_opening(&pieces[*at])).collect();
    let (text, tag) = (texts.get(dice.below(texts.len())).copied(), tags.get(dice.below(tags.len())).copied());
    match (dice.below(20), text, tag) {
        (0..=6, Some(at), _) => {
            pieces[at] = if dice.one_in(2) { values::bytes(dice) } else { escaped(&values::text(dice)) }
        }
        (7, _, Some(at)) => drop(pieces.remove(at)),
        (8, _, Some(at)) => pieces.insert(at, pieces[at].clone()),
        (9, _, Some(at)) => {
            let end = end_of(&pieces, at);
            pieces.drain(at..end);
        }
        (10, _, Some(at)) => {
            let end = end_of(&pieces, at);
            let copies: Vec<Vec<u8>> =
                std::iter::repeat_n(&pieces[at..end], *dice.pick(&[1, 2, 300])).flatten().cloned().collect();
            pieces.splice(end..end, copies);
        }
        (11, _, Some(at)) => {
            let name = values::text(dice).replace(['<', '>'], "");
            pieces[at] = format!("<{name}>").into_bytes();
        }
        (12, Some(at), _) => pieces[at] = bomb_use(),
        (13, _, Some(at)) => {
            let nested = format!("{}{}", "<a>".repeat(DEEP), "</a>".repeat(DEEP));
            pieces.insert(at + 1, nested.into_bytes());
        }
        (14, _, Some(at)) => {
            let many: String = (0..5_000).map(|n| format!(" a{n}='{n}'")).collect();
            let end = pieces[at].len() - 1;
            pieces[at].splice(end..end, many.into_bytes());
        }
        (15, _, Some(at)) => {
            let end = pieces[at].len() - 1;
            let odd = *dice.pick(&[
                " x:y='1'",
                " xmlns:q=''",
                " a='1' a='2'",
                " xmlns='urn:other'",
                " a=b",
                " xsi:nil='true'",
            ]);
            pieces[at].splice(end..end, odd.bytes());
        }
        (16, ..) => {
            let whole = pieces.concat();
            return whole[..dice.below(whole.len())].to_vec();
        }
        (17, ..) => {
            let name = *dice.pick(&["UTF-16", "ISO-8859-1", "x", "", "UTF-8"]);
            let head = format!("<?xml version=\"1.0\" encoding=\"{name}\"?>");
            return [head.into_bytes(), pieces.concat()].concat();
        }
        (18, ..) => {
            let text = String::from_utf8_lossy(&pieces.concat()).into_owned();
            return text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        }
        _ => pieces.insert(0, values::bytes(dice)),
    }
    let whole = pieces.concat();
    if whole.windows(5).any(|five| five == b"&bomb") { [bomb(), whole].concat() } else { whole }
}

/// Entities within entities: a few hundred bytes that would become some gigabytes.
fn bomb() -> Vec<u8> {
    let mut text = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b0 \"ha\">".to_owned();
    for level in 1..10 {
        let inner = format!("&b{};", level - 1).repeat(10);
        text.push_str(&format!("<!ENTITY b{level} \"{inner}\">"));
    }
    text.push_str("<!ENTITY bomb \"&b9;\"><!ENTITY file SYSTEM \"file:///etc/passwd\">]>");
    text.into_bytes()
}

fn bomb_use() -> Vec<u8> {
    b"&bomb;&file;".to_vec()
}

/// Tags and what is between them.
fn pieces(document: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = vec![Vec::new()];
    for byte in document {
        if *byte == b'<' && pieces.last().is_some_and(|piece| !piece.is_empty()) {
            pieces.push(Vec::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(*byte);
        }
        if *byte == b'>' {
            pieces.push(Vec::new());
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn is_opening(piece: &[u8]) -> bool {
    matches!(piece, [b'<', second, .., b'>'] if !matches!(second, b'/' | b'?' | b'!'))
}

/// The end of the element that begins at a piece.
fn end_of(pieces: &[Vec<u8>], at: usize) -> usize {
    let mut depth = 0_usize;
    for (number, piece) in pieces.iter().enumerate().skip(at) {
        if is_opening(piece) && !piece.ends_with(b"/>") {
            depth += 1;
        } else if piece.starts_with(b"</") {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return number + 1;
        }
    }
    pieces.len()
}

fn escaped(text: &str) -> Vec<u8> {
    text.replace('&', "&amp;").replace('<', "&lt;").into_bytes()
}
