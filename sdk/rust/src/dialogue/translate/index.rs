//! Where each text stands in a `.po` file, found in one quick look at the beginnings of its lines.
//!
//! An instance lives for one message and shows a few texts: reading the whole file with care each time would cost more
//! than all the rest of the message. Only entries that are asked for are read by [`Catalog`].

use std::borrow::Cow;

use super::po::{Catalog, PoError};

/// A file, and where its entries are.
#[derive(Debug)]
pub(super) struct Index<'a> {
    file: &'a str,
    /// The text of each entry, and where the entry begins.
    entries: Vec<(Cow<'a, str>, usize)>,
}

impl<'a> Index<'a> {
    pub(super) fn of(file: &'a str) -> Self {
        let file = file.strip_prefix('\u{FEFF}').unwrap_or(file);
        let mut index = Self { file, entries: Vec::with_capacity(file.len() / 128) };
        let (mut begin, mut translated, mut at) = (0, false, 0);
        // Entries whose text goes on in further lines, or has escapes: to be read with care.
        let mut hard = Vec::new();
        for whole in file.split('\n') {
            let here = at;
            at += whole.len() + 1;
            let line = match whole.as_bytes().first() {
                // Nearly all lines: comments, translations and what goes on from a line before.
                None | Some(b'"') => continue,
                Some(b'm' | b'#') => whole,
                Some(_) => whole.trim_start(),
            };
            // A comment or `msgctxt` or `msgid` after a translation begins an entry; `msgid_plural` is within one.
            let quoted = match line.as_bytes() {
                [b'm', b's', b'g', b's', ..] => {
                    translated = true;
                    continue;
                }
                [b'm', b's', b'g', b'i', b'd', after, ..] if *after != b'_' => line.get(5..),
                [b'#', ..] | [b'm', b's', b'g', b'c', ..] => None,
                _ => continue,
            };
            if std::mem::take(&mut translated) {
                begin = here;
            }
            let Some(quoted) = quoted else { continue };
            let text = inside(quoted);
            if text.is_empty() || text.contains('\\') {
                hard.push(index.entries.len());
            }
            index.entries.push((Cow::Borrowed(text), begin));
        }
        for at in hard {
            let text = index.read(at).ok().and_then(|catalog| catalog.first());
            if let (Some(text), Some(entry)) = (text, index.entries.get_mut(at)) {
                entry.0 = text;
            }
        }
        index
    }

    /// The entry of this number.
    fn read(&self, at: usize) -> Result<Catalog<'a>, PoError> {
        let begin = self.entries.get(at).map_or(0, |(_, begin)| *begin);
        // Entries that share a beginning are a fault; `problems` tells.
        let end = self.entries.get(at + 1).map_or(self.file.len(), |(_, begin)| *begin);
        Catalog::read(self.file.get(begin..end).unwrap_or_default())
    }

    /// The translation of a text, where it has one.
    pub(super) fn find(&self, context: Option<&str>, id: &str, count: Option<u64>) -> Option<Cow<'a, str>> {
        let rule = || {
            let header = self.entries.iter().position(|(text, _)| text.is_empty())?;
            self.read(header).ok()?.rule()
        };
        let found = self.entries.iter().enumerate().filter(|(_, (text, _))| text == id);
        let mut read = found.filter_map(|(at, _)| self.read(at).ok());
        read.find_map(|catalog| catalog.find(context, id, count, rule))
    }
}

/// What stands between the quotes, without a look at it.
fn inside(quoted: &str) -> &str {
    let begin = quoted.find('"').map_or(quoted.len(), |at| at + 1);
    let end = quoted.rfind('"').unwrap_or_default();
    quoted.get(begin..end).unwrap_or_default()
}
