//! Puts `[masked]` and `[secret <name>]` in the place of texts that must not be kept.
//!
//! A text is looked for as it is and as it is written in JSON and in addresses; a phone number also without its plus.
//! All are found in one pass, however many there are. Texts of less than four letters or digits would be found nearly
//! everywhere: they are replaced only where they stand as a word of their own. Secrets are replaced everywhere.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::Value;

use super::forms::{LONG, forms};
use super::rule::Secret;

/// What stands in the place of a masked text.
pub(super) const MASKED: &str = "[masked]";

/// What the place of a secret begins with.
pub(super) const SECRET: &str = "[secret ";

/// Texts that are replaced, and by what.
struct Search {
    finder: Option<AhoCorasick>,
    replacements: Vec<String>,
}

/// See the module's text.
pub(super) struct Masks {
    /// Secrets only.
    secrets: Search,
    /// Secrets and masked texts.
    all: Search,
    /// Masked words.
    words: HashSet<String>,
}

/// Where a text stands, and so what may be replaced in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// What a replay must find as it was: names, ids, times.
    Fixed,
    /// What the app's owner wrote.
    Owner,
    /// What was said and done in the run.
    Run,
}

impl Search {
    fn of(mut pairs: Vec<(String, String)>) -> Self {
        pairs.retain(|(text, _)| !text.is_empty());
        let (texts, replacements): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts);
        Self { finder: finder.ok().filter(|_| !texts.is_empty()), replacements }
    }

    fn replace(&self, text: &str) -> Option<String> {
        let finder = self.finder.as_ref()?;
        finder.is_match(text).then(|| finder.replace_all(text, &self.replacements))
    }

    fn replace_bytes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let finder = self.finder.as_ref()?;
        finder.is_match(bytes).then(|| finder.replace_all_bytes(bytes, &self.replacements))
    }
}

impl Masks {
    pub(super) fn new(needles: Vec<String>, secrets: &[Secret]) -> Self {
        let mut words = HashSet::new();
        let mut pairs = Vec::new();
        for secret in secrets {
            for form in forms(&secret.value) {
                pairs.push((form, format!("{SECRET}{}]", secret.name)));
            }
        }
        let secrets = Search::of(pairs.clone());
        let unique: HashSet<String> = needles.into_iter().collect();
        for needle in unique {
            // A text of spaces or signs only says nothing, and would be found everywhere.
            if !needle.chars().any(char::is_alphanumeric) {
                continue;
            }
            if needle.chars().count() < LONG && needle.chars().all(char::is_alphanumeric) {
                words.insert(needle);
            } else {
                pairs.extend(forms(&needle).into_iter().map(|form| (form, MASKED.to_owned())));
            }
        }
        Self { secrets, all: Search::of(pairs), words }
    }

    /// A text with what must not be kept replaced.
    pub(super) fn text(&self, text: &mut String, place: Place) {
        let search = if place == Place::Fixed { &self.secrets } else { &self.all };
        if let Some(replaced) = search.replace(text) {
            *text = replaced;
        }
        if place == Place::Run && !self.words.is_empty() {
            self.replace_words(text);
        }
    }

    /// As [`Masks::text`], for all texts in a value. Names of fields stay: those of calls are the host's own.
    pub(super) fn value(&self, value: &mut Value, place: Place) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => self.text(text, place),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, place)),
            Value::Object(map) => map.values_mut().for_each(|item| self.value(item, place)),
        }
    }

    /// As [`Masks::value`], for what came from outside: names of fields too, and a number with such digits becomes
    /// text.
    pub(super) fn foreign(&self, value: &mut Value, place: Place) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::String(text) => self.text(text, place),
            Value::Number(number) => {
                let mut text = number.to_string();
                self.text(&mut text, place);
                if text != number.as_str() {
                    *value = Value::String(text);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.foreign(item, place)),
            Value::Object(map) => {
                let fields = std::mem::take(map).into_iter().map(|(mut name, mut item)| {
                    self.text(&mut name, place);
                    self.foreign(&mut item, place);
                    (name, item)
                });
                *map = fields.collect();
            }
        }
    }

    /// Bytes that are no text.
    pub(super) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.all.replace_bytes(&bytes).unwrap_or(bytes)
    }

    fn replace_words(&self, text: &mut String) {
        let mut clean = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let begin = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
            let (between, from_word) = rest.split_at(begin);
            let end = from_word.find(|c: char| !c.is_alphanumeric()).unwrap_or(from_word.len());
            let (word, after) = from_word.split_at(end);
            clean.push_str(between);
            clean.push_str(if self.words.contains(word) { MASKED } else { word });
            rest = after;
        }
        *text = clean;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn masks(needles: &[&str]) -> Masks {
        let secret = Secret { name: "api".into(), value: "k3y".into() };
        Masks::new(needles.iter().map(|needle| (*needle).to_owned()).collect(), &[secret])
    }

    fn masked(masks: &Masks, text: &str) -> String {
        let mut text = text.to_owned();
        masks.text(&mut text, Place::Run);
        text
    }

    #[test]
    fn a_text_is_found_in_all_its_forms() {
        let masks = masks(&["+27 71\"é\"", "+27710000001"]);
        assert_eq!(masked(&masks, "tel:+27710000001, 27710000001x"), "tel:[masked], [masked]x");
        for form in
            [r#"+27 71"é""#, r#"+27 71\"é\""#, r#"+27 71\"\u00e9\""#, "%2B27%2071%22%C3%A9%22", "%2B27+71%22%C3%A9%22"]
        {
            assert_eq!(masked(&masks, &format!("<{form}>")), "<[masked]>", "{form}");
        }
    }

    #[test]
    fn short_texts_are_replaced_as_words_only() {
        let masks = masks(&["1", "Bob", "", " ", "?!"]);
        assert_eq!(masked(&masks, "1: 21, 1 and Bob, Bobby ?!"), "[masked]: 21, [masked] and [masked], Bobby ?!");
    }

    #[test]
    fn the_longest_text_is_replaced_first() {
        let masks = masks(&["Thandi", "Thandi Mbeki"]);
        assert_eq!(masked(&masks, "Thandi Mbeki and Thandi"), "[masked] and [masked]");
    }

    #[test]
    fn secrets_are_replaced_everywhere() {
        let masks = masks(&["hello"]);
        let mut value = json!({"hello k3y": ["ak3yb", "hello", 5]});
        masks.foreign(&mut value, Place::Fixed);
        assert_eq!(value, json!({"hello [secret api]": ["a[secret api]b", "hello", 5]}));
        assert_eq!(masks.bytes(b"\xffk3y\xff".to_vec()), b"\xff[secret api]\xff");
    }

    #[test]
    fn what_the_owner_wrote_keeps_its_short_words() {
        let masks = masks(&["1", "hello"]);
        let mut text = "1 hello".to_owned();
        masks.text(&mut text, Place::Owner);
        assert_eq!(text, "1 [masked]");
    }

    #[test]
    fn names_of_fields_stay_in_calls() {
        let masks = masks(&["body", "ok"]);
        let mut value = json!({"ok": {"body": "body"}});
        masks.value(&mut value, Place::Run);
        assert_eq!(value, json!({"ok": {"body": "[masked]"}}));
    }

    #[test]
    fn numbers_of_messages() {
        let masks = masks(&["12345"]);
        let mut value = json!({"pin": 12345, "n": 1234, "in": [{"pin": 12345}]});
        masks.foreign(&mut value, Place::Run);
        assert_eq!(value, json!({"pin": "[masked]", "n": 1234, "in": [{"pin": "[masked]"}]}));
    }

    #[test]
    fn nothing_to_mask_changes_nothing() {
        let masks = Masks::new(Vec::new(), &[]);
        assert_eq!(masked(&masks, "1 hello"), "1 hello");
    }
}
