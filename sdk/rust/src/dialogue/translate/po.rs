//! gettext's `.po` files, as translators and their tools write them.
//!
//! What is read borrows from the file wherever it can.

use std::borrow::Cow;
use std::fmt;

use super::plural;

/// The translations of one file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Catalog<'a> {
    entries: Vec<Entry<'a>>,
    /// The expression after `plural=`.
    rule: Option<String>,
}

/// One text.
#[derive(Debug, Default, PartialEq)]
struct Entry<'a> {
    context: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    plural: Option<Cow<'a, str>>,
    /// `msgstr` or `msgstr[0]`.
    form: Option<Cow<'a, str>>,
    /// `msgstr[1]` and further.
    more: Vec<Option<Cow<'a, str>>>,
    fuzzy: bool,
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PoError {
    line: usize,
    reason: &'static str,
}

impl fmt::Display for PoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// The part of an entry that a line goes on with.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Nothing,
    Context,
    Id,
    Plural,
    Form(usize),
}

/// More forms than any language has.
const MOST_FORMS: usize = 8;

impl<'a> Catalog<'a> {
    /// Reads a file.
    pub(super) fn read(text: &'a str) -> Result<Self, PoError> {
        let mut catalog = Self::default();
        let mut entry = Entry::default();
        let mut part = Part::Nothing;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        for (number, line) in text.lines().enumerate() {
            let wrong = |reason| PoError { line: number + 1, reason };
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            if let Some(comment) = line.strip_prefix('#') {
                if matches!(part, Part::Form(_)) {
                    catalog.take(&mut entry);
                    part = Part::Nothing;
                }
                entry.fuzzy |=
                    comment.strip_prefix(',').is_some_and(|flags| flags.split(',').any(|f| f.trim() == "fuzzy"));
                continue;
            }
            if line.starts_with('"') {
                let more = string(line).ok_or_else(|| wrong("a text without its closing quote"))?;
                let old = entry.part(part).ok_or_else(|| wrong("a text that belongs to nothing"))?;
                match old {
                    Some(old) if old.is_empty() => *old = more,
                    Some(old) => old.to_mut().push_str(&more),
                    None => *old = Some(more),
                }
                continue;
            }
            let at = line.find('"').ok_or_else(|| wrong("neither a comment nor a text in quotes"))?;
            let (word, value) = line.split_at_checked(at).unwrap_or((line, ""));
            let now = match word.trim_end() {
                "msgctxt" => Part::Context,
                "msgid" => Part::Id,
                "msgid_plural" => Part::Plural,
                "msgstr" => Part::Form(0),
                word => {
                    form(word).ok_or_else(|| wrong("it begins with none of msgctxt, msgid, msgid_plural, msgstr"))?
                }
            };
            // A new entry begins where an old one has its translation.
            if matches!(part, Part::Form(_)) && matches!(now, Part::Context | Part::Id) {
                catalog.take(&mut entry);
            }
            part = now;
            if matches!(part, Part::Form(_)) && entry.id.is_none() {
                return Err(wrong("a msgstr without a msgid"));
            }
            let value = string(value).ok_or_else(|| wrong("a text without its closing quote"))?;
            match entry.part(part) {
                Some(slot) if slot.is_none() => *slot = Some(value),
                _ => return Err(wrong("it stands twice in one entry")),
            }
        }
        catalog.take(&mut entry);
        Ok(catalog)
    }

    /// The text of the first entry.
    pub(super) fn first(&self) -> Option<Cow<'a, str>> {
        self.entries.first().and_then(|entry| entry.id.clone())
    }

    /// The expression by which the language counts.
    pub(super) fn rule(&self) -> Option<String> {
        self.rule.clone()
    }

    /// Keeps an entry that has a translation, and begins the next.
    fn take(&mut self, entry: &mut Entry<'a>) {
        let entry = std::mem::take(entry);
        let (Some(id), Some(form)) = (&entry.id, &entry.form) else { return };
        if id.is_empty() && entry.context.is_none() {
            self.rule = plural_rule(form);
        } else if !entry.fuzzy {
            self.entries.push(entry);
        }
    }

    /// The translation of a text, where it has one.
    ///
    /// `rule` gives the expression of `Plural-Forms` when it is needed.
    pub(super) fn find(
        &self,
        context: Option<&str>,
        id: &str,
        count: Option<u64>,
        rule: impl FnOnce() -> Option<String>,
    ) -> Option<Cow<'a, str>> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.id.as_deref() == Some(id) && entry.context.as_deref() == context)?;
        let form = match count {
            Some(n) if entry.plural.is_some() => {
                let index = match rule() {
                    Some(rule) => plural::index(&rule, n)?,
                    None => u64::from(n != 1),
                };
                match usize::try_from(index).ok()?.checked_sub(1) {
                    None => &entry.form,
                    Some(further) => entry.more.get(further)?,
                }
            }
            _ => &entry.form,
        };
        form.clone().filter(|form| !form.is_empty())
    }
}

impl<'a> Entry<'a> {
    fn part(&mut self, part: Part) -> Option<&mut Option<Cow<'a, str>>> {
        match part {
            Part::Nothing => None,
            Part::Context => Some(&mut self.context),
            Part::Id => Some(&mut self.id),
            Part::Plural => Some(&mut self.plural),
            Part::Form(0) => Some(&mut self.form),
            Part::Form(at) => {
                if self.more.len() < at {
                    self.more.resize(at, None);
                }
                self.more.get_mut(at - 1)
            }
        }
    }
}

/// The number in `msgstr[2]`.
fn form(word: &str) -> Option<Part> {
    let number = word.strip_prefix("msgstr[")?.strip_suffix(']')?;
    number.trim().parse().ok().filter(|at| *at < MOST_FORMS).map(Part::Form)
}

/// What follows `plural=` in the header.
fn plural_rule(header: &str) -> Option<String> {
    let forms = header.lines().find_map(|line| line.strip_prefix("Plural-Forms:"))?;
    let rule = forms.split(';').find_map(|part| part.trim().strip_prefix("plural="))?;
    Some(rule.trim().to_owned())
}

/// A text in quotes, with its escapes read.
fn string(quoted: &str) -> Option<Cow<'_, str>> {
    let inside = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if !inside.bytes().any(|byte| matches!(byte, b'\\' | b'"')) {
        return Some(Cow::Borrowed(inside));
    }
    let mut text = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => text.push(match characters.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            }),
            other => text.push(other),
        }
    }
    Some(Cow::Owned(text))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
