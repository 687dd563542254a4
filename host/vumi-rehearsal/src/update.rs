//! Writes the texts that came into a test file. All else in the file, comments included, stays as it is.

use crate::outcome::Edit;

/// The file's text with its edits made. Where several conversations share one text, the first decides.
pub fn update(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.range);
    let chars: Vec<char> = text.chars().collect();
    let part = |from: usize, to: usize| chars.get(from..to).unwrap_or_default().iter().collect::<String>();
    let (mut done, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        let (from, to) = edit.range;
        let block = Block::around(&chars, from, to);
        let begin = block.as_ref().map_or(from, |block| block.header.0);
        if begin < at || to > chars.len() || from > to {
            continue;
        }
        done.push_str(&part(at, begin));
        match block {
            None => {
                done.push_str(&quoted(&edit.text));
                at = to;
            }
            Some(block) => {
                let (header, body) = block.written(&edit.text).unwrap_or_else(|| (quoted(&edit.text), String::new()));
                done.push_str(&header);
                // A comment may stand behind the sign of the block.
                done.push_str(&part(block.header.1, block.line_end));
                done.push_str(&body);
                at = block.end;
            }
        }
    }
    done.extend(chars.get(at..).unwrap_or_default());
    done
}

/// A text in quotes: those of JSON are also YAML's.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Where a block (`|` and the lines below it) stands. What the YAML reader calls its place are its lines alone.
struct Block {
    /// The sign: `|`, `|-` and the like.
    header: (usize, usize),
    /// The end of the sign's line.
    line_end: usize,
    indentation: usize,
    /// The end of the last line that has something in it.
    end: usize,
}

impl Block {
    /// The block whose lines are a range of characters; none when that is no block.
    fn around(chars: &[char], from: usize, to: usize) -> Option<Self> {
        let before = chars.get(..from)?;
        let line = before.iter().rposition(|c| *c == '\n')?;
        let indentation = before.get(line + 1..)?;
        if !indentation.iter().all(|c| *c == ' ') {
            return None;
        }
        // Empty lines may stand between the sign and the text.
        let line_end = before.get(..line)?.iter().rposition(|c| !c.is_whitespace())? + 1;
        let start = before.get(..line_end)?.iter().rposition(|c| *c == '\n').map_or(0, |at| at + 1);
        let text: String = before.get(start..line_end)?.iter().collect();
        let sign_line = text.split(" #").next().unwrap_or_default().trim_end();
        let sign = sign_line.rsplit(' ').next()?;
        if !sign.starts_with(['|', '>']) || !sign.chars().skip(1).all(|c| "+-0123456789".contains(c)) {
            return None;
        }
        let header_end = start + sign_line.chars().count();
        let last = chars.get(from..to)?.iter().rposition(|c| !c.is_whitespace())?;
        Some(Self {
            header: (header_end - sign.chars().count(), header_end),
            line_end,
            indentation: indentation.len(),
            end: from + last + 1,
        })
    }

    /// The sign and the lines of another text; none for a text that a block cannot hold, or not without more signs.
    fn written(&self, text: &str) -> Option<(String, String)> {
        let (body, sign) = match text.strip_suffix('\n') {
            Some(body) => (body, "|"),
            None => (text, "|-"),
        };
        let plain = body.lines().all(|line| !line.starts_with(' ') && !line.chars().any(char::is_control));
        if body.is_empty() || body.ends_with('\n') || body.starts_with('\n') || !plain {
            return None;
        }
        let indentation = " ".repeat(self.indentation);
        let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("\n{indentation}{line}") };
        Some((sign.to_owned(), body.lines().map(line).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Script, TextRule};

    /// Makes all expected texts of a file anew.
    fn rewritten(text: &str, new: &str) -> String {
        let script = Script::read("a.yaml", text).unwrap();
        let steps = script.conversations.iter().flat_map(|conversation| &conversation.steps);
        let expected = steps.flat_map(|step| step.app.iter().flatten());
        let edits: Vec<Edit> = expected
            .filter_map(|message| message.written)
            .map(|written| Edit { range: (written.from, written.to), text: new.to_owned() })
            .collect();
        update(text, &edits)
    }

    #[test]
    fn only_the_texts_change() {
        let old = "# é\n- conversation: a # one\n  steps:\n    - user: null\n      app: Hello   # plain\n    - { user: hi, app: 'old' }\n    - user: x\n      app: [ { text: \"a\\nb\", session: close } ]\n";
        let new = "# é\n- conversation: a # one\n  steps:\n    - user: null\n      app: \"Ja: \\\"né\\\"\"   # plain\n    - { user: hi, app: \"Ja: \\\"né\\\"\" }\n    - user: x\n      app: [ { text: \"Ja: \\\"né\\\"\", session: close } ]\n";
        assert_eq!(rewritten(old, "Ja: \"né\""), new);
    }

    #[test]
    fn a_block_stays_one() {
        let old = "- conversation: a\n  steps:\n    - user: null\n      app: |-  # two lines\n        One\n        Two\n    # next\n    - user: \"1\"\n      app: |\n        Three\n";
        let new = rewritten(old, "Eins\n\nZwei");
        assert_eq!(
            new,
            "- conversation: a\n  steps:\n    - user: null\n      app: |-  # two lines\n        Eins\n\n        Zwei\n    # next\n    - user: \"1\"\n      app: |-\n        Eins\n\n        Zwei\n"
        );
        let script = Script::read("a.yaml", &new).unwrap();
        let texts = script.conversations.iter().flat_map(|one| &one.steps).flat_map(|step| step.app.iter().flatten());
        assert!(
            texts
                .map(|message| &message.text)
                .all(|text| matches!(text, TextRule::Exactly(text) if text == "Eins\n\nZwei"))
        );
        assert!(
            rewritten(old, " a\nb").contains("app: \" a\\nb\"  # two lines\n    # next\n"),
            "a block cannot hold this"
        );
    }
}
