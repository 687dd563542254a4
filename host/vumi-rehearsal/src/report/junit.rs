//! What came of a rehearsal, as JUnit XML, which build servers read.

use std::fmt::Write;

use super::text::failed;
use crate::outcome::{FilePlayed, Played, Rehearsal};

/// The report: a test suite for each file, a test case for each conversation.
pub fn junit(rehearsal: &Rehearsal) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a text cannot fail.
    let _ = writeln!(
        xml,
        "<testsuites tests=\"{}\" failures=\"{}\" time=\"{:.6}\">",
        rehearsal.conversations().count(),
        rehearsal.failed(),
        rehearsal.took.as_secs_f64()
    );
    rehearsal.files.iter().for_each(|file| suite(&mut xml, file));
    xml.push_str("</testsuites>");
    xml
}

fn suite(xml: &mut String, file: &FilePlayed) {
    let skipped = file.conversations.iter().filter(|one| one.skipped.is_some()).count();
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{skipped}\">",
        escaped(&file.name),
        file.conversations.len(),
        file.failed()
    );
    file.conversations.iter().for_each(|played| case(xml, file, played));
    xml.push_str("  </testsuite>\n");
}

fn case(xml: &mut String, file: &FilePlayed, played: &Played) {
    let _ = write!(
        xml,
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.6}\"",
        escaped(&file.name),
        escaped(&played.name),
        escaped(&played.place.file),
        played.place.line,
        played.took.as_secs_f64()
    );
    let sentence =
        played.failures.iter().flat_map(|failure| &failure.problems).map(|problem| problem.sentence()).next();
    match (&played.skipped, sentence) {
        (Some(reason), _) => {
            let _ = writeln!(xml, "><skipped message=\"{}\"/></testcase>", escaped(reason));
        }
        (None, Some(sentence)) => {
            let text = failed(played, false).join("\n");
            let _ =
                writeln!(xml, "><failure message=\"{}\">{}</failure></testcase>", escaped(sentence), escaped(&text));
        }
        (None, None) => xml.push_str("/>\n"),
    }
}

/// For texts and attributes. Characters that XML cannot hold are replaced.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            c if c.is_control() && c != '\t' => safe.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_holds_every_text() {
        assert_eq!(escaped("a<b & \"c\"\n\u{1}é"), "a&lt;b &amp; &quot;c&quot;&#10;\u{fffd}é");
    }
}
