//! Texts in other languages: gettext files and simple maps.

mod index;
mod plural;
mod po;

use std::borrow::Cow;
use std::cell::OnceCell;

use self::index::Index;
use self::po::Catalog;
use super::Text;
use super::state::Name;

/// The texts of a dialogue in other languages.
///
/// ```
/// use vumi_sdk::dialogue::*;
/// use vumi_sdk::testing::{Phone, set_config};
///
/// const SWAHILI: &str = r#"
/// msgid "What is your name?"
/// msgstr "Jina lako nani?"
/// "#;
///
/// fn hello() -> Dialogue {
///     let texts = Translations::new().po("sw", SWAHILI).map("fr", &[("What is your name?", "Votre nom ?")]);
///     Dialogue::new("hello")
///         .translations(texts)
///         .state(FreeText::new("name", "What is your name?").next("bye"))
///         .state(End::new("bye", "{name}!"))
/// }
///
/// set_config("lang", "sw");
/// assert_eq!(Phone::ussd(hello).dial(), "Jina lako nani?");
/// ```
///
/// A gettext file is read when a user needs it, not before.
#[derive(Debug, Default)]
#[must_use]
pub struct Translations {
    sources: Vec<(Name, Words)>,
}

#[derive(Debug)]
enum Words {
    Po { text: &'static str, index: OnceCell<Index<'static>> },
    Map(&'static [(&'static str, &'static str)]),
}

impl Translations {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of a gettext file: `.po("sw", include_str!("../locale/sw.po"))`. What is wrong with it is said by
    /// [`Dialogue::problems`](super::Dialogue::problems); entries that cannot be read are left out.
    pub fn po(mut self, language: impl Into<Name>, text: &'static str) -> Self {
        self.sources.push((language.into(), Words::Po { text, index: OnceCell::new() }));
        self
    }

    /// Those of a list: each text as it is written, and what it is called.
    pub fn map(mut self, language: impl Into<Name>, words: &'static [(&'static str, &'static str)]) -> Self {
        self.sources.push((language.into(), Words::Map(words)));
        self
    }

    /// The text in a language, or in the language without its region.
    pub(crate) fn find(&self, language: &str, text: &Text) -> Option<Cow<'static, str>> {
        if self.sources.is_empty() {
            return None;
        }
        self.find_in(language, text).or_else(|| {
            let (base, _) = language.split_once(['-', '_'])?;
            self.find_in(base, text)
        })
    }

    fn find_in(&self, language: &str, text: &Text) -> Option<Cow<'static, str>> {
        let mut words = self.sources.iter().filter(|(known, _)| known == language).map(|(_, words)| words);
        words.find_map(|words| match words {
            Words::Po { text: file, index } => {
                let index = index.get_or_init(|| Index::of(file));
                index.find(text.context.as_deref(), &text.id, text.plural.as_ref().map(|(_, n)| *n))
            }
            Words::Map(words) => {
                let id = text.source();
                words.iter().find(|(known, _)| *known == id).map(|(_, word)| Cow::Borrowed(*word))
            }
        })
    }

    /// What is wrong with the files.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        self.sources.iter().filter_map(|(language, words)| match words {
            Words::Po { text, .. } => {
                Catalog::read(text).err().map(|error| format!("the translation '{language}', {error}"))
            }
            Words::Map(_) => None,
        })
    }
}
