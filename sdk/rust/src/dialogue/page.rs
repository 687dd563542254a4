//! Screens that are too long for a phone become pages: nothing is cut, nothing is lost.
//!
//! A screen is a row of pieces (a text, options, forced breaks) and the keys below it. Pages are filled one after
//! another as full as they go, each with the keys that it needs.

use crate::sms;

/// How long a page may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Characters, as networks count them.
    Characters(usize),
    /// SMS.
    Segments(usize),
}

impl Limit {
    pub(crate) fn fits(self, text: &str) -> bool {
        match self {
            Self::Characters(count) => sms::fits(text, count),
            Self::Segments(count) => sms::segments(text) <= count,
        }
    }
}

/// What a screen is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// May be broken at white space.
    Text(String),
    /// A numbered line; stays whole.
    Option(String),
    /// What follows stands on a new page.
    Break,
}

/// The lines below a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    /// `99. More`.
    pub(crate) more: String,
    /// `1. Continue`, on the last page.
    pub(crate) go_on: Option<String>,
    /// `0. Back`, on the first page.
    pub(crate) back_first: bool,
    /// The same on later pages.
    pub(crate) back_later: bool,
    pub(crate) back: String,
    /// `00. Start again`.
    pub(crate) restart: Option<String>,
}

impl Keys {
    /// The lines below the page of this number (from 0).
    fn below(&self, page: usize, last: bool) -> impl Iterator<Item = &str> {
        let back = if page == 0 { self.back_first } else { self.back_later };
        [
            (!last).then_some(self.more.as_str()),
            if last { self.go_on.as_deref() } else { None },
            back.then_some(self.back.as_str()),
            self.restart.as_deref(),
        ]
        .into_iter()
        .flatten()
    }
}

/// A whole screen, before it is cut into pages.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) keys: Keys,
    /// Stands on every page after the first.
    pub(crate) head: Option<String>,
    /// Most options of a page.
    pub(crate) per_page: usize,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pages {
    pub(crate) pages: Vec<String>,
    /// A word that was longer than a page had to be broken.
    pub(crate) broken: bool,
}

/// The limit has no room for anything beside the keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooSmall;

impl Sheet {
    /// Cuts the screen into pages.
    pub(crate) fn pages(mut self, limit: Limit) -> Result<Pages, TooSmall> {
        let mut made = Pages { pages: Vec::new(), broken: false };
        if let Some(head) = &self.head
            && !fits_half(limit, head)
        {
            self.head = None;
        }
        let mut rest = std::mem::take(&mut self.pieces);
        rest.reverse();
        loop {
            let number = made.pages.len();
            if let Some(page) = self.last(number, &rest).filter(|page| limit.fits(page)) {
                made.pages.push(page);
                return Ok(made);
            }
            let page = self.fill(number, &mut rest, limit, &mut made.broken)?;
            made.pages.push(page);
        }
    }

    fn top(&self, page: usize) -> String {
        if page == 0 { String::new() } else { self.head.clone().unwrap_or_default() }
    }

    /// All that is left as one page, if it may be one.
    fn last(&self, number: usize, rest: &[Piece]) -> Option<String> {
        let mut page = self.top(number);
        let mut options = 0;
        for piece in rest.iter().rev() {
            match piece {
                Piece::Text(text) => add(&mut page, text),
                Piece::Option(line) => {
                    options += 1;
                    add(&mut page, line);
                }
                Piece::Break => return None,
            }
        }
        self.keys.below(number, true).for_each(|line| add(&mut page, line));
        (options <= self.per_page).then_some(page)
    }

    /// Takes as much as there is room for, the first piece last in `rest`.
    fn fill(&self, number: usize, rest: &mut Vec<Piece>, limit: Limit, broken: &mut bool) -> Result<String, TooSmall> {
        let with_keys = |body: &str| {
            let mut page = body.to_owned();
            self.keys.below(number, false).for_each(|line| add(&mut page, line));
            page
        };
        let mut body = self.top(number);
        let (mut options, mut placed) = (0, false);
        while let Some(piece) = rest.pop() {
            let (text, whole) = match &piece {
                Piece::Break if placed => break,
                Piece::Break => continue,
                Piece::Text(text) => (text, false),
                Piece::Option(line) => (line, true),
            };
            let fits = |part: &str| limit.fits(&with_keys(&joined(&body, part)));
            if (!whole || options < self.per_page) && fits(text) {
                add(&mut body, text);
                options += usize::from(whole);
                placed |= !text.is_empty();
                continue;
            }
            if whole && placed {
                rest.push(piece);
                break;
            }
            let (cut, hard) =
                cut(text, placed, fits).ok_or(()).or(if placed { Ok((0, false)) } else { Err(TooSmall) })?;
            let (now, later) = text.split_at_checked(cut).unwrap_or((text, ""));
            if !now.is_empty() {
                add(&mut body, now.trim_end_matches(is_break));
            }
            *broken |= hard;
            rest.push(Piece::Text(later.trim_start_matches(is_break).to_owned()));
            break;
        }
        Ok(with_keys(&body))
    }
}

/// Where to cut a text so that the part before fits, and whether that is within a word.
///
/// A word is only broken where nothing stands before it on the page.
fn cut(text: &str, placed: bool, fits: impl Fn(&str) -> bool) -> Option<(usize, bool)> {
    let part = |end: usize| text.get(..end).unwrap_or_default();
    let ends: Vec<usize> = text.match_indices(is_break).map(|(at, _)| at).filter(|at| *at > 0).collect();
    let fitting = ends.partition_point(|end| fits(part(*end).trim_end_matches(is_break)));
    if let Some(end) = fitting.checked_sub(1).and_then(|last| ends.get(last))
        && !part(*end).trim_end_matches(is_break).is_empty()
    {
        return Some((*end, false));
    }
    if placed {
        return None;
    }
    let ends: Vec<usize> = text.char_indices().map(|(at, character)| at + character.len_utf8()).collect();
    let fitting = ends.partition_point(|end| fits(part(*end)));
    fitting.checked_sub(1).and_then(|last| ends.get(last)).map(|end| (*end, true))
}

/// White space at which a text may be broken: not the kind that is made to hold words together.
pub(crate) fn is_break(character: char) -> bool {
    character.is_whitespace() && !matches!(character, '\u{A0}' | '\u{202F}')
}

fn fits_half(limit: Limit, head: &str) -> bool {
    match limit {
        Limit::Characters(count) => sms::fits(head, count / 2),
        Limit::Segments(count) => sms::segments(head) <= count / 2,
    }
}

fn joined(body: &str, part: &str) -> String {
    let mut text = body.to_owned();
    add(&mut text, part);
    text
}

/// Adds a line, unless it is empty.
pub(crate) fn add(page: &mut String, line: &str) {
    if line.is_empty() {
        return;
    }
    if !page.is_empty() {
        page.push('\n');
    }
    page.push_str(line);
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod cases;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
