//! Character sets: text to bytes and back, by name.
//!
//! A configuration names an encoding (`submit_sm_encoding: gsm0338`); [`Encoding::by_name`] finds it once, at
//! start-up, and [`Encoding::encode`] and [`Encoding::decode`] use it for every message. What happens to text that
//! does not fit is the caller's choice: see [`ErrorMode`].
//!
//! Source: specification of the codecs, §1 to §3.

mod error;
mod general;
mod gsm0338;
mod gsm0338_packed;
mod iso2022_jp;
mod ucs2;

pub use error::{CodecError, ErrorMode};
pub use gsm0338::Gsm0338;
pub(crate) use gsm0338::Septets;
pub use gsm0338_packed::{Gsm0338Packed, Packed};

use ucs2::ByteOrder;

/// A character encoding.
///
/// The default is [`Encoding::Ascii`]: what a missing name means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// `ascii`: seven bits.
    #[default]
    Ascii,
    /// `latin1`: ISO 8859-1, bytes 0x80 to 0x9F being control characters.
    Latin1,
    /// `iso8859_5`: Latin and Cyrillic.
    Iso8859_5,
    /// `iso8859_8`: Latin and Hebrew.
    Iso8859_8,
    /// `utf-8`.
    Utf8,
    /// `utf-16be`: UTF-16, high byte first, no byte-order mark.
    Utf16Be,
    /// `utf-16le`: UTF-16, low byte first, no byte-order mark.
    Utf16Le,
    /// `iso2022_jp`: Japanese, seven bits with escape sequences (RFC 1468).
    Iso2022Jp,
    /// `shift_jis`: Japanese, one or two bytes, with the vendor characters of Windows-31J.
    ShiftJis,
    /// `cp1252`: Windows, Western Europe.
    Cp1252,
    /// `euc_kr`: Korean, one or two bytes, with all of modern Hangul (Windows-949).
    EucKr,
    /// `gsm0338`: GSM 03.38, one septet per byte.
    Gsm0338(Gsm0338),
    /// `gsm0338_packed`: GSM 03.38, eight septets in seven bytes.
    Gsm0338Packed(Gsm0338Packed),
    /// `ucs2`: the same bytes as `utf-16be`.
    Ucs2,
}

impl Encoding {
    /// The names of all encodings, as they appear in errors and documents. [`Encoding::by_name`] knows aliases too.
    pub const NAMES: [&str; 14] = [
        "ascii",
        "latin1",
        "iso8859_5",
        "iso8859_8",
        "utf-8",
        "utf-16be",
        "utf-16le",
        "iso2022_jp",
        "shift_jis",
        "cp1252",
        "euc_kr",
        "gsm0338",
        "gsm0338_packed",
        "ucs2",
    ];

    /// The encoding called `name`; case, `-` and `_` do not matter, and the usual aliases work (`us-ascii`,
    /// `iso-8859-1`, `windows-1252`, `sjis`, …). The two GSM encodings come with their defaults.
    ///
    /// # Errors
    /// [`CodecError::UnknownEncoding`], with the names that exist.
    pub fn by_name(name: &str) -> Result<Self, CodecError> {
        let plain: String = name
            .chars()
            .filter(|character| !matches!(character, '-' | '_'))
            .map(|character| character.to_ascii_lowercase())
            .collect();
        Ok(match plain.as_str() {
            "ascii" | "usascii" | "646" | "iso646us" => Self::Ascii,
            "latin1" | "latin" | "l1" | "iso88591" | "88591" | "cp819" => Self::Latin1,
            "iso88595" | "88595" | "cyrillic" => Self::Iso8859_5,
            "iso88598" | "88598" | "hebrew" => Self::Iso8859_8,
            "utf8" | "u8" => Self::Utf8,
            "utf16be" => Self::Utf16Be,
            "utf16le" => Self::Utf16Le,
            "iso2022jp" | "csiso2022jp" => Self::Iso2022Jp,
            "shiftjis" | "sjis" | "csshiftjis" | "cp932" | "ms932" | "windows31j" => Self::ShiftJis,
            "cp1252" | "1252" | "windows1252" => Self::Cp1252,
            "euckr" | "korean" | "ksc5601" | "ksx1001" | "cp949" => Self::EucKr,
            "gsm0338" => Self::Gsm0338(Gsm0338::new()),
            "gsm0338packed" => Self::Gsm0338Packed(Gsm0338Packed::new(Gsm0338::new())),
            "ucs2" => Self::Ucs2,
            _ => {
                return Err(CodecError::UnknownEncoding { name: name.to_owned() });
            }
        })
    }

    /// The encoding's own name, one of [`Encoding::NAMES`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::Latin1 => "latin1",
            Self::Iso8859_5 => "iso8859_5",
            Self::Iso8859_8 => "iso8859_8",
            Self::Utf8 => "utf-8",
            Self::Utf16Be => "utf-16be",
            Self::Utf16Le => "utf-16le",
            Self::Iso2022Jp => "iso2022_jp",
            Self::ShiftJis => "shift_jis",
            Self::Cp1252 => "cp1252",
            Self::EucKr => "euc_kr",
            Self::Gsm0338(_) => "gsm0338",
            Self::Gsm0338Packed(_) => "gsm0338_packed",
            Self::Ucs2 => "ucs2",
        }
    }

    /// Encodes `text`.
    ///
    /// # Errors
    /// A character that the encoding lacks, as `errors` says; its position counts characters from 0. The
    /// substitute of mode `replace` is `?`.
    pub fn encode(self, text: &str, errors: &ErrorMode) -> Result<Vec<u8>, CodecError> {
        let codec = self.name();
        match self {
            Self::Ascii => general::encode_direct(codec, 0x7F, text, errors),
            Self::Latin1 => general::encode_direct(codec, 0xFF, text, errors),
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Utf16Be | Self::Ucs2 => Ok(ucs2::encode(text, ByteOrder::BigEndian)),
            Self::Utf16Le => Ok(ucs2::encode(text, ByteOrder::LittleEndian)),
            Self::Iso2022Jp => iso2022_jp::encode(text, errors),
            Self::Iso8859_5 => general::encode_table(codec, encoding_rs::ISO_8859_5, text, errors),
            Self::Iso8859_8 => general::encode_table(codec, encoding_rs::ISO_8859_8, text, errors),
            Self::Cp1252 => general::encode_table(codec, encoding_rs::WINDOWS_1252, text, errors),
            Self::ShiftJis => general::encode_table(codec, encoding_rs::SHIFT_JIS, text, errors),
            Self::EucKr => general::encode_table(codec, encoding_rs::EUC_KR, text, errors),
            Self::Gsm0338(gsm) => gsm.encode(text, errors),
            Self::Gsm0338Packed(gsm) => Ok(gsm.encode(text, errors)?.bytes),
        }
    }

    /// Decodes `bytes`. A byte-order mark is data. Packed GSM 03.38 is read without a septet count; where the
    /// protocol tells it, use [`Gsm0338Packed::decode`].
    ///
    /// # Errors
    /// Bytes that mean nothing in the encoding, as `errors` says; the position counts bytes (septets in the packed
    /// form) from 0. The substitute of mode `replace` is U+FFFD, for GSM 03.38 `?`.
    pub fn decode(self, bytes: &[u8], errors: &ErrorMode) -> Result<String, CodecError> {
        let codec = self.name();
        match self {
            Self::Ascii => general::decode_direct(codec, 0x7F, bytes, errors),
            Self::Latin1 => general::decode_direct(codec, 0xFF, bytes, errors),
            Self::Utf8 => general::decode_utf8(codec, bytes, errors),
            Self::Utf16Be | Self::Ucs2 => ucs2::decode(codec, bytes, ByteOrder::BigEndian, errors),
            Self::Utf16Le => ucs2::decode(codec, bytes, ByteOrder::LittleEndian, errors),
            Self::Iso2022Jp => iso2022_jp::decode(bytes, errors),
            Self::Iso8859_5 => general::decode_single(codec, encoding_rs::ISO_8859_5, bytes, errors),
            Self::Iso8859_8 => general::decode_single(codec, encoding_rs::ISO_8859_8, bytes, errors),
            Self::Cp1252 => general::decode_single(codec, encoding_rs::WINDOWS_1252, bytes, errors),
            Self::ShiftJis => general::decode_multi(codec, encoding_rs::SHIFT_JIS, bytes, errors),
            Self::EucKr => general::decode_multi(codec, encoding_rs::EUC_KR, bytes, errors),
            Self::Gsm0338(gsm) => gsm.decode(bytes, errors),
            Self::Gsm0338Packed(gsm) => gsm.decode(bytes, None, errors),
        }
    }
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
