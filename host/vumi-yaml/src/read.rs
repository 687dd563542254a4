//! The tree as serde sees it.
//!
//! Numbers and true/false are taken from quoted text too, because `"${PORT}"` must be quoted inside braces. Only the
//! words `true` and `false` are booleans: `no` is also Norway.

use std::cell::Cell;

use serde::de::{Deserializer, Visitor};

use super::access::{Items, Keys, Word};
use super::fault::{Fault, What};
use super::node::{Node, Scalar, Value};

/// True for keys whose values must not be shown.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let named =
        ["password", "passwd", "passphrase", "secret", "token", "credential"].iter().any(|word| key.contains(word));
    (named || key == "key" || key.ends_with("_key") || key.ends_with("apikey")) && !key.ends_with("_file")
}

/// Reads one node.
#[derive(Clone, Copy)]
pub struct Reader<'de> {
    node: &'de Node,
    secret: bool,
}

impl<'de> Reader<'de> {
    /// For a node.
    pub fn new(node: &'de Node) -> Self {
        Self { node, secret: false }
    }

    /// For a node that may be a secret.
    pub(super) fn keeping(node: &'de Node, secret: bool) -> Self {
        Self { node, secret }
    }

    fn describe(self) -> String {
        match &self.node.value {
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
            Value::Scalar(scalar) if scalar.is_nothing() => "nothing".to_owned(),
            Value::Scalar(scalar) => match &scalar.written {
                Some(written) => format!("`{}`", cut(written)),
                None if self.secret => "`***`".to_owned(),
                None => format!("`{}`", cut(&scalar.text)),
            },
        }
    }

    /// Completes a fault that came out of this node. Nothing at all is best shown by its key, so it stays homeless.
    fn settle(self, fault: Fault) -> Fault {
        let fault = fault.found(|| self.describe());
        if self.node.is_nothing() || matches!(fault.what(), What::Missing(_)) {
            fault
        } else {
            fault.at(self.node.mark)
        }
    }

    fn scalar(self, expected: &str) -> Result<&'de Scalar, Fault> {
        match &self.node.value {
            Value::Scalar(scalar) if !scalar.is_nothing() => Ok(scalar),
            _ => Err(self.settle(Fault::expected(expected))),
        }
    }

    fn whole<T: TryFrom<i128>>(self, low: i128, high: i128) -> Result<T, Fault> {
        let expected = match (low, high) {
            (0, high) if high > i128::from(u32::MAX) => "a whole number, 0 or more".to_owned(),
            (_, high) if high > i128::from(u32::MAX) => "a whole number".to_owned(),
            (low, high) => format!("a whole number from {low} to {high}"),
        };
        let text = self.scalar(&expected)?.text.trim();
        integer(text).and_then(|number| T::try_from(number).ok()).ok_or_else(|| self.settle(Fault::expected(expected)))
    }
}

/// The beginning of a value, for a message.
fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}

/// YAML 1.2 core schema: decimal with a sign, `0x…`, `0o…`.
fn integer(text: &str) -> Option<i128> {
    let digits = |text: &str, radix: u32| text.chars().all(|c| c.is_digit(radix)).then_some(());
    if let Some(hex) = text.strip_prefix("0x") {
        digits(hex, 16)?;
        return i128::from_str_radix(hex, 16).ok();
    }
    if let Some(octal) = text.strip_prefix("0o") {
        digits(octal, 8)?;
        return i128::from_str_radix(octal, 8).ok();
    }
    text.parse().ok()
}

/// A decimal number; no `.inf`, no `.nan`, no number too large.
fn float(text: &str) -> Option<f64> {
    let looks =
        text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    looks.then(|| text.parse::<f64>().ok()).flatten().filter(|number| number.is_finite())
}

macro_rules! whole {
    ($($method:ident $visit:ident $type:ty),+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let number = self.whole::<$type>(<$type>::MIN.into(), <$type>::MAX.into())?;
            visitor.$visit(number).map_err(|fault: Fault| self.settle(fault))
        }
    )+};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let scalar = match &self.node.value {
            Value::List(_) => return self.deserialize_seq(visitor),
            Value::Map(_) => return self.deserialize_map(visitor),
            Value::Scalar(scalar) => scalar,
        };
        let text = scalar.text.as_str();
        let read = if !scalar.plain {
            visitor.visit_borrowed_str(text)
        } else if scalar.is_nothing() {
            visitor.visit_unit()
        } else if let "true" | "false" = text {
            visitor.visit_bool(text == "true")
        } else if let Some(number) = integer(text) {
            match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                // A telephone number longer than 64 bits must not lose digits.
                _ => visitor.visit_borrowed_str(text),
            }
        } else if let Some(number) = float(text) {
            visitor.visit_f64(number)
        } else {
            visitor.visit_borrowed_str(text)
        };
        read.map_err(|fault: Fault| self.settle(fault))
    }

    whole! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.scalar("true or false")?.text.as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(Fault::expected("true or false")),
        }
        .map_err(|fault: Fault| self.settle(fault))
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let number = float(self.scalar("a number")?.text.trim());
        let read = number.map_or_else(|| Err(Fault::expected("a number")), |number| visitor.visit_f64(number));
        read.map_err(|fault: Fault| self.settle(fault))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let text = &self.scalar("a text")?.text;
        visitor.visit_borrowed_str(text).map_err(|fault: Fault| self.settle(fault))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.node.is_nothing() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let read = match &self.node.value {
            Value::List(items) => {
                visitor.visit_seq(Items { items: items.iter().map(AsRef::as_ref).enumerate(), secret: self.secret })
            }
            Value::Scalar(scalar) if !scalar.is_nothing() => {
                Err(Fault::expected("a list").help("write it in brackets: [ … ]"))
            }
            _ => Err(Fault::expected("a list")),
        };
        read.map_err(|fault: Fault| self.settle(fault))
    }

    /// A section without keys (`apps:`) is an empty map.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if !matches!(self.node.value, Value::Map(_)) && !self.node.is_nothing() {
            return Err(
                self.settle(Fault::expected("a map").help("write `key: value` on lines of their own, or in braces"))
            );
        }
        let last = Cell::new(None);
        let keys = Keys { entries: self.node.entries().iter(), value: None, secret: self.secret, last: &last };
        visitor.visit_map(keys).map_err(|fault| match (fault.what(), last.get()) {
            (What::Missing(_), _) | (_, None) => self.settle(fault),
            (_, Some(mark)) => fault.at(mark),
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let word = match self.node.entries() {
            [entry] => Word { text: &entry.key, value: Some(&entry.value) },
            _ => Word { text: &self.scalar(&format!("one of {}", words.join(", ")))?.text, value: None },
        };
        visitor.visit_enum(word).map_err(|fault| self.settle(fault))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct }
}
