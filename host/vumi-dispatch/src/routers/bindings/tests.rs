//! The choice, by the index alone; what the router makes of it is tested in `routed`.

mod routed;

use proptest::collection::vec;
use proptest::prelude::*;
use vumi_core::{Binding, BindingTable, BoundApp};

use super::*;

/// A binding by keyword, address and transport; an empty text leaves a part open.
fn binding([keyword, to_addr, transport]: [&str; 3]) -> Binding {
    let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Binding { keyword: part(keyword), to_addr: part(to_addr), transport_name: part(transport) }
}

fn table(apps: &[(&str, &[[&str; 3]])]) -> Arc<BindingTable> {
    let bound = |(connector, bindings): &(&str, &[[&str; 3]])| BoundApp {
        connector: (*connector).to_owned(),
        bindings: bindings.iter().copied().map(binding).collect(),
    };
    Arc::new(BindingTable { apps: apps.iter().map(bound).collect() })
}

#[test]
fn the_binding_that_says_most_decides() {
    let all: [(&str, &[[&str; 3]]); 8] = [
        ("everything", &[["", "", ""]]),
        ("from", &[["", "", "t1"]]),
        ("to", &[["", "8007", ""]]),
        ("to+from", &[["", "8007", "t1"]]),
        ("word", &[["join", "", ""]]),
        ("word+from", &[["join", "", "t1"]]),
        ("word+to", &[["join", "8007", ""]]),
        ("word+to+from", &[["join", "8007", "t1"]]),
    ];
    let least_first = |count: usize| Index::new(table(&all[..count]), &[]);
    // With each binding less, the next one has the message.
    for (count, app) in [
        (8, Choice::Keyword("word+to+from")),
        (7, Choice::Keyword("word+to")),
        (6, Choice::Keyword("word+from")),
        (5, Choice::Keyword("word")),
        (4, Choice::Address("to+from")),
        (3, Choice::Address("to")),
        (2, Choice::Address("from")),
        (1, Choice::Address("everything")),
        (0, Choice::Nothing),
    ] {
        assert_eq!(least_first(count).choose("t1", Some("8007"), Some("Join now")), app, "{count}");
    }
    let index = least_first(8);
    for (transport, to_addr, content, app) in [
        ("t2", Some("8007"), Some("join"), Choice::Keyword("word+to")),
        ("t1", Some("8008"), Some("join"), Choice::Keyword("word+from")),
        ("t2", Some("8008"), Some("join"), Choice::Keyword("word")),
        ("t2", None, Some("join"), Choice::Keyword("word")),
        ("t1", Some("8007"), Some("joins"), Choice::Address("to+from")),
        ("t2", Some("8007"), Some(""), Choice::Address("to")),
        ("t1", Some("8008"), Some("now join"), Choice::Address("from")),
        ("t1", None, None, Choice::Address("from")),
        ("t2", None, None, Choice::Address("everything")),
    ] {
        assert_eq!(index.choose(transport, to_addr, content), app, "{transport} {to_addr:?} {content:?}");
    }
}

#[test]
fn a_keyword_is_the_first_word_whatever_its_case() {
    let index = Index::new(table(&[("a", &[["ÄRZTE", "", ""], ["ΟΔΟΣ", "", ""], ["k", "", ""]])]), &[]);
    // The last is the Kelvin sign: three bytes, and one in lower case.
    for content in ["ärzte", " \n Ärzte\tbitte", "ÄRZTE\u{a0}!", "οδος 5", "K", "\u{212a}"] {
        assert_eq!(index.choose("t", None, Some(content)), Choice::Keyword("a"), "{content:?}");
    }
    for content in ["arzte", "ärzte!", "bitte ärzte", "", "   ", &"k".repeat(1_000_000)] {
        assert_eq!(index.choose("t", None, Some(content)), Choice::Nothing);
    }
}

#[test]
fn of_equals_the_first_name_counts_in_any_order() {
    let named = |app: &'static str, keyword: &'static str| (app, [[keyword, "1", ""]]);
    let (a, b) = (named("a", "join"), named("b", "JOIN"));
    for apps in [&[a, b], &[b, a]] {
        let apps = apps.each_ref().map(|(app, bindings)| (*app, &bindings[..]));
        for (transports, app) in [(&[][..], "a"), (&["a".to_owned()], "b")] {
            let index = Index::new(table(&apps), transports);
            assert_eq!(index.choose("t", Some("1"), Some("Join")), Choice::Keyword(app));
        }
    }
}

/// Few texts, so that much fits.
fn part(texts: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    proptest::option::of(proptest::sample::select(texts).prop_map(str::to_owned))
}

fn any_table() -> impl Strategy<Value = Vec<BoundApp>> {
    let binding = (part(&["join", "JOIN", "ß", ""]), part(&["1", "2", ""]), part(&["t", "u"]))
        .prop_map(|(keyword, to_addr, transport_name)| Binding { keyword, to_addr, transport_name });
    let app = (proptest::sample::select(&["a", "b", "c", "d", "t"][..]), vec(binding, 0..4))
        .prop_map(|(connector, bindings)| BoundApp { connector: connector.to_owned(), bindings });
    vec(app, 0..6)
}

/// The choice as the rules say it, with every binding looked at.
fn by_the_rules<'a>(
    apps: &'a [BoundApp],
    transport: &str,
    to_addr: Option<&str>,
    content: Option<&str>,
) -> Option<(bool, &'a str)> {
    let word = content.and_then(|content| content.split_whitespace().next()).map(str::to_lowercase);
    let fits = |binding: &Binding| {
        binding.transport_name.as_deref().is_none_or(|name| name == transport)
            && binding.to_addr.as_deref().is_none_or(|address| Some(address) == to_addr)
            && binding.keyword.as_ref().is_none_or(|keyword| Some(keyword.to_lowercase()) == word)
    };
    let says = |binding: &Binding| {
        let given = [binding.keyword.is_some(), binding.to_addr.is_some(), binding.transport_name.is_some()];
        given.iter().fold(0, |sum, given| sum * 2 + i32::from(*given))
    };
    let all = apps.iter().filter(|app| app.connector != "t").flat_map(|app| {
        app.bindings.iter().filter(|binding| fits(binding)).map(move |binding| (binding, app.connector.as_str()))
    });
    all.min_by_key(|(binding, app)| (-says(binding), *app)).map(|(binding, app)| (binding.keyword.is_some(), app))
}

proptest! {
    #[test]
    fn there_is_one_choice_and_the_order_of_the_table_does_not_matter(
        mut apps in any_table(),
        transport in proptest::sample::select(&["t", "u", "v"][..]),
        to_addr in part(&["1", "2", "3", ""]),
        content in proptest::option::of("( |join|JoIn|ß|SS|x){0,4}"),
        turn in any::<prop::sample::Index>(),
    ) {
        let expected = by_the_rules(&apps, transport, to_addr.as_deref(), content.as_deref())
            .map(|(keyword, app)| (keyword, app.to_owned()));
        for _ in 0..2 {
            let index = Index::new(Arc::new(BindingTable { apps: apps.clone() }), &["t".to_owned()]);
            let chosen = match index.choose(transport, to_addr.as_deref(), content.as_deref()) {
                Choice::Keyword(app) => Some((true, app.to_owned())),
                Choice::Address(app) => Some((false, app.to_owned())),
                Choice::Nothing => None,
            };
            prop_assert_eq!(&chosen, &expected);
            if let Some((keyword, app)) = chosen {
                prop_assert!(index.is_bound(&app) && index.is_there(&app));
                prop_assert!(!keyword || index.has_keywords(transport, to_addr.as_deref()));
            }
            let count = apps.len().max(1);
            apps.rotate_left(turn.index(count));
            apps.reverse();
        }
    }
}
