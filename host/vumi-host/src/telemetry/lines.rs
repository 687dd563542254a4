//! The log as text: an entry is one line, whatever stands in it. Much of what is logged comes from strangers, and nobody
//! but the host writes lines of its log.

use std::borrow::Cow;
use std::io::{Result, Write};

use tracing_subscriber::fmt::MakeWriter;

/// Makes one line of each entry.
pub(super) struct Lines<M>(pub(super) M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Lines<M> {
    type Writer = Entry<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Entry(self.0.make_writer())
    }
}

/// Gets one entry in one piece.
pub(super) struct Entry<W>(W);

impl<W: Write> Write for Entry<W> {
    fn write(&mut self, entry: &[u8]) -> Result<usize> {
        self.0.write_all(one_line(&String::from_utf8_lossy(entry)).as_bytes())?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

/// An entry with the control characters within it written as `\n` and the like. Colours stay: the library has taken away
/// those that are not its own.
fn one_line(entry: &str) -> Cow<'_, str> {
    let is_torn = |c: char| c.is_control() && c != '\u{1b}';
    let (line, end) = entry.strip_suffix('\n').map_or((entry, ""), |line| (line, "\n"));
    if !line.contains(is_torn) {
        return Cow::Borrowed(entry);
    }
    let mut whole = String::with_capacity(entry.len() + 8);
    for character in line.chars() {
        if is_torn(character) {
            whole.extend(character.escape_default());
        } else {
            whole.push(character);
        }
    }
    whole.push_str(end);
    Cow::Owned(whole)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn an_entry_is_one_line() {
        assert_eq!(one_line("a \u{1b}[32mINFO\u{1b}[0m ö: x=\"1\"\n"), "a \u{1b}[32mINFO\u{1b}[0m ö: x=\"1\"\n");
        assert_eq!(one_line("a\r\nERROR b\0\u{85}\t\n"), "a\\r\\nERROR b\\u{0}\\u{85}\\t\n");
        assert_eq!(one_line("no end\n\n"), "no end\\n\n");
        assert_eq!(one_line(""), "");
    }

    #[test]
    fn what_is_logged_cannot_forge_an_entry() {
        #[derive(Clone, Default)]
        struct Kept(Arc<Mutex<Vec<u8>>>);
        impl Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> Result<usize> {
                self.0.lock().unwrap().extend(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> Result<()> {
                Ok(())
            }
        }
        let kept = Kept::default();
        let writer = kept.clone();
        let format = tracing_subscriber::fmt().with_ansi(false).with_writer(Lines(move || writer.clone())).finish();
        tracing::subscriber::with_default(format, || {
            tracing::warn!(name = "x\ny", "told by a stranger: {}", "a\nERROR forged \u{1b}[31m");
        });
        let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(log.contains("stranger: a\\nERROR forged") && !log.contains('\u{1b}'), "{log}");
    }
}
