//! One change after the other to a request.

use super::dice::Dice;
use super::shape::{Body, Framing, Pair, Shape};
use super::{documents, values};

/// More parameters than are read.
const MANY: usize = 10_001;

/// Changes a request; mostly a little, at times a lot, and at times not at all.
pub(super) fn mutate(shape: &mut Shape, dice: &mut Dice) {
    let times = *dice.pick(&[0, 1, 1, 1, 1, 2, 2, 3, 5]);
    for _ in 0..times {
        match dice.below(20) {
            0 => method(shape, dice),
            1 | 2 => path(shape, dice),
            3 | 4 => header(shape, dice),
            5 => framing(shape, dice),
            6 if dice.one_in(4) => parameters(&mut shape.query, dice),
            _ if matches!(shape.body, Body::Nothing) || dice.one_in(4) => parameter(&mut shape.query, dice),
            _ => body(&mut shape.body, dice),
        }
    }
}

fn method(shape: &mut Shape, dice: &mut Dice) {
    let methods: [&[u8]; 12] = [
        b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH", b"CONNECT", b"get", b"PRI",
        b"X\x80Y",
    ];
    shape.method = dice.pick(&methods).to_vec();
    if dice.one_in(6) {
        shape.version = dice.pick::<&'static str>(&["1.0", "0.9", "2.0", "1.1 x", ""]);
    }
}

fn path(shape: &mut Shape, dice: &mut Dice) {
    match dice.below(10) {
        0 => shape.path.extend(b"/"),
        1 => shape.path.splice(0..0, b"/".iter().copied()).for_each(drop),
        2 => shape.path.extend(b"/../.."),
        3 => shape.path = shape.path.repeat(2),
        4 => {
            // Each character encoded.
            let encoded: String = shape.path.iter().skip(1).map(|byte| format!("%{byte:02x}")).collect();
            shape.path = format!("/{encoded}").into_bytes();
        }
        5 => shape.path.extend("/a".repeat(*dice.pick(&[100, 5_000, 40_000])).into_bytes()),
        6 => shape.path.extend(b"/%00%ff%fe%c3%28/%"),
        7 => shape.path.truncate(1 + dice.below(shape.path.len())),
        8 => {
            shape.path =
                dice.pick(&["*", "http://x/", "//", "/", "/health", "/health/x", "/%2e%2e/"]).as_bytes().to_vec()
        }
        _ => {
            let extra: String = values::text(dice).bytes().map(|byte| format!("%{byte:02X}")).collect();
            shape.path.push(b'/');
            shape.path.extend(extra.into_bytes());
        }
    }
}

/// Changes one parameter.
fn parameter(pairs: &mut Vec<Pair>, dice: &mut Dice) {
    if pairs.is_empty() {
        pairs.push(Pair::new(&values::bytes(dice), &values::bytes(dice)));
        return;
    }
    let at = dice.below(pairs.len());
    match dice.below(12) {
        0 => drop(pairs.remove(at)),
        1 => pairs.push(pairs[at].clone()),
        2 => {
            let mut again = pairs[at].clone();
            again.value = values::bytes(dice);
            pairs.insert(at, again);
        }
        3 => {
            let other = dice.below(pairs.len());
            pairs.swap(at, other);
        }
        4 => {
            let other = pairs[dice.below(pairs.len())].value.clone();
            pairs[at].value = other;
        }
        5 => pairs[at].name = values::bytes(dice),
        6 => {
            let garbage =
                ["%", "%2", "%zz", "a%", "%u0041=1", "&&==&", "=", "a%0d%0aX-Injected:%201", "%00=%00", ";a=1;"];
            pairs.push(Pair { raw: true, ..Pair::new(dice.pick(&garbage).as_bytes(), b"") });
        }
        7 => pairs[at].value = Vec::new(),
        8 if looks_like(&pairs[at].value) => pairs[at].value = document(&pairs[at].value, dice),
        _ => pairs[at].value = values::bytes(dice),
    }
}

/// Changes the parameters as a whole.
fn parameters(pairs: &mut Vec<Pair>, dice: &mut Dice) {
    match dice.below(4) {
        0 => pairs.clear(),
        1 => pairs.reverse(),
        2 => pairs.extend((0..MANY).map(|_| Pair { raw: true, ..Pair::new(b"a", b"") })),
        _ => {
            let all: Vec<Pair> = pairs.iter().take(1_000).cloned().collect();
            pairs.extend(std::iter::repeat_n(all, 20).flatten());
        }
    }
}

fn header(shape: &mut Shape, dice: &mut Dice) {
    let types: [&[u8]; 14] = [
        b"text/plain",
        b"application/json",
        b"application/json; charset=utf-16",
        b"text/xml",
        b"text/xml; charset=latin1",
        b"application/x-www-form-urlencoded",
        b"APPLICATION/X-WWW-FORM-URLENCODED ; charset=\"x",
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"application/octet-stream",
        b";",
        b"",
        b"a/b; charset=\xff",
        b"application/xml;;",
    ];
    let at = dice.below(shape.headers.len());
    match dice.below(10) {
        0 if !shape.headers.is_empty() => drop(shape.headers.remove(at)),
        1 if !shape.headers.is_empty() => shape.headers.push(shape.headers[at].clone()),
        2 | 3 if !shape.headers.is_empty() => shape.headers[at].1 = values::bytes(dice),
        4 => shape.headers.push((b"X-Long".to_vec(), vec![b'a'; *dice.pick(&[5_000, 60_000, 70_000])])),
        5 => shape
            .headers
            .extend((0..*dice.pick(&[50, 99, 200])).map(|n| (format!("X-{n}").into_bytes(), b"1".to_vec()))),
        6 => shape.headers.push((values::bytes(dice), values::bytes(dice))),
        7 => {
            let odd: [(&[u8], &[u8]); 9] = [
                (b"Expect", b"100-continue"),
                (b"Authorization", b"Basic %%%"),
                (b"Authorization", b"Basic YTpi"),
                (b"Authorization", b"Bearer \xff"),
                (b"Transfer-Encoding", b"gzip"),
                (b"Upgrade", b"h2c"),
                (b"Host", b"other"),
                (b"Content-Encoding", b"gzip"),
                (b"X-Forwarded-For", b"::1"),
            ];
            let (name, value) = *dice.pick(&odd);
            shape.headers.push((name.to_vec(), value.to_vec()));
        }
        _ => {
            shape.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-type"));
            shape.headers.push((b"Content-Type".to_vec(), dice.pick(&types).to_vec()));
        }
    }
}

fn framing(shape: &mut Shape, dice: &mut Dice) {
    shape.framing = match dice.below(12) {
        0 => Framing::Untold,
        1 => Framing::Off(-1),
        2 => Framing::Off(1),
        3 => Framing::Off(10_000_000_000),
        4 => Framing::Garbage(dice.pick::<&'static str>(&[
            "-1",
            "x",
            "",
            "1, 2",
            "99999999999999999999999",
            "0x10",
            "+5",
        ])),
        5 => Framing::Both,
        6 => Framing::BadChunks,
        _ => Framing::Chunked(*dice.pick(&[1, 7, 4_096])),
    };
    if dice.one_in(3) {
        shape.headers.push((b"Expect".to_vec(), b"100-continue".to_vec()));
    }
}

fn body(body: &mut Body, dice: &mut Dice) {
    let changed = match body {
        _ if dice.one_in(40) => {
            Body::Bytes(vec![*dice.pick(b"a<[{%&\0\xff"); *dice.pick(&[1, 1 << 20, (1 << 20) + 1])])
        }
        _ if dice.one_in(20) => Body::Nothing,
        Body::Form(pairs) => {
            if dice.one_in(20) {
                parameters(pairs, dice);
            } else {
                parameter(pairs, dice);
            }
            return;
        }
        Body::Json(value) => Body::Bytes(documents::json(value, dice)),
        Body::Xml(document) => Body::Xml(documents::xml(document, dice)),
        Body::Bytes(bytes) if looks_like(bytes) => Body::Bytes(document(bytes, dice)),
        _ => Body::Bytes(values::bytes(dice)),
    };
    *body = changed;
}

/// Whether a text is a document within something else.
fn looks_like(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'<' | b'{' | b'['))
}

fn document(text: &[u8], dice: &mut Dice) -> Vec<u8> {
    match serde_json::from_slice(text) {
        Ok(value) => documents::json(&value, dice),
        Err(_) => documents::xml(text, dice),
    }
}
