//! Which character set an SMPP `data_coding` means.
//!
//! Every SMPP message carries a number, `data_coding`, that tells how its bytes are to be read. The standard
//! defines some numbers and leaves others to the network; operators also use the standard ones in their own way.
//! So there is a table of defaults, and the transport's configuration (`data_coding_overrides`) adds to it or
//! replaces entries (specification of the codecs, §4; SMPP 3.4 §5.2.19).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::charset::{CodecError, Encoding, ErrorMode, Gsm0338};

/// The network's own default alphabet.
const DEFAULT_ALPHABET: u8 = 0;

/// The two numbers of the standard that mean "bytes, not text".
const BINARY: [u8; 2] = [2, 4];

/// A mistake in the configuration of the data codings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataCodingError {
    /// A key that is no number, or none that fits into the field.
    #[error(
        "data_coding_overrides keys must be castable to ints: \"{key}\" is not a data_coding, write a number from \
         0 to 255"
    )]
    Key {
        /// The key as it was given.
        key: String,
    },

    /// Two keys that are the same number, such as `"8"` and `"08"`.
    #[error("data_coding_overrides has data_coding {data_coding} twice: remove one")]
    Twice {
        /// The number.
        data_coding: u8,
    },

    /// An encoding that does not exist.
    #[error("data_coding_overrides, data_coding {data_coding}: {source}")]
    Encoding {
        /// The number whose encoding it is.
        data_coding: u8,
        /// Which name, and which names exist.
        source: CodecError,
    },
}

/// What became of a message's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// True when some bytes meant nothing and were replaced; goes to `transport_metadata.decode_error`.
        decode_error: bool,
    },
    /// The `data_coding` says that the message is not text.
    Binary {
        /// The bytes in hexadecimal, lower case, two digits each; for `transport_metadata`.
        hex: String,
    },
    /// No encoding is known for this `data_coding`; the bytes are as they came.
    Unknown,
}

/// A transport's table from `data_coding` to encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataCodings {
    table: BTreeMap<u8, Encoding>,
}

impl Default for DataCodings {
    /// The standard's table, with `gsm0338` for data_coding 0.
    fn default() -> Self {
        Self::new(Some(Encoding::Gsm0338(Gsm0338::new())))
    }
}

impl DataCodings {
    /// The standard's table. `default_encoding` is what data_coding 0 means on this network; without it, as in
    /// Vumi, such messages have no known encoding unless an override names one.
    pub fn new(default_encoding: Option<Encoding>) -> Self {
        let mut table = BTreeMap::from([
            (1, Encoding::Ascii),
            (3, Encoding::Latin1),
            (5, Encoding::Iso2022Jp),
            (6, Encoding::Iso8859_5),
            (7, Encoding::Iso8859_8),
            (8, Encoding::Utf16Be),
            (9, Encoding::ShiftJis),
            (10, Encoding::Iso2022Jp),
        ]);
        table.extend(default_encoding.map(|encoding| (DEFAULT_ALPHABET, encoding)));
        Self { table }
    }

    /// This table with entries added or replaced: pairs of a number as text and the name of an encoding, as they
    /// stand in `data_coding_overrides`.
    ///
    /// # Errors
    /// A key that is not a number from 0 to 255 or that comes twice, or an unknown encoding.
    pub fn with_overrides<K: AsRef<str>, V: AsRef<str>>(
        mut self,
        overrides: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, DataCodingError> {
        let mut seen = BTreeMap::new();
        for (key, name) in overrides {
            let key = key.as_ref();
            let data_coding: u8 = key.trim().parse().map_err(|_| DataCodingError::Key { key: key.to_owned() })?;
            let encoding =
                Encoding::by_name(name.as_ref()).map_err(|source| DataCodingError::Encoding { data_coding, source })?;
            if seen.insert(data_coding, encoding).is_some() {
                return Err(DataCodingError::Twice { data_coding });
            }
        }
        self.table.extend(seen);
        Ok(self)
    }

    /// The encoding of `data_coding`, if one is known.
    pub fn encoding(&self, data_coding: u8) -> Option<Encoding> {
        self.table.get(&data_coding).copied()
    }

    /// Reads the bytes of a message. Faults never lose it: what cannot be read is replaced, and the result says so.
    pub fn decode(&self, data_coding: u8, bytes: &[u8]) -> Content {
        let Some(encoding) = self.encoding(data_coding) else {
            return if BINARY.contains(&data_coding) { Content::Binary { hex: hex(bytes) } } else { Content::Unknown };
        };
        if let Ok(text) = encoding.decode(bytes, &ErrorMode::Strict) {
            return Content::Text { text, decode_error: false };
        }
        // Mode replace has no error of its own.
        let text = encoding.decode(bytes, &ErrorMode::Replace).unwrap_or_default();
        Content::Text { text, decode_error: true }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Content {
        Content::Text { text: text.to_owned(), decode_error: false }
    }

    #[test]
    fn the_default_table() {
        let names: Vec<_> = (0..=255)
            .filter_map(|data_coding| {
                DataCodings::default().encoding(data_coding).map(|encoding| (data_coding, encoding.name()))
            })
            .collect();
        assert_eq!(
            names,
            [
                (0, "gsm0338"),
                (1, "ascii"),
                (3, "latin1"),
                (5, "iso2022_jp"),
                (6, "iso8859_5"),
                (7, "iso8859_8"),
                (8, "utf-16be"),
                (9, "shift_jis"),
                (10, "iso2022_jp"),
            ]
        );
        assert_eq!(DataCodings::new(None).encoding(0), None);
    }

    #[test]
    fn overrides_add_and_replace() {
        let codings =
            DataCodings::default().with_overrides([("0", "utf-8"), (" 4 ", "latin1"), ("245", "ucs2")]).unwrap();
        assert_eq!(codings.decode(0, "Zoë".as_bytes()), text("Zoë"));
        assert_eq!(codings.decode(4, &[0xEB]), text("ë"));
        assert_eq!(codings.decode(245, &[0, 0x48]), text("H"));
        assert_eq!(codings.decode(1, b"a"), text("a"));
    }

    #[test]
    fn mistakes_in_the_overrides() {
        let error = |overrides: &[(&str, &str)]| {
            DataCodings::default().with_overrides(overrides.iter().copied()).unwrap_err().to_string()
        };
        for key in ["x", "", "1.0", "-1", "256"] {
            assert_eq!(
                error(&[(key, "ascii")]),
                format!(
                    "data_coding_overrides keys must be castable to ints: \"{key}\" is not a data_coding, write \
                     a number from 0 to 255"
                )
            );
        }
        assert_eq!(
            error(&[("8", "ucs2"), ("08", "utf-8")]),
            "data_coding_overrides has data_coding 8 twice: remove one"
        );
        assert!(
            error(&[("3", "latin9000")]).starts_with(
                "data_coding_overrides, data_coding 3: unknown encoding \"latin9000\": use one of ascii, "
            )
        );
    }

    #[test]
    fn binary_messages_are_kept_in_hexadecimal() {
        for data_coding in [2, 4] {
            assert_eq!(
                DataCodings::default().decode(data_coding, &[0x00, 0xAB, 0x0F]),
                Content::Binary { hex: "00ab0f".to_owned() }
            );
        }
    }

    #[test]
    fn a_number_without_an_encoding_is_unknown() {
        for data_coding in [11, 13, 14, 255] {
            assert_eq!(DataCodings::default().decode(data_coding, b"a"), Content::Unknown);
        }
        assert_eq!(DataCodings::new(None).decode(0, b"a"), Content::Unknown);
    }

    #[test]
    fn bytes_that_mean_nothing_are_replaced_and_flagged() {
        assert_eq!(
            DataCodings::default().decode(1, &[0x61, 0xEB]),
            Content::Text { text: "a\u{FFFD}".to_owned(), decode_error: true }
        );
        assert_eq!(
            DataCodings::default().decode(0, &[0x61, 0x1B]),
            Content::Text { text: "a?".to_owned(), decode_error: true }
        );
    }
}
