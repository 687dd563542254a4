//! What translators' tools write is read; what is broken is said with its line.

use proptest::prelude::*;

use super::super::index::Index;
use super::*;

const FILE: &str = r#"# A comment.
msgid ""
msgstr ""
"Language: pl\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\n"

#: src/lib.rs:7
#, rust-format
msgid "Hello"
msgstr "Cześć"

msgctxt "month"
msgid "May"
msgstr "Maj"
msgid "May"
msgstr "Może"

msgid "{n} file"
msgid_plural "{n} files"
msgstr[0] "{n} plik"
msgstr[1] "{n} pliki"
msgstr[2] "{n} plików"

#, fuzzy
#| msgid "Hallo"
msgid "Fuzzy"
msgstr "Rozmyty"

msgid "After fuzzy"
msgstr "Po"

#~ msgid "Old"
#~ msgstr "Stary"

msgid ""
"Long "
"\"text\"\n"
"with \\ and \ttab"
msgstr ""
"Długi "
"tekst"

msgid "Empty"
msgstr ""
"#;

/// In the whole file, and by its index: they agree.
fn look(file: &str, context: Option<&str>, id: &str, count: Option<u64>) -> Option<String> {
    let catalog = Catalog::read(file).unwrap();
    let found = catalog.find(context, id, count, || catalog.rule()).map(Cow::into_owned);
    assert_eq!(Index::of(file).find(context, id, count).map(Cow::into_owned), found, "{id}");
    found
}

fn find(context: Option<&str>, id: &str, count: Option<u64>) -> Option<String> {
    look(FILE, context, id, count)
}

#[test]
fn texts_contexts_and_plurals_are_found() {
    assert_eq!(find(None, "Hello", None).as_deref(), Some("Cześć"));
    assert_eq!(find(Some("month"), "May", None).as_deref(), Some("Maj"));
    assert_eq!(find(None, "May", None).as_deref(), Some("Może"));
    assert_eq!(find(Some("verb"), "May", None), None);
    let forms = [1, 3, 5, 22].map(|n| find(None, "{n} file", Some(n)).unwrap());
    assert_eq!(forms, ["{n} plik", "{n} pliki", "{n} plików", "{n} pliki"]);
    assert_eq!(find(None, "Long \"text\"\nwith \\ and \ttab", None).as_deref(), Some("Długi tekst"));
}

#[test]
fn what_is_fuzzy_obsolete_or_empty_is_left_out() {
    for id in ["Fuzzy", "Old", "Empty", "Hallo", ""] {
        assert_eq!(find(None, id, None), None, "{id}");
    }
    assert_eq!(find(None, "After fuzzy", None).as_deref(), Some("Po"));
}

#[test]
fn a_file_of_windows_is_the_same() {
    let file = format!("\u{FEFF}{}", FILE.replace('\n', "\r\n"));
    assert_eq!(Catalog::read(&file).unwrap(), Catalog::read(FILE).unwrap());
    assert_eq!(look(&file, None, "Hello", None).as_deref(), Some("Cześć"));
    assert_eq!(look(&file, None, "{n} file", Some(3)).as_deref(), Some("{n} pliki"));
}

#[test]
fn without_a_rule_there_are_one_and_many() {
    let file = "msgid \"a\"\nmsgid_plural \"b\"\nmsgstr[0] \"x\"\nmsgstr[1] \"y\"\n";
    let forms = [0, 1, 2].map(|n| look(file, None, "a", Some(n)).unwrap());
    assert_eq!(forms, ["y", "x", "y"]);
}

#[test]
fn what_is_broken_is_said_with_its_line() {
    for (file, line, reason) in [
        ("msgid \"a\nmsgstr \"b\"", 1, "a text without its closing quote"),
        ("msgid \"a\"\nmsgstr \"b\\\"", 2, "a text without its closing quote"),
        ("\n\"a\"", 2, "a text that belongs to nothing"),
        ("msgstr \"b\"", 1, "a msgstr without a msgid"),
        ("msgid \"a\"\nmsgid \"b\"", 2, "it stands twice in one entry"),
        ("Hello", 1, "neither a comment nor a text in quotes"),
        ("msg \"a\"", 1, "it begins with none of msgctxt, msgid, msgid_plural, msgstr"),
        ("msgid \"a\"\nmsgstr[99] \"b\"", 2, "it begins with none of msgctxt, msgid, msgid_plural, msgstr"),
    ] {
        assert_eq!(Catalog::read(file).unwrap_err(), PoError { line, reason }, "{file}");
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r"))
}

proptest! {
    #[test]
    fn what_is_written_is_found_again(
        entries in proptest::collection::btree_map(("[ -~é\n]{1,20}", proptest::option::of("[a-z\"]{1,5}")), "[ -~ж\n]{1,20}", 0..20),
    ) {
        let mut file = String::new();
        for ((id, context), text) in &entries {
            if let Some(context) = context {
                file += &format!("msgctxt {}\n", quoted(context));
            }
            file += &format!("msgid {}\nmsgstr \"\"\n{}\n\n", quoted(id), quoted(text));
        }
        for ((id, context), text) in &entries {
            prop_assert_eq!(look(&file, context.as_deref(), id, None), Some(text.clone()));
        }
    }

    #[test]
    fn whatever_stands_in_a_file_reading_it_ends(file in "((msgid|msgstr|msgctxt|msgstr\\[[0-9]\\]|#,|#)? ?\"?[ -~é]{0,6}\"?\n){0,12}") {
        let _ = Catalog::read(&file);
        let _ = Index::of(&file).find(None, "a", Some(2));
    }

    #[test]
    fn whatever_stands_in_a_rule_reading_it_ends(rule in "[n0-9?:|&=!<>+*/% ()-]{0,40}", n in any::<u64>()) {
        let _ = crate::dialogue::translate::plural::index(&rule, n);
    }
}
