//! Hides what is secret in a line of the configuration before the line is shown in an error.

use std::ops::Range;

use super::yaml::is_secret;

/// What stands in place of a secret.
const STARS: &str = "***";

/// A line of the file without its passwords, and where `column` (from 1, in characters) went.
pub(crate) fn line(line: &str, column: usize) -> (String, usize) {
    let at = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(index, _)| index);
    let past_end = column.saturating_sub(line.chars().count().saturating_add(1));
    let (mut shown, mut moved) = (String::new(), None);
    let mut done = 0;
    for secret in secrets(line) {
        if moved.is_none() && at < secret.end {
            let kept = line.get(done..at.min(secret.start)).unwrap_or_default();
            moved = Some(shown.chars().count() + kept.chars().count());
        }
        shown.push_str(line.get(done..secret.start).unwrap_or_default());
        shown.push_str(STARS);
        done = secret.end;
    }
    let column =
        moved.unwrap_or_else(|| shown.chars().count() + line.get(done..at).unwrap_or_default().chars().count());
    shown.push_str(line.get(done..).unwrap_or_default());
    let shown = shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    (shown, column + past_end + 1)
}

/// A URL or other text without the credentials in it: `amqp://***@host/vhost`.
pub(crate) fn url(text: &str) -> String {
    let mut shown = String::new();
    let mut done = 0;
    for range in credentials(text) {
        shown.push_str(text.get(done..range.start).unwrap_or_default());
        shown.push_str(STARS);
        done = range.end;
    }
    shown.push_str(text.get(done..).unwrap_or_default());
    shown
}

/// Ranges of a line that must not be shown, in order and apart from each other.
fn secrets(line: &str) -> Vec<Range<usize>> {
    let mut ranges = credentials(line);
    for (colon, _) in line.match_indices(':') {
        let (before, after) = (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default());
        let before = before.trim_end_matches(['"', '\'']);
        let key_at =
            before.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).map_or(0, |at| at + 1);
        if !before.is_char_boundary(key_at) || !is_secret(before.get(key_at..).unwrap_or_default()) {
            continue;
        }
        let value = after.trim_start();
        let start = line.len() - value.len();
        let end = start + value_end(value);
        // A variable's name tells nothing, and it is what the reader looks for.
        let is_variable = value.trim_start_matches(['"', '\'']).starts_with("${");
        if end > start && !is_variable {
            ranges.push(start..end);
        }
    }
    ranges.sort_by_key(|range| range.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// Length of the value that a text begins with.
fn value_end(value: &str) -> usize {
    let mut chars = value.char_indices();
    let quote = match chars.next() {
        Some((_, quote @ ('"' | '\''))) => quote,
        // A map or list: its keys speak for themselves.
        Some((_, '{' | '[' | '}' | ']' | ',' | '#')) | None => return 0,
        Some(_) => {
            let end = value.find([',', '}', ']']).unwrap_or(value.len());
            let end = value.find(" #").map_or(end, |comment| end.min(comment));
            return value.get(..end).unwrap_or_default().trim_end().len();
        }
    };
    chars.find(|(_, c)| *c == quote).map_or(value.len(), |(index, c)| index + c.len_utf8())
}

/// The `user:password` of `scheme://user:password@host`.
fn credentials(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (scheme, mark) in text.match_indices("://") {
        let start = scheme + mark.len();
        let rest = text.get(start..).unwrap_or_default();
        let authority = rest.split(['/', ' ', '"', '\'', '?', '#']).next().unwrap_or_default();
        if let Some(length) = authority.rfind('@') {
            found.push(start..start + length);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_hidden_and_the_column_moves_along() {
        for (before, column, after, moved) in [
            ("port: 80", 7, "port: 80", 7),
            ("token: abcdefgh", 8, "token: ***", 8),
            ("{ token: abcdefgh, lissten: x }", 20, "{ token: ***, lissten: x }", 15),
            ("{ token: abcdefgh, lissten: x }", 12, "{ token: ***, lissten: x }", 10),
            ("{ lissten: x, password: 'a, b' }", 3, "{ lissten: x, password: *** }", 3),
            ("{\"api_key\": \"x y\", b: 1}", 20, "{\"api_key\": ***, b: 1}", 18),
            ("password: ${PW}", 11, "password: ${PW}", 11),
            ("token_file: /run/token", 13, "token_file: /run/token", 13),
            ("kv_keys: many", 10, "kv_keys: many", 10),
            ("broker: amqp://u:p@h:5672/v # x", 9, "broker: amqp://***@h:5672/v # x", 9),
            ("secret: é€ # why", 20, "secret: *** # why", 21),
            ("secret:", 8, "secret:", 8),
        ] {
            assert_eq!(line(before, column), (after.to_owned(), moved), "{before}");
        }
    }

    #[test]
    fn urls_lose_their_credentials() {
        assert_eq!(url("postgres://user:p%40ss@host/db"), "postgres://***@host/db");
        assert_eq!(url("redis://host:6379/0"), "redis://host:6379/0");
        assert_eq!(url("amqp://a@b@c/x"), "amqp://***@c/x");
    }

    #[test]
    fn any_line_and_column_will_do() {
        for text in
            ["", "token", "token:", "token: '", "key: \"é", "é: ü", "a://b@", "x: a://@@c@", "secret: [a, token: b]"]
        {
            for column in 0..20 {
                line(text, column);
            }
        }
    }
}
