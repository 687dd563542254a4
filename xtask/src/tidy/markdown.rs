//! As much of Markdown as links need: which places a document points to, and which anchors it offers.

use std::collections::BTreeMap;

/// A place that a document points to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// The line that it stands on, from 1.
    pub(super) line: usize,
    /// Where it leads, as written, without a title.
    pub(super) target: String,
}

/// All links of a document outside code: `[text](target "title")`, images, `[name]: target` and HTML.
pub(super) fn links(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for (line, text) in prose(text) {
        let text = without_code(text);
        let mut add = |target: Option<&str>| {
            let target = target.map(str::trim).filter(|target| !target.is_empty());
            found.extend(target.map(|target| Link { line, target: target.to_owned() }));
        };
        for rest in text.split("](").skip(1) {
            add(destination(rest, ')'));
        }
        for attribute in ["href=\"", "src=\""] {
            for rest in text.split(attribute).skip(1) {
                add(rest.split('"').next());
            }
        }
        let definition = text.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some((name, rest)) = definition
            && !name.starts_with('^')
            && !name.contains(']')
        {
            add(destination(rest.trim_start(), ' '));
        }
    }
    found
}

/// A link's destination at the start of a text: `<in angles>`, or up to a space (then comes a title) or the end, with
/// brackets in pairs.
fn destination(text: &str, end: char) -> Option<&str> {
    if let Some(inside) = text.strip_prefix('<') {
        return inside.split('>').next();
    }
    let mut depth = 0_usize;
    for (index, c) in text.char_indices() {
        match c {
            ')' if depth > 0 => depth -= 1,
            c if c == end || c.is_whitespace() => return text.get(..index),
            '(' => depth += 1,
            _ => {}
        }
    }
    (end == ' ').then_some(text)
}

/// The anchors that a code host makes of a document's headings, and those set by hand in HTML.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let mut anchors = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut before = "";
    for (_, line) in prose(text) {
        for attribute in ["id=\"", "name=\""] {
            anchors.extend(line.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
        let underlined = |mark: char| !line.trim().is_empty() && line.trim().chars().all(|c| c == mark);
        let heading = if underlined('=') || underlined('-') { before.trim() } else { heading(line) };
        before = line;
        if heading.is_empty() {
            continue;
        }
        let slug = slug(heading);
        let times = seen.entry(slug.clone()).or_default();
        anchors.push(if *times == 0 { slug } else { format!("{slug}-{times}") });
        *times += 1;
    }
    anchors
}

/// What a line such as `## Title ##` says; nothing when it is no heading.
fn heading(line: &str) -> &str {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    if (1..=6).contains(&level) && rest.starts_with(' ') { rest.trim().trim_end_matches('#').trim_end() } else { "" }
}

/// A heading as an anchor: its visible text in small letters, with `-` for spaces and without punctuation.
fn slug(heading: &str) -> String {
    let mut visible = String::new();
    let mut rest = heading;
    // Of a link only its text is seen.
    while let Some((text, after)) = rest.split_once("](") {
        visible.push_str(text);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    visible.push_str(rest);
    let small = visible.to_lowercase();
    let kept = small.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The lines outside code blocks, each with its number.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut fence: Option<(char, usize)> = None;
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let mark = start.chars().next().filter(|c| matches!(c, '`' | '~'));
        let width = mark.map_or(0, |mark| start.chars().take_while(|c| *c == mark).count());
        match (fence, mark) {
            // An inline `code` span may begin a line, also with three marks, but then it ends on the same line.
            (None, Some(mark)) if width >= 3 && !start.get(width..).unwrap_or_default().contains('`') => {
                fence = Some((mark, width));
            }
            (None, _) => lines.push((index + 1, line)),
            (Some((open, least)), Some(mark)) if mark == open && width >= least && start.trim_end().len() == width => {
                fence = None;
            }
            (Some(_), _) => {}
        }
    }
    lines
}

/// A line without its `code` spans.
fn without_code(line: &str) -> String {
    let mut kept = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        let width = from.chars().take_while(|c| *c == '`').count();
        let (marks, inside) = from.split_at(width);
        match closing(inside, width) {
            Some(end) => rest = inside.get(end..).unwrap_or_default(),
            // Marks without a partner are text.
            None => {
                kept.push_str(marks);
                rest = inside;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// Where the code ends that was opened by so many marks: behind the next run of exactly as many.
fn closing(text: &str, width: usize) -> Option<usize> {
    let mut run = 0;
    for (index, c) in text.char_indices() {
        if c == '`' {
            run += 1;
        } else if run == width {
            return Some(index);
        } else {
            run = 0;
        }
    }
    (run == width).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        links(text).into_iter().map(|link| link.target).collect()
    }

    #[test]
    fn links_are_found_in_all_their_forms() {
        for (text, expected) in [
            ("[a](b.md) and ![c](d/e.png \"title\")", &["b.md", "d/e.png"][..]),
            ("[a](<with space.md>) [b](x_(y).md)", &["with space.md", "x_(y).md"]),
            ("[a]: b.md \"title\"\n[^1]: c.md", &["b.md"]),
            ("<a href=\"b.md\"><img src=\"c.png\"></a>", &["b.md", "c.png"]),
            ("`[a](code.md)` [a](b.md) ``[`](c.md)``", &["b.md"]),
            ("a lone ` mark and [a](b.md)", &["b.md"]),
            ("```text\n[a](code.md)\n```\n[a](b.md)", &["b.md"]),
            ("````md\n```\n[a](code.md)\n```\n````\n[a](b.md)", &["b.md"]),
            ("~~~\n```\n~~~\n[a](b.md)", &["b.md"]),
            ("1. list\n   ```sh\n   [a](code.md)\n   ```\n   [a](b.md)", &["b.md"]),
        ] {
            assert_eq!(targets(text), expected, "{text}");
        }
    }

    #[test]
    fn a_link_knows_its_line() {
        assert_eq!(links("a\n\n[b](c.md)"), [Link { line: 3, target: "c.md".to_owned() }]);
    }

    #[test]
    fn anchors_are_made_as_code_hosts_make_them() {
        for (text, expected) in [
            ("# One, two: *three*!", &["one-two-three"][..]),
            ("## The `yaml check` block ##", &["the-yaml-check-block"]),
            ("### 0.1.0 — unreleased", &["010--unreleased"]),
            ("# A\n## A\n# A", &["a", "a-1", "a-2"]),
            ("# See [the README](README.md) first", &["see-the-readme-first"]),
            ("Under\n=====\nAlso\n----", &["under", "also"]),
            ("#no heading\n```\n# code\n```\n", &[]),
            ("<a id=\"Here\"></a> snake_case", &["Here"]),
        ] {
            assert_eq!(anchors(text), expected, "{text}");
        }
    }
}
