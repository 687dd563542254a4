//! Regular expressions and the templates that their matches fill, as Python's `re.match` and `match.expand` read them.
//!
//! Both are read once, at the start: a template that names a group which the expression does not have is a mistake of
//! the configuration, not of a message.

use regex::{Captures, Regex, RegexBuilder};
use vumi_core::{Error, Result};

/// Bytes that one compiled expression may take; those of real addresses take a few thousand.
const PATTERN_BYTES: usize = 1 << 20;

/// A regular expression that must match at the start of a text, not necessarily to its end.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Compiles an expression; `key` is where it stands in the configuration.
    pub(super) fn new(key: &str, text: &str) -> Result<Self> {
        let compiled = RegexBuilder::new(text).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).build();
        compiled.map(Self).map_err(|error| {
            // The library draws the expression with an arrow; its last line says in words what is wrong.
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            Error::permanent(format!(
                "{key}: the regular expression cannot be used: {}",
                last.strip_prefix("error: ").unwrap_or(last)
            ))
        })
    }

    /// The match at the start of a text.
    pub(super) fn at_start<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        // The leftmost match begins at the start whenever one does: this is Python's `re.match`.
        self.0.captures(text).filter(|captures| captures.get(0).is_some_and(|whole| whole.start() == 0))
    }

    fn group(&self, name: &str) -> Option<usize> {
        match name.parse::<usize>() {
            Ok(number) => (number < self.0.captures_len()).then_some(number),
            Err(_) => self.0.capture_names().position(|group| group == Some(name)),
        }
    }
}

/// A text with places for what the groups of an expression matched.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Group(usize),
}

impl Template {
    /// Reads a template for the matches of `pattern`; `key` is where it stands in the configuration.
    ///
    /// `\1` to `\99` and `\g<name>` stand for a group, `\g<0>` for the whole match, `\\` for a backslash and `\n` and
    /// its like for what they are in Python. Any other backslash stands for itself.
    pub(super) fn new(key: &str, text: &str, pattern: &Pattern) -> Result<Self> {
        let group = |name: &str| {
            pattern.group(name).map(Piece::Group).ok_or_else(|| {
                Error::permanent(format!(
                    "{key}: the template names the group `{name}`, which its pattern does not have"
                ))
            })
        };
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((plain, after)) = rest.split_once('\\') {
            pieces.push(Piece::Text(plain.to_owned()));
            let digits: String = after.chars().take(2).take_while(char::is_ascii_digit).collect();
            let (piece, length) = match after.chars().next() {
                Some('0') => {
                    return Err(Error::permanent(format!("{key}: write \\g<0> for the whole match, not \\0")));
                }
                Some('1'..='9') => (group(&digits)?, digits.len()),
                Some('g') => {
                    let name = after.strip_prefix("g<").and_then(|name| name.split_once('>')).map(|(name, _)| name);
                    let name = name.filter(|name| !name.is_empty()).ok_or_else(|| {
                        Error::permanent(format!("{key}: after \\g the template needs a group's name, as in \\g<name>"))
                    })?;
                    (group(name)?, name.len() + "g<>".len())
                }
                Some(escape) => match escaped(escape) {
                    Some(character) => (Piece::Text(character.to_string()), escape.len_utf8()),
                    None => (Piece::Text("\\".to_owned()), 0),
                },
                None => return Err(Error::permanent(format!("{key}: the template ends in a single backslash"))),
            };
            pieces.push(piece);
            rest = after.get(length..).unwrap_or_default();
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// The text with what was matched; a group that took no part is empty.
    pub(super) fn expand(&self, captures: &Captures<'_>) -> String {
        let text = |piece| match piece {
            &Piece::Group(number) => captures.get(number).map_or("", |group| group.as_str()),
            Piece::Text(text) => text,
        };
        self.0.iter().map(text).collect()
    }
}

/// The escapes that Python knows in templates beside the groups.
fn escaped(character: char) -> Option<char> {
    Some(match character {
        '\\' => '\\',
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'v' => '\u{b}',
        'f' => '\u{c}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(pattern: &str, template: &str, text: &str) -> Option<String> {
        let pattern = Pattern::new("p", pattern).unwrap();
        let template = Template::new("t", template, &pattern).unwrap();
        pattern.at_start(text).map(|captures| template.expand(&captures))
    }

    #[test]
    fn templates_are_filled() {
        for (template, expected) in [
            (r"\1", "12"),
            (r"<\2\1>", "<3412>"),
            (r"\g<1>0", "120"),
            (r"\g<end>-\g<0>", "34-1234"),
            (r"\10", "1234567890"),
            (r"a\\1\n", "a\\1\n"),
            (r"\d\.é\é", r"\d\.é\é"),
            ("", ""),
            ("*\\1*", "*12*"),
        ] {
            let pattern = match template {
                r"\10" => r"()()()()()()()()()(\d+)",
                _ => r"(\d\d)(?P<end>\d\d)",
            };
            let text = if template == r"\10" { "1234567890" } else { "1234" };
            assert_eq!(expand(pattern, template, text).as_deref(), Some(expected), "{template}");
        }
        assert_eq!(expand("a(b)?", r"<\1>", "ac").as_deref(), Some("<>"));
    }

    #[test]
    fn expressions_match_at_the_start_only() {
        assert_eq!(expand("1|2", r"\g<0>", "21").as_deref(), Some("2"));
        assert_eq!(expand("1|2", r"\g<0>", "312"), None);
        assert_eq!(expand("(?x) 12 # the second", r"\g<0>", "123").as_deref(), Some("12"));
    }

    #[test]
    fn mistakes_are_named() {
        let mistake = |pattern: &str, template: &str| {
            let wrong = Pattern::new("p", pattern).and_then(|pattern| Template::new("t", template, &pattern));
            wrong.unwrap_err().to_string()
        };
        for (pattern, template, text) in [
            ("(", "", "p: the regular expression cannot be used: unclosed group"),
            ("(?=1)", "", "p: the regular expression cannot be used: look-around"),
            (r"(\w{1000}){1000}", "", "size limit"),
            ("(1)", r"\2", "t: the template names the group `2`, which its pattern does not have"),
            ("(1)", r"\g<x>", "t: the template names the group `x`"),
            ("(1)", r"\g<99999999999999999999999>", "names the group"),
            ("(1)", r"\gx", r"t: after \g the template needs a group's name"),
            ("(1)", r"\g<>", r"t: after \g"),
            ("(1)", r"\g<x", r"t: after \g"),
            ("(1)", r"\0", r"write \g<0> for the whole match"),
            ("(1)", "x\\", "t: the template ends in a single backslash"),
        ] {
            let mistake = mistake(pattern, template);
            assert!(mistake.contains(text) && !mistake.contains('\n'), "{pattern} {template}: {mistake}");
        }
    }
}
