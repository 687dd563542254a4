//! Two screens side by side, as two phones: what was expected, and what was seen.
//!
//! Lines are put beside their likes, so that one line more does not make all below it differ. Widths are those of a
//! terminal: a Chinese character takes two columns.

use console::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::outcome::{Pair, Screen};

/// Columns of a screen's text.
const WIDTH: usize = 34;

/// What stands before each line.
const MARGIN: &str = "    ";

/// A line of both screens.
struct Row {
    left: Option<String>,
    right: Option<String>,
    differs: bool,
}

/// The pairs, as lines.
pub(super) fn side_by_side(pairs: &[Pair], colours: bool) -> Vec<String> {
    let mut lines = vec![format!("{MARGIN}{}  seen", padded("expected", WIDTH + 4))];
    for pair in pairs {
        frame(pair, colours, &mut lines);
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

fn frame(pair: &Pair, colours: bool, lines: &mut Vec<String>) {
    let edge = |left: &str, right: &str, there: bool| match there {
        true => format!("{left}{}{right}", "─".repeat(WIDTH + 2)),
        false => " ".repeat(WIDTH + 4),
    };
    let (left, right) = (pair.expected.is_some(), pair.seen.is_some());
    lines.push(format!("{MARGIN}{}  {}", edge("┌", "┐", left), edge("┌", "┐", right)));
    for row in rows(pair) {
        let (mark, before, after) = match row.differs {
            true => ("≠ ", Style::new().green(), Style::new().red()),
            false => ("  ", Style::new(), Style::new()),
        };
        let cell = |text: Option<&String>, style: Style, there: bool| match (text, there) {
            (_, false) => " ".repeat(WIDTH + 4),
            (text, true) => {
                let text = padded(text.map(String::as_str).unwrap_or_default(), WIDTH);
                format!("│ {} │", style.force_styling(colours).apply_to(text))
            }
        };
        let (left, right) = (cell(row.left.as_ref(), before, left), cell(row.right.as_ref(), after, right));
        lines.push(format!("{MARGIN}{left}{mark}{right}"));
    }
    lines.push(format!("{MARGIN}{}  {}", edge("└", "┘", left), edge("└", "┘", right)));
    notes(pair, lines);
}

/// What stands below a screen.
fn notes(pair: &Pair, lines: &mut Vec<String>) {
    let of = |screen: &Option<Screen>, nothing: &str| match screen {
        Some(screen) => screen.notes.iter().flat_map(|note| wrapped(note)).collect(),
        None => vec![nothing.to_owned()],
    };
    let (left, right) = (of(&pair.expected, "(nothing)"), of(&pair.seen, "(nothing)"));
    for index in 0..left.len().max(right.len()) {
        let (left, right) = (left.get(index), right.get(index));
        let mark = if left == right { "  " } else { "≠ " };
        let cell = |text: Option<&String>| padded(text.map(String::as_str).unwrap_or_default(), WIDTH);
        lines.push(format!("{MARGIN}  {}  {mark}  {}", cell(left), cell(right)));
    }
}

/// The lines of both texts, those that are alike beside each other.
fn rows(pair: &Pair) -> Vec<Row> {
    let text = |screen: &Option<Screen>| {
        screen.as_ref().map(|screen| screen.text.as_deref().unwrap_or("(no text)").to_owned())
    };
    let (left, right) = (text(&pair.expected), text(&pair.seen));
    let exact = pair.expected.as_ref().is_none_or(|screen| screen.exact);
    let lines = |text: &Option<String>| {
        text.as_deref().map(|text| text.split('\n').map(str::to_owned).collect()).unwrap_or_default()
    };
    let (left, right): (Vec<String>, Vec<String>) = (lines(&left), lines(&right));
    if !exact {
        // What is expected is a part or a pattern: its lines have no likes.
        return paired(&left, &right, pair.differs);
    }
    let mut rows = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (a, b) in alike(&left, &right).into_iter().chain([(left.len(), right.len())]) {
        rows.extend(paired(left.get(i..a).unwrap_or_default(), right.get(j..b).unwrap_or_default(), true));
        if let (Some(one), Some(other)) = (left.get(a), right.get(b)) {
            rows.extend(paired(std::slice::from_ref(one), std::slice::from_ref(other), false));
        }
        (i, j) = (a + 1, b + 1);
    }
    rows
}

/// Lines beside each other, one by one, each over as many rows as it takes.
fn paired(left: &[String], right: &[String], differs: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for index in 0..left.len().max(right.len()) {
        let of = |lines: &[String]| lines.get(index).map(|line| wrapped(&visible(line, differs))).unwrap_or_default();
        let (one, other) = (of(left), of(right));
        for row in 0..one.len().max(other.len()) {
            rows.push(Row { left: one.get(row).cloned(), right: other.get(row).cloned(), differs });
        }
    }
    rows
}

/// The longest run of lines that both have, in order: their indexes.
fn alike(left: &[String], right: &[String]) -> Vec<(usize, usize)> {
    // A screen has few lines; what has more is compared line by line.
    if left.len().saturating_mul(right.len()) > 40_000 {
        return (0..left.len().min(right.len())).filter(|i| left.get(*i) == right.get(*i)).map(|i| (i, i)).collect();
    }
    let mut best = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    let get =
        |best: &[Vec<usize>], i: usize, j: usize| best.get(i).and_then(|row| row.get(j)).copied().unwrap_or_default();
    for (i, one) in left.iter().enumerate().rev() {
        for (j, other) in right.iter().enumerate().rev() {
            let value = if one == other {
                get(&best, i + 1, j + 1) + 1
            } else {
                get(&best, i + 1, j).max(get(&best, i, j + 1))
            };
            if let Some(place) = best.get_mut(i).and_then(|row| row.get_mut(j)) {
                *place = value;
            }
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while let (Some(one), Some(other)) = (left.get(i), right.get(j)) {
        if one == other {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if get(&best, i + 1, j) >= get(&best, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// A line with what cannot be seen made visible: control characters, and in a line that differs spaces at its end.
fn visible(line: &str, differs: bool) -> String {
    let mut shown = String::with_capacity(line.len());
    for c in line.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    let end = shown.trim_end_matches(' ').len();
    if differs && end < shown.len() {
        let spaces = shown.len() - end;
        shown.truncate(end);
        shown.push_str(&"·".repeat(spaces));
    }
    shown
}

/// A line over as many rows as it takes, broken at spaces where there are some.
fn wrapped(line: &str) -> Vec<String> {
    let (mut rows, mut row, mut width) = (Vec::new(), String::new(), 0);
    for c in line.chars() {
        let columns = c.width().unwrap_or(0);
        if width + columns > WIDTH {
            // A word that is not too long goes to the next row as a whole.
            let at = row.rfind(' ').filter(|at| *at > 0 && c != ' ');
            let rest = at.map(|at| row.split_off(at).trim_start().to_owned()).unwrap_or_default();
            rows.push(std::mem::replace(&mut row, rest));
            width = row.width();
            if c == ' ' && row.is_empty() {
                continue;
            }
        }
        row.push(c);
        width += columns;
    }
    rows.push(row);
    rows
}

fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(text: &str, notes: &[&str]) -> Screen {
        Screen {
            text: Some(text.to_owned()),
            exact: true,
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        }
    }

    fn shown(expected: Option<Screen>, seen: Option<Screen>) -> String {
        side_by_side(&[Pair { expected, seen, differs: true }], false).join("\n")
    }

    #[test]
    fn one_line_more_makes_one_line_differ() {
        let text = shown(
            Some(screen("Welcome!\n1. Register\n2. Quit", &["closes the session"])),
            Some(screen("Welcome!\n1. Register\n2. Help\n2. Quit", &[])),
        );
        let expected = "
    expected                                seen
    ┌────────────────────────────────────┐  ┌────────────────────────────────────┐
    │ Welcome!                           │  │ Welcome!                           │
    │ 1. Register                        │  │ 1. Register                        │
    │                                    │≠ │ 2. Help                            │
    │ 2. Quit                            │  │ 2. Quit                            │
    └────────────────────────────────────┘  └────────────────────────────────────┘
      closes the session                  ≠";
        assert_eq!(text, expected.trim_start_matches('\n'));
    }

    #[test]
    fn wide_and_long_texts_keep_the_frame() {
        let text = shown(Some(screen("你好，欢迎", &[])), Some(screen(&format!("{} end ", "word ".repeat(8)), &[])));
        let widths: Vec<usize> = text.lines().skip(1).map(UnicodeWidthStr::width).collect();
        assert!(widths.iter().all(|width| *width == 4 + 38 + 2 + 38), "{text}");
        assert!(text.contains("end·"), "{text}");
    }

    #[test]
    fn nothing_has_no_screen() {
        let text = shown(None, Some(screen("Hi", &[])));
        assert!(text.contains("(nothing)") && text.matches('┌').count() == 1, "{text}");
    }

    #[test]
    fn colours_only_when_asked_for() {
        let pair = Pair { expected: Some(screen("a", &[])), seen: Some(screen("b", &[])), differs: true };
        assert!(side_by_side(std::slice::from_ref(&pair), true).join("").contains('\u{1b}'));
        assert!(!side_by_side(&[pair], false).join("").contains('\u{1b}'));
    }
}
