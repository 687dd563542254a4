//! Nothing is lost, every page fits, numbers stay: for screens of every shape.

use proptest::prelude::*;

use super::*;

fn keys() -> Keys {
    Keys {
        more: "99. More".into(),
        go_on: None,
        back_first: false,
        back_later: true,
        back: "0. Back".into(),
        restart: None,
    }
}

fn sheet(text: &str, options: &[&str]) -> Sheet {
    let mut pieces = vec![Piece::Text(text.to_owned())];
    pieces.extend(options.iter().enumerate().map(|(at, label)| Piece::Option(format!("{}. {label}", at + 1))));
    Sheet { pieces, keys: keys(), head: None, per_page: usize::MAX }
}

fn pages(sheet: Sheet, characters: usize) -> Vec<String> {
    sheet.pages(Limit::Characters(characters)).unwrap().pages
}

#[test]
fn what_fits_is_one_page_without_keys() {
    assert_eq!(pages(sheet("Tea?", &["Yes", "No"]), 17), ["Tea?\n1. Yes\n2. No"]);
}

#[test]
fn options_that_do_not_fit_go_to_the_next_page_with_their_numbers() {
    let expected = ["Tea?\n1. Yes\n99. More", "2. No\n3. Maybe\n0. Back"];
    assert_eq!(pages(sheet("Tea?", &["Yes", "No", "Maybe"]), 23), expected);
}

#[test]
fn a_text_is_broken_between_words() {
    let expected = ["one two\n99. More", "three\n99. More\n0. Back", "four\nfive\n0. Back"];
    assert_eq!(pages(sheet("one two  three four\nfive", &[]), 22), expected);
}

#[test]
fn words_that_hold_together_are_not_broken() {
    assert_eq!(pages(sheet("a 10\u{A0}000 b", &[]), 320 + 16).len(), 1);
    let (cut, hard) = cut("aa 10\u{A0}000", false, |part| part.chars().count() < 6).unwrap();
    assert_eq!((cut, hard), (2, false));
}

#[test]
fn a_word_longer_than_a_page_is_broken_and_said_so() {
    let made = sheet(&"x".repeat(40), &[]).pages(Limit::Characters(30)).unwrap();
    assert!(made.broken);
    assert_eq!(made.pages[0], format!("{}\n99. More", "x".repeat(21)));
    assert_eq!(made.pages[1], format!("{}\n0. Back", "x".repeat(19)));
}

#[test]
fn an_option_longer_than_a_page_is_broken_as_a_text() {
    let made = pages(sheet("", &["one two three four five six seven", "b"]), 30);
    assert_eq!(made, ["1. one two three four\n99. More", "five six seven\n2. b\n0. Back"]);
}

#[test]
fn a_limit_without_room_is_refused() {
    assert_eq!(sheet("Hello", &["a"]).pages(Limit::Characters(9)), Err(TooSmall));
}

#[test]
fn a_paginated_choice_has_its_text_and_so_many_options_on_every_page() {
    let mut sheet = sheet("Which?", &["a", "b", "c", "d", "e"]);
    sheet.head = Some("Which?".into());
    sheet.per_page = 2;
    let expected = ["Which?\n1. a\n2. b\n99. More", "Which?\n3. c\n4. d\n99. More\n0. Back", "Which?\n5. e\n0. Back"];
    assert_eq!(pages(sheet, 160), expected);
}

#[test]
fn breaks_make_pages_and_the_last_one_goes_on() {
    let pieces = vec![Piece::Text("a".into()), Piece::Break, Piece::Text("b".into())];
    let keys = Keys { go_on: Some("1. Continue".into()), ..keys() };
    let sheet = Sheet { pieces, keys, head: None, per_page: usize::MAX };
    assert_eq!(pages(sheet, 160), ["a\n99. More", "b\n1. Continue\n0. Back"]);
}

#[test]
fn a_character_outside_of_the_alphabet_leaves_less_room() {
    assert_eq!(pages(sheet(&"ж ".repeat(35), &[]), 160).len(), 1);
    for page in pages(sheet(&"ж ".repeat(200), &[]), 160) {
        assert!(page.chars().count() <= 70, "{page}");
    }
}

/// Texts with short and long words, blanks of several kinds, and characters of one, two and four bytes.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => "[a-z]{1,12}",
        1 => "[éж€😀]{1,6}",
        1 => "[a-z]{30,200}",
        1 => "\\{[a-z]{1,5}\\}",
    ];
    let blank = prop_oneof![6 => Just(" "), 1 => Just("\n"), 1 => Just("  ")];
    proptest::collection::vec((word, blank), 0..40)
        .prop_map(|words| words.into_iter().map(|(word, blank)| word + blank).collect())
}

fn letters(text: &str) -> String {
    text.chars().filter(|character| !is_break(*character)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_lost_and_every_page_fits(
        text in text(),
        labels in proptest::collection::vec("[a-zé]{1,12}( [a-z]{1,30}){0,8}", 0..30),
        limit in prop_oneof![(120usize..400).prop_map(Limit::Characters), (1usize..4).prop_map(Limit::Segments)],
        per_page in prop_oneof![Just(usize::MAX), 1usize..9],
        repeat in any::<bool>(),
        back_first in any::<bool>(),
        restart in any::<bool>(),
    ) {
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let mut sheet = sheet(text.trim(), &labels);
        sheet.per_page = per_page;
        sheet.head = repeat.then(|| "Which?".to_owned());
        sheet.keys.back_first = back_first;
        sheet.keys.restart = restart.then(|| "00. Start again".to_owned());
        let whole = sheet.clone();
        let Pages { pages, .. } = sheet.pages(limit).unwrap();

        let mut seen = String::new();
        for (at, page) in pages.iter().enumerate() {
            prop_assert!(limit.fits(page), "page {at} is too long: {page:?}");
            let last = at + 1 == pages.len();
            let mut body = page.clone();
            let below: Vec<&str> = whole.keys.below(at, last).collect();
            let below = below.join("\n");
            prop_assert!(body.ends_with(&below), "page {at} lacks its keys: {page:?}");
            body.truncate(body.len() - below.len());
            let head = if at > 0 && whole.head.as_deref().is_some_and(|head| fits_half(limit, head)) { "Which?" } else { "" };
            prop_assert!(body.starts_with(head));
            seen.push_str(&letters(&body[head.len()..]));
        }
        let expected: String = whole.pieces.iter().map(|piece| match piece {
            Piece::Text(text) | Piece::Option(text) => letters(text),
            Piece::Break => String::new(),
        }).collect();
        prop_assert_eq!(seen, expected);

        // Options that can stand on a page of their own are whole lines, however they are numbered.
        for (at, label) in labels.iter().enumerate() {
            let line = format!("{}. {label}", at + 1);
            let alone = format!("Which?\n{line}\n99. More\n0. Back\n00. Start again");
            if limit.fits(&alone) {
                prop_assert!(pages.iter().any(|page| page.lines().any(|found| found == line)), "{line:?} is broken");
            }
        }
    }

    #[test]
    fn words_are_broken_only_where_they_must_be(text in "[a-z]{1,20}( [a-z]{1,20}){0,60}", limit in 60usize..300) {
        let made = sheet(&text, &[]).pages(Limit::Characters(limit)).unwrap();
        prop_assert!(!made.broken);
        let keys = ["99. More", "0. Back"];
        let words: Vec<&str> = made.pages.iter()
            .flat_map(|page| page.lines().filter(|line| !keys.contains(line)))
            .flat_map(str::split_whitespace).collect();
        prop_assert_eq!(words, text.split_whitespace().collect::<Vec<_>>());
    }
}
