//! GSM 03.38, the alphabet of the SMS: 127 characters in seven bits, and a few more behind an escape.
//!
//! A *septet* is one seven-bit code. Here every septet fills a byte of its own, as SMPP sends them; the form that
//! packs eight septets into seven bytes is [`super::Gsm0338Packed`]. The tables are those of 3GPP TS 23.038
//! §6.2.1 and §6.2.1.1.

use super::error::{CodecError, ErrorMode, Recovery};

const NAME: &str = "gsm0338";

/// Announces a code of the extension table.
const ESCAPE: u8 = 0x1B;

/// Stands for what cannot be encoded or decoded; the same code in GSM 03.38 as in ASCII.
const SUBSTITUTE: u8 = b'?';

/// The code whose character Vumi had wrong: `§`, read there as a grave accent.
const SECTION_SIGN: u8 = 0x5F;

/// The basic table; the code is the index. The place of the escape holds U+001B, which is never encoded and,
/// as ESC ESC, decodes to a space.
#[rustfmt::skip]
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1B}', 'Æ', 'æ', 'ß', 'É',
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table: what an escape before a code means.
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// The codes of one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Septets {
    /// One septet of the basic table.
    Basic(u8),
    /// An escape and this septet.
    Extended(u8),
}

impl Septets {
    /// How many septets these are: 1 or 2.
    pub(crate) fn count(self) -> usize {
        match self {
            Self::Basic(_) => 1,
            Self::Extended(_) => 2,
        }
    }
}

/// GSM 03.38 with one septet per byte (`gsm0338`; specification of the codecs, §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gsm0338 {
    legacy_grave: bool,
}

impl Gsm0338 {
    /// The alphabet of the standard.
    pub const fn new() -> Self {
        Self { legacy_grave: false }
    }

    /// Chooses what code 0x5F is: `§` as in the standard (false), or a grave accent as in Vumi (true). The
    /// character that is not chosen cannot be encoded.
    #[must_use]
    pub const fn legacy_grave(self, legacy_grave: bool) -> Self {
        Self { legacy_grave }
    }

    /// Encodes `text`, one septet per byte. The length of the result is the length of the text in septets.
    ///
    /// # Errors
    /// A character outside the alphabet, as `errors` says; its position counts characters.
    pub fn encode(self, text: &str, errors: &ErrorMode) -> Result<Vec<u8>, CodecError> {
        self.encode_as(NAME, text, errors)
    }

    /// Decodes bytes that hold one septet each.
    ///
    /// An escape before a code that the extension table lacks gives the character of the basic table, as the
    /// standard recommends to receivers; two escapes give a space.
    ///
    /// # Errors
    /// A byte above 0x7F (with the escape before it, if there is one), or an escape at the end, as `errors` says.
    pub fn decode(self, bytes: &[u8], errors: &ErrorMode) -> Result<String, CodecError> {
        self.decode_as(NAME, bytes, errors)
    }

    /// The codes of `character`, or none when it is not in the alphabet.
    pub(crate) fn septets(self, character: char) -> Option<Septets> {
        self.basic_code(character).map(Septets::Basic).or_else(|| {
            EXTENSION.iter().find(|(_, extended)| *extended == character).map(|(code, _)| Septets::Extended(*code))
        })
    }

    /// [`Gsm0338::encode`] in the name of another codec.
    pub(crate) fn encode_as(self, codec: &'static str, text: &str, errors: &ErrorMode) -> Result<Vec<u8>, CodecError> {
        let mut septets = Vec::with_capacity(text.len());
        for (position, character) in text.chars().enumerate() {
            match self.septets(character) {
                Some(Septets::Basic(code)) => septets.push(code),
                Some(Septets::Extended(code)) => septets.extend([ESCAPE, code]),
                None => {
                    if errors.unencodable(codec, character, position)? == Recovery::Substitute {
                        septets.push(SUBSTITUTE);
                    }
                }
            }
        }
        Ok(septets)
    }

    /// [`Gsm0338::decode`] in the name of another codec.
    pub(crate) fn decode_as(
        self,
        codec: &'static str,
        septets: &[u8],
        errors: &ErrorMode,
    ) -> Result<String, CodecError> {
        let mut text = String::with_capacity(septets.len());
        let mut input = septets.iter().copied().enumerate();
        while let Some((position, code)) = input.next() {
            let character = if code == ESCAPE {
                match input.next() {
                    Some((_, code)) => self.extension_character(code).ok_or("the byte after the escape is above 0x7F"),
                    None => Err("an escape is the last byte"),
                }
            } else {
                self.basic_character(code).ok_or("the byte is above 0x7F")
            };
            match character {
                Ok(character) => text.push(character),
                Err(reason) => {
                    if errors.undecodable(codec, position, reason)? == Recovery::Substitute {
                        text.push(char::from(SUBSTITUTE));
                    }
                }
            }
        }
        Ok(text)
    }

    fn basic_code(self, character: char) -> Option<u8> {
        match character {
            // Nearly all of a text: these have the code that they have in ASCII.
            ' '..='#' | '%'..='?' | 'A'..='Z' | 'a'..='z' => u8::try_from(character).ok(),
            '\u{1B}' => None,
            '`' if self.legacy_grave => Some(SECTION_SIGN),
            '§' if self.legacy_grave => None,
            _ => BASIC.iter().position(|basic| *basic == character).and_then(|code| u8::try_from(code).ok()),
        }
    }

    fn basic_character(self, code: u8) -> Option<char> {
        match code {
            SECTION_SIGN if self.legacy_grave => Some('`'),
            _ => BASIC.get(usize::from(code)).copied(),
        }
    }

    fn extension_character(self, code: u8) -> Option<char> {
        if code == ESCAPE {
            // Reserved for a further table that was never made; the standard says: show a space.
            return Some(' ');
        }
        EXTENSION
            .iter()
            .find(|(extended, _)| *extended == code)
            .map(|(_, character)| *character)
            .or_else(|| self.basic_character(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: &ErrorMode = &ErrorMode::Strict;
    const IGNORE: &ErrorMode = &ErrorMode::Ignore;
    const REPLACE: &ErrorMode = &ErrorMode::Replace;

    #[test]
    fn the_two_codes_of_an_extended_character_are_an_escape_and_its_code() {
        let gsm = Gsm0338::new();
        assert_eq!(gsm.encode("^€", STRICT).unwrap(), [0x1B, 0x14, 0x1B, 0x65]);
        assert_eq!(gsm.septets('€').map(Septets::count), Some(2));
        assert_eq!(gsm.septets('e').map(Septets::count), Some(1));
        assert_eq!(gsm.septets('ë'), None);
    }

    #[test]
    fn an_escape_before_what_the_extension_lacks() {
        let gsm = Gsm0338::new();
        assert_eq!(gsm.decode(&[0x1B, 0x61, 0x1B, 0x1B, 0x1B, 0x0A], STRICT).unwrap(), "a \u{0C}");
    }

    #[test]
    fn the_short_cut_for_ascii_agrees_with_the_table() {
        let gsm = Gsm0338::new();
        for (code, character) in BASIC.iter().enumerate() {
            if *character != '\u{1B}' {
                assert_eq!(gsm.basic_code(*character).map(usize::from), Some(code));
            }
        }
        assert_eq!(BASIC.iter().collect::<std::collections::BTreeSet<_>>().len(), 128);
    }

    #[test]
    fn the_grave_accent_and_the_section_sign_exclude_each_other() {
        let standard = Gsm0338::new();
        assert_eq!(standard.encode("§", STRICT).unwrap(), [0x5F]);
        assert!(standard.encode("`", STRICT).is_err());
        let legacy = Gsm0338::new().legacy_grave(true);
        assert_eq!(legacy.encode("`", STRICT).unwrap(), [0x5F]);
        assert!(legacy.encode("§", STRICT).is_err());
        assert_eq!(legacy.decode(&[0x5F], STRICT).unwrap(), "`");
        assert_eq!(legacy.decode(&[0x1B, 0x5F], STRICT).unwrap(), "`");
    }

    #[test]
    fn an_escape_character_in_a_text_has_no_code() {
        let gsm = Gsm0338::new();
        assert_eq!(
            gsm.encode("a\u{1B}", STRICT),
            Err(CodecError::Unencodable { codec: "gsm0338", character: '\u{1B}', position: 1 })
        );
        assert_eq!(gsm.encode("a\u{1B}b", REPLACE).unwrap(), b"a?b");
    }

    #[test]
    fn a_high_byte_after_an_escape_is_one_fault() {
        let gsm = Gsm0338::new();
        let bytes = [0x61, 0x1B, 0xC3, 0x62];
        assert_eq!(
            gsm.decode(&bytes, STRICT),
            Err(CodecError::Undecodable {
                codec: "gsm0338",
                position: 1,
                reason: "the byte after the escape is above 0x7F"
            })
        );
        assert_eq!(gsm.decode(&bytes, IGNORE).unwrap(), "ab");
        assert_eq!(gsm.decode(&bytes, REPLACE).unwrap(), "a?b");
    }

    #[test]
    fn the_position_counts_characters_when_encoding_and_bytes_when_decoding() {
        let gsm = Gsm0338::new();
        assert!(matches!(gsm.encode("€€ï", STRICT), Err(CodecError::Unencodable { position: 2, .. })));
        assert!(matches!(
            gsm.decode(&[0x1B, 0x65, 0x1B, 0x65, 0x80], STRICT),
            Err(CodecError::Undecodable { position: 4, .. })
        ));
    }
}
