//! Lists, maps and words, part by part, as serde asks for them.

use std::cell::Cell;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::fault::{Fault, What};
use super::node::{Entry, Mark, Node};
use super::read::{Reader, is_secret};

/// The items of a list.
pub(super) struct Items<I> {
    pub(super) items: std::iter::Enumerate<I>,
    /// Whether what they are must not be shown.
    pub(super) secret: bool,
}

impl<'de, I: Iterator<Item = &'de Node>> SeqAccess<'de> for Items<I> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        seed.deserialize(Reader::keeping(node, self.secret))
            .map(Some)
            .map_err(|fault| fault.at(node.mark).under(format!("[{index}]")))
    }
}

/// The keys of a map.
pub(super) struct Keys<'a, 'de> {
    pub(super) entries: std::slice::Iter<'de, Entry>,
    pub(super) value: Option<&'de Entry>,
    /// Whether what they hold must not be shown.
    pub(super) secret: bool,
    /// Where the key or value stands that was handed out last: the place of an error that a struct finds by itself.
    pub(super) last: &'a Cell<Option<Mark>>,
}

impl<'de> MapAccess<'de> for Keys<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.value = Some(entry);
        self.last.set(Some(entry.mark));
        let key: BorrowedStrDeserializer<'de, Fault> = BorrowedStrDeserializer::new(&entry.key);
        seed.deserialize(key).map(Some).map_err(|fault| fault.at(entry.mark))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some(entry) = self.value.take() else {
            return Err(Fault::says("a value was asked for before its key"));
        };
        let value = seed.deserialize(Reader::keeping(&entry.value, self.secret || is_secret(&entry.key)));
        self.last.set(Some(entry.value.mark));
        value.map_err(|fault| {
            // Where there is no value, or one lacks a key, the key above it is all that can be shown.
            let by_key = entry.value.is_nothing() || matches!(fault.what(), What::Missing(_));
            fault.at(if by_key { entry.mark } else { entry.value.mark }).under(entry.key.clone())
        })
    }
}

/// A word of an enum, alone or as the only key of a map that holds its value.
pub(super) struct Word<'de> {
    pub(super) text: &'de str,
    pub(super) value: Option<&'de Node>,
}

impl<'de> EnumAccess<'de> for Word<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let word: StrDeserializer<'de, Fault> = self.text.into_deserializer();
        seed.deserialize(word).map(|value| (value, self))
    }
}

impl<'de> Word<'de> {
    fn with_value<T>(self, read: impl FnOnce(Reader<'de>) -> Result<T, Fault>) -> Result<T, Fault> {
        let Some(node) = self.value else {
            let fault = Fault::says(format!("`{}` needs a value", self.text));
            return Err(fault.help(format!("write `{}: …`", self.text)));
        };
        read(Reader::new(node)).map_err(|fault| fault.under(self.text))
    }
}

impl<'de> VariantAccess<'de> for Word<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.value {
            None => Ok(()),
            Some(_) => {
                Err(Fault::says(format!("`{}` has no value of its own", self.text)).help("write the word alone"))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        self.with_value(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.with_value(|reader| reader.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.with_value(|reader| reader.deserialize_map(visitor))
    }
}
