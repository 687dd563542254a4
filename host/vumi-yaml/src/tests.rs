//! Tests of the tree and of what serde sees of it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, Files, Mark, Node, Reader, Revealed, expand, line};

fn env(name: &str) -> Option<String> {
    match name {
        "NAME" => Some("value".to_owned()),
        "NUMBER" => Some("12".to_owned()),
        "NULL" => Some("null".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn load(yaml: &str) -> Result<std::rc::Rc<Node>, Fault> {
    super::load(&mut Files::new("", yaml))
}

fn tree(yaml: &str) -> Result<std::rc::Rc<Node>, Fault> {
    expand(&load(yaml)?, Path::new(""), &env, &mut Revealed::default())
}

fn read<T: for<'de> Deserialize<'de>>(yaml: &str) -> Result<T, Fault> {
    T::deserialize(Reader::new(&*tree(yaml)?))
}

fn value(yaml: &str) -> Value {
    read(yaml).unwrap_or_else(|fault| panic!("{yaml}: {fault}"))
}

#[test]
fn untyped_values_are_those_of_yaml_1_2() {
    for (yaml, expected) in [
        ("[1, -2, +3, 0x1F, 0o17, 007]", json!([1, -2, 3, 31, 15, 7])),
        ("[1.5, -1e3, .5]", json!([1.5, -1000.0, 0.5])),
        ("[true, false, True, yes, no, on]", json!([true, false, "True", "yes", "no", "on"])),
        ("[null, ~, Null, '', \"null\"]", json!([null, null, null, "", "null"])),
        ("['1', \"true\", !!str 5]", json!(["1", "true", "5"])),
        (
            "[1.2.3, 1_000, 0x, 1e999, .inf, .nan, +, 12:30]",
            json!(["1.2.3", "1_000", "0x", "1e999", ".inf", ".nan", "+", "12:30"]),
        ),
        ("[278312345678901234567890]", json!(["278312345678901234567890"])),
        ("a: |\n  two\n  lines\nb: >\n  one\n  line\n", json!({"a": "two\nlines\n", "b": "one line\n"})),
        ("{a: {}, b: []}", json!({"a": {}, "b": []})),
        ("\u{feff}a: 1", json!({"a": 1})),
        ("", json!(null)),
        ("# nothing\n", json!(null)),
    ] {
        assert_eq!(value(yaml), expected, "{yaml}");
    }
}

#[test]
fn texts_keep_every_character_and_numbers_may_be_quoted() {
    let texts: BTreeMap<String, String> = read("{a: +27831234567, b: 0012, c: 1.50, d: no, e: 0x1F}").unwrap();
    assert_eq!(texts.values().map(String::as_str).collect::<Vec<_>>(), ["+27831234567", "0012", "1.50", "no", "0x1F"]);
    let numbers: Vec<u16> = read("['9010', ' 5 ', 7, \"${NUMBER}\", 0x10]").unwrap();
    assert_eq!(numbers, [9010, 5, 7, 12, 16]);
    let flags: Vec<bool> = read("[true, 'false']").unwrap();
    assert_eq!(flags, [true, false]);
    assert_eq!(read::<Vec<f64>>("[1, '2.5', -1e-3]").unwrap(), [1.0, 2.5, -0.001]);
    assert_eq!(read::<Vec<Option<u8>>>("[1, ~, null]").unwrap(), [Some(1), None, None]);
    assert_eq!(read::<(u8, String)>("[1, a]").unwrap(), (1, "a".to_owned()));
}

#[test]
fn what_does_not_fit_is_refused() {
    for (yaml, expected) in [
        ("[256]", "expected a whole number from 0 to 255, found `256`"),
        ("[-1]", "expected a whole number from 0 to 255, found `-1`"),
        ("[1.0]", "expected a whole number from 0 to 255, found `1.0`"),
        ("[~]", "expected a whole number from 0 to 255, found nothing"),
        ("[{a: 1}]", "expected a whole number from 0 to 255, found a map"),
        ("5", "expected a list, found `5`"),
    ] {
        assert_eq!(read::<Vec<u8>>(yaml).unwrap_err().to_string(), expected, "{yaml}");
    }
    for yaml in ["[yes]", "[True]", "[1]", "['']", "[[]]"] {
        assert!(
            read::<Vec<bool>>(yaml).unwrap_err().to_string().starts_with("expected true or false, found "),
            "{yaml}"
        );
    }
    for yaml in ["[.nan]", "[.inf]", "[1e999]", "[a]"] {
        assert!(read::<Vec<f64>>(yaml).unwrap_err().to_string().starts_with("expected a number, found "), "{yaml}");
    }
    let long = format!("['{}']", "ü".repeat(100));
    assert_eq!(read::<Vec<u8>>(&long).unwrap_err().to_string().chars().filter(|c| *c == 'ü').count(), 60);
}

#[test]
fn anchors_and_merges() {
    let yaml =
        "base: &b {x: 1, y: 2}\nother: &o {z: 9, y: 8}\none: {<<: *b, y: 3}\ntwo: {<<: [*b, *o], w: 0}\nsame: *b\n";
    assert_eq!(value(yaml)["one"], json!({"x": 1, "y": 3}));
    assert_eq!(value(yaml)["two"], json!({"x": 1, "y": 2, "z": 9, "w": 0}));
    assert_eq!(value(yaml)["same"], json!({"x": 1, "y": 2}));
    // What is merged in first stands first, so that a `class` may come from there.
    assert_eq!(value(yaml)["one"].to_string(), r#"{"x":1,"y":3}"#);
}

#[test]
fn variables() {
    for (yaml, expected) in [
        ("${NAME}", json!("value")),
        ("'a ${NAME} b ${NUMBER}'", json!("a value b 12")),
        ("[\"${NAME}\", ${NAME}x]", json!(null)),
        ("${NUMBER}", json!(12)),
        ("\"${NUMBER}\"", json!("12")),
        ("${NULL}", json!("null")),
        ("${EMPTY}", json!("")),
        ("${UNSET:-default}", json!("default")),
        ("${EMPTY:-default}", json!("default")),
        ("${NAME:-default}", json!("value")),
        ("${UNSET:-}", json!("")),
        ("${UNSET:-7}", json!(7)),
        ("$${NAME}", json!("${NAME}")),
        ("pa$$word$1", json!("pa$$word$1")),
        ("{${NAME}: 1}", json!(null)),
    ] {
        let read = read::<Value>(yaml);
        if expected.is_null() {
            assert!(read.is_err(), "{yaml}");
        } else {
            assert_eq!(read.unwrap(), expected, "{yaml}");
        }
    }
    // Keys are as they are written.
    assert_eq!(value("\"${NAME}\": 1"), json!({"${NAME}": 1}));
}

#[test]
fn secret_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "abc\r\n\n").unwrap();
    std::fs::write(folder.path().join("large"), vec![b'x'; 70_000]).unwrap();
    std::fs::write(folder.path().join("bytes"), [0xff, 0xfe]).unwrap();
    let text = |yaml: &str| {
        let tree = expand(&load(yaml).unwrap(), folder.path(), &env, &mut Revealed::default());
        tree.map(|tree| tree.text().unwrap().to_owned()).map_err(|fault| fault.to_string())
    };
    assert_eq!(text("x${file:token}y"), Ok("xabcy".to_owned()));
    assert!(text("${file:large}").unwrap_err().contains("larger than 64 KiB"));
    assert!(text("${file:bytes}").unwrap_err().contains("cannot be read"));
    assert!(text("${file:none}").unwrap_err().contains("No such file"));
}

#[test]
fn messages_hide_what_came_from_outside() {
    let mut revealed = Revealed::default();
    let env = |name: &str| Some(if name == "LONG" { "hunter22" } else { "k9" }.to_owned());
    expand(&load("[\"${LONG}\", \"${SHORT}\", \"${LONG}\"]").unwrap(), Path::new(""), &env, &mut revealed).unwrap();
    assert_eq!(revealed.hide("`hunter22` in xhunter22x"), "`${LONG}` in x${LONG}x");
    assert_eq!(revealed.hide("`k9` and 'k9' but k9 in k99"), "`${SHORT}` and '${SHORT}' but k9 in k99");
}

#[test]
fn places() {
    let yaml = "a:\n  b: [x, {c: y}]\n  d:\n    e: z\n";
    let tree = load(yaml).unwrap();
    for (path, line, column) in [
        (&["a", "b"][..], 2, 6),
        (&["a", "b", "[0]"], 2, 7),
        (&["a", "b", "[1]", "c"], 2, 14),
        (&["a", "d"], 3, 3),
        (&["a", "d", "e"], 4, 8),
        (&["a", "none", "x"], 1, 1),
        (&[], 1, 1),
    ] {
        assert_eq!(tree.find(path), Mark { file: 0, line, column }, "{path:?}");
    }
    assert_eq!(tree.at(&["a", "b", "[1]", "c"]).and_then(Node::text), Some("y"));
    assert!(tree.at(&["a", "b", "[2]"]).is_none() && tree.at(&["a", "b", "0"]).is_none());
}

#[test]
fn lines_end_in_any_way() {
    let text = "a\nb\r\nc\rd\n\ne";
    let lines: Vec<&str> = (1..=7).map(|number| line(text, number)).collect();
    assert_eq!(lines, ["a", "b", "c", "d", "", "e", ""]);
    assert_eq!(line("", 1), "");
}

#[test]
fn bounds() {
    assert!(load(&"x".repeat(2 << 20)).unwrap_err().to_string().contains("larger than 1024 KiB"));
    assert!(load(&"[".repeat(5_000)).is_err());
    assert!(load(&"- ".repeat(5_000)).is_err());
    let nested = format!("a: &a {}1{}\nb: {}*a{}", "[".repeat(40), "]".repeat(40), "[".repeat(40), "]".repeat(40));
    assert!(load(&nested).unwrap_err().to_string().contains("nested too deeply"));
    assert!(load(&"- 1\n".repeat(60_000)).unwrap_err().to_string().contains("more than 50000 values"));
    let keys: String = (0..40_000).map(|n| format!("k{n}: 1\n")).collect();
    assert!(load(&keys).unwrap_err().to_string().contains("more than 50000 values"));
    let file = format!("[{}]", "\"${NAME}\",".repeat(10_000));
    let env = |_: &str| Some("x".repeat(1_000));
    let fault = expand(&load(&file).unwrap(), Path::new(""), &env, &mut Revealed::default()).unwrap_err();
    assert!(fault.to_string().contains("more than 4 MiB"), "{fault}");
}

#[test]
fn words_and_words_with_values() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Choice {
        Alone,
        With(u8),
        Keys { a: u8 },
        Pair(u8, u8),
    }
    let choices: Vec<Choice> = read("[alone, {with: 5}, {keys: {a: 1}}, {pair: [1, 2]}]").unwrap();
    assert_eq!(choices, [Choice::Alone, Choice::With(5), Choice::Keys { a: 1 }, Choice::Pair(1, 2)]);
    for (yaml, path, text) in [
        ("alnoe", "", "`alnoe` is none of alone, with, keys, pair"),
        ("with", "", "`with` needs a value"),
        ("{alone: 1}", "", "`alone` has no value of its own"),
        ("{with: x}", "with", "expected a whole number from 0 to 255, found `x`"),
        ("{keys: {b: 1}}", "keys", "`a` is missing"),
        ("[alone]", "", "expected one of alone, with, keys, pair, found a list"),
        ("{with: 1, pair: 2}", "", "expected one of alone, with, keys, pair, found a map"),
    ] {
        let fault = read::<Choice>(yaml).unwrap_err();
        assert_eq!((fault.path().as_str(), fault.to_string().as_str()), (path, text), "{yaml}");
    }
}

#[test]
fn secrets_are_not_shown_at_any_depth() {
    type Nested = BTreeMap<String, Vec<BTreeMap<String, u8>>>;
    let found = |yaml: &str| read::<Nested>(yaml).unwrap_err().to_string();
    assert_eq!(found("{a: [{b: s3cr3t}]}"), "expected a whole number from 0 to 255, found `s3cr3t`");
    assert_eq!(found("{a: [{api_key: s3cr3t}]}"), "expected a whole number from 0 to 255, found `***`");
    assert_eq!(found("{passwords: [{b: s3cr3t}]}"), "expected a whole number from 0 to 255, found `***`");
    assert_eq!(found("{passwords: [{b: \"${NAME}\"}]}"), "expected a whole number from 0 to 255, found `${NAME}`");
}
