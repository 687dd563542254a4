//! Telephone numbers (MSISDNs) as networks write them, and whose network a number belongs to.
//!
//! Networks write the same number in many ways: `0821234567`, `0027821234567`, `+27 82 123 4567`. These helpers
//! bring them to one form.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// The operator of a number that no prefix fits.
pub const UNKNOWN_OPERATOR: &str = "UNKNOWN";

/// Brings a number to the international form `+27821234567` (common.md C5). `country_code` is given without `+`
/// and may be empty. A number of at most five characters is a short code and stays as it is; of a longer one
/// only ASCII digits and `+` are kept.
pub fn normalize_msisdn(raw: &str, country_code: &str) -> String {
    if raw.chars().count() <= 5 {
        return raw.to_owned();
    }
    let number: String = raw.chars().filter(|character| character.is_ascii_digit() || *character == '+').collect();
    if let Some(rest) = number.strip_prefix("00") {
        format!("+{rest}")
    } else if let Some(rest) = number.strip_prefix('0') {
        format!("+{country_code}{rest}")
    } else if !number.starts_with('+') && number.starts_with(country_code) {
        format!("+{number}")
    } else {
        number
    }
}

/// Takes every `+` out of a number and replaces one leading 0 by the country code (common.md C5).
pub fn cleanup_msisdn(number: &str, country_code: &str) -> String {
    let digits = number.replace('+', "");
    match digits.strip_prefix('0') {
        Some(rest) => format!("{country_code}{rest}"),
        None => digits,
    }
}

/// Which operator has which numbers: prefix → name, or prefix → a map of longer prefixes (common.md C5). In a
/// configuration file it is a map like `{"417": {"417912": VODA}}`; prefixes need no quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorMap(BTreeMap<String, OperatorEntry>);

/// What stands behind a prefix in an [`OperatorMap`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorEntry {
    /// The operator's name.
    Name(String),
    /// Longer prefixes. Whatever this map answers is final.
    Map(OperatorMap),
}

impl OperatorMap {
    /// The operator of a number, or `UNKNOWN`. When several prefixes fit, the longest counts.
    pub fn operator_name<'a>(&'a self, msisdn: &str) -> &'a str {
        let fitting = self.0.iter().filter(|(prefix, _)| msisdn.starts_with(prefix.as_str()));
        match fitting.max_by_key(|(prefix, _)| prefix.len()) {
            Some((_, OperatorEntry::Name(name))) => name,
            Some((_, OperatorEntry::Map(map))) => map.operator_name(msisdn),
            None => UNKNOWN_OPERATOR,
        }
    }
}

impl FromIterator<(String, OperatorEntry)> for OperatorMap {
    fn from_iter<I: IntoIterator<Item = (String, OperatorEntry)>>(entries: I) -> Self {
        OperatorMap(entries.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for OperatorMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = OperatorMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from number prefixes to operator names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OperatorMap, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some(prefix) = map.next_key::<String>()? {
                    if !prefix.chars().all(|character| character.is_ascii_digit() || character == '+') {
                        return Err(de::Error::custom(format!(
                            "the prefix '{prefix}' fits no number: it must consist of digits and '+'"
                        )));
                    }
                    entries.insert(prefix, map.next_value()?);
                }
                Ok(OperatorMap(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

impl<'de> Deserialize<'de> for OperatorEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entry;

        impl<'de> Visitor<'de> for Entry {
            type Value = OperatorEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an operator's name or a map of longer prefixes")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<OperatorEntry, E> {
                Ok(OperatorEntry::Name(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OperatorEntry, A::Error> {
                OperatorMap::deserialize(de::value::MapAccessDeserializer::new(map)).map(OperatorEntry::Map)
            }
        }

        deserializer.deserialize_any(Entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_brought_to_the_international_form() {
        for (raw, country_code, expected) in [
            ("0215551234", "27", "+27215551234"),
            ("00491701234567", "27", "+491701234567"),
            ("12345", "27", "12345"),
            ("*45678", "27", "45678"),
            ("+27 (21) 555-1234", "", "+27215551234"),
            ("49170123456", "27", "49170123456"),
            ("49170123456", "", "+49170123456"),
            ("27215551234", "27", "+27215551234"),
            ("", "27", ""),
            ("*120#", "27", "*120#"),
            ("٠١٢٣٤٥٦", "", "+"),
        ] {
            assert_eq!(normalize_msisdn(raw, country_code), expected, "{raw:?} {country_code:?}");
        }
    }

    #[test]
    fn plus_signs_and_one_zero_are_cleaned_up() {
        assert_eq!(cleanup_msisdn("+27821234567", "27"), "27821234567");
        assert_eq!(cleanup_msisdn("0821234567", "27"), "27821234567");
        assert_eq!(cleanup_msisdn("+0+0821", "27"), "270821");
        assert_eq!(cleanup_msisdn("", "27"), "");
    }

    fn operators(yaml: &str) -> Result<OperatorMap, String> {
        serde_saphyr::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn the_longest_prefix_counts_and_a_nested_map_is_final() {
        let map = operators("{417: {417912: VODA, 4179: SWISS}, 41: OTHER, '+27': MTN, 0027: MTN2}").unwrap();
        assert_eq!(map.operator_name("41791200000"), "VODA");
        assert_eq!(map.operator_name("41790000000"), "SWISS");
        assert_eq!(map.operator_name("41755500000"), "UNKNOWN");
        assert_eq!(map.operator_name("41100000000"), "OTHER");
        assert_eq!(map.operator_name("+2782"), "MTN");
        assert_eq!(map.operator_name("002782"), "MTN2");
        assert_eq!(map.operator_name(""), "UNKNOWN");
        assert_eq!(OperatorMap::default().operator_name("41"), "UNKNOWN");
    }

    #[test]
    fn a_mistake_in_the_map_is_explained() {
        let error = operators("{41: [a]}").unwrap_err();
        assert!(error.contains("an operator's name or a map of longer prefixes"), "{error}");
        let error = operators("{4l: VODA}").unwrap_err();
        assert!(error.contains("the prefix '4l' fits no number: it must consist of digits and '+'"), "{error}");
        let error = operators("VODA").unwrap_err();
        assert!(error.contains("mapping") || error.contains("a map from number prefixes"), "{error}");
    }
}
