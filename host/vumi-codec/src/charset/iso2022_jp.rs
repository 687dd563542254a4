//! ISO-2022-JP: seven-bit Japanese that shifts between character sets with escape sequences (RFC 1468).
//!
//! The decoder is our own because of long texts. Each part of a long SMS shifts back to ASCII at its end and the
//! next one shifts away again, so the joined text holds two escape sequences in a row; the web's decoder, which
//! guards against attacks on web pages, takes exactly that for an error and would damage the text at every seam.
//! The characters come from the same table: a pair of JIS X 0208 is the EUC-JP pair without its high bits.

use encoding_rs::{EUC_JP, ISO_2022_JP};

use super::error::{CodecError, ErrorMode, Recovery};
use super::general;

const NAME: &str = "iso2022_jp";

const ESCAPE: u8 = 0x1B;

/// The character set that the last escape sequence chose.
#[derive(Clone, Copy)]
enum Set {
    Ascii,
    /// JIS X 0201 Roman: ASCII but for a yen sign and an overline.
    Roman,
    /// JIS X 0201 Katakana, half width: not in RFC 1468, but sent by some handsets.
    Katakana,
    /// JIS X 0208: two bytes per character.
    Kanji,
}

/// Encodes `text`, starting and ending in ASCII. Half-width katakana become full-width, for RFC 1468 has no other.
pub(crate) fn encode(text: &str, errors: &ErrorMode) -> Result<Vec<u8>, CodecError> {
    general::encode_table(NAME, ISO_2022_JP, text, errors)
}

/// Decodes `bytes`, starting in ASCII. Control characters stand for themselves in every set. A fault is one byte:
/// what follows it is read on its own.
pub(crate) fn decode(bytes: &[u8], errors: &ErrorMode) -> Result<String, CodecError> {
    let mut text = String::with_capacity(bytes.len());
    let mut set = Set::Ascii;
    let mut rest = bytes;
    while let Some((first, after_first)) = rest.split_first() {
        if let Some((chosen, after)) = escape_sequence(rest) {
            set = chosen;
            rest = after;
            continue;
        }
        match character(set, rest) {
            Ok((character, after)) => {
                text.push(character);
                rest = after;
            }
            Err(reason) => {
                let reason = if *first == ESCAPE { "unknown escape sequence" } else { reason };
                let position = bytes.len() - rest.len();
                if errors.undecodable(NAME, position, reason)? == Recovery::Substitute {
                    text.push(char::REPLACEMENT_CHARACTER);
                }
                rest = after_first;
            }
        }
    }
    Ok(text)
}

/// The set that `input` shifts to, if it starts with an escape sequence, and what follows.
fn escape_sequence(input: &[u8]) -> Option<(Set, &[u8])> {
    let (sequence, rest) = input.split_first_chunk::<3>()?;
    let set = match sequence {
        [ESCAPE, b'(', b'B'] => Set::Ascii,
        [ESCAPE, b'(', b'J'] => Set::Roman,
        [ESCAPE, b'(', b'I'] => Set::Katakana,
        [ESCAPE, b'$', b'@' | b'B'] => Set::Kanji,
        _ => return None,
    };
    Some((set, rest))
}

/// The first character of `input` and what follows it.
fn character(set: Set, input: &[u8]) -> Result<(char, &[u8]), &'static str> {
    let (first, rest) = input.split_first().ok_or("no byte")?;
    match (set, *first) {
        (_, ESCAPE | 0x80..) => Err("the byte has no character"),
        (_, control @ 0x00..=0x1F) => Ok((char::from(control), rest)),
        (Set::Roman, 0x5C) => Ok(('¥', rest)),
        (Set::Roman, 0x7E) => Ok(('\u{203E}', rest)),
        (Set::Ascii | Set::Roman, byte) => Ok((char::from(byte), rest)),
        (Set::Katakana, byte @ 0x21..=0x5F) => {
            let number = u32::from(byte) + (0xFF61 - 0x21);
            char::from_u32(number).map(|character| (character, rest)).ok_or("the byte has no character")
        }
        (Set::Katakana, _) => Err("the byte has no character"),
        (Set::Kanji, lead) => {
            let (trail, rest) = rest
                .split_first()
                .filter(|(trail, _)| matches!(**trail, 0x21..=0x7E))
                .ok_or("half of a two-byte character")?;
            EUC_JP
                .decode_without_bom_handling_and_without_replacement(&[lead | 0x80, *trail | 0x80])
                .and_then(|decoded| decoded.chars().next())
                .map(|character| (character, rest))
                .ok_or("the bytes have no character")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: &ErrorMode = &ErrorMode::Strict;

    #[test]
    fn shifts_to_kanji_and_back() {
        let bytes = encode("a日本b", STRICT).unwrap();
        assert_eq!(bytes, b"a\x1B$BF|K\\\x1B(Bb");
        assert_eq!(decode(&bytes, STRICT).unwrap(), "a日本b");
    }

    #[test]
    fn the_joined_parts_of_a_long_text_are_whole() {
        let mut joined = encode("日", STRICT).unwrap();
        joined.extend(encode("本", STRICT).unwrap());
        assert_eq!(decode(&joined, STRICT).unwrap(), "日本");
    }

    #[test]
    fn control_characters_stand_in_every_set() {
        assert_eq!(decode(b"\x1B$BF|\r\nK\\\x1B(I\n1\x1B(B", STRICT).unwrap(), "日\r\n本\nｱ");
    }

    #[test]
    fn roman_and_half_width_katakana() {
        assert_eq!(decode(b"\x1B(J\\~A\x1B(I\x31\x1B(B\\", STRICT).unwrap(), "¥\u{203E}Aｱ\\");
        assert_eq!(encode("ｱ", STRICT).unwrap(), b"\x1B$B%\"\x1B(B");
    }

    #[test]
    fn the_substitute_and_the_end_are_in_ascii() {
        assert_eq!(encode("日😀", &ErrorMode::Replace).unwrap(), b"\x1B$BF|\x1B(B?");
        assert_eq!(
            encode("日\u{1B}本", STRICT),
            Err(CodecError::Unencodable { codec: "iso2022_jp", character: '\u{1B}', position: 1 })
        );
    }

    #[test]
    fn a_dropped_character_leaves_no_escape_sequences() {
        assert_eq!(encode("日😀本", &ErrorMode::Ignore).unwrap(), b"\x1B$BF|K\\\x1B(B");
    }

    #[test]
    fn a_fault_is_one_byte_and_its_position_is_exact() {
        assert_eq!(
            decode(b"a\x1B$A!", STRICT),
            Err(CodecError::Undecodable { codec: "iso2022_jp", position: 1, reason: "unknown escape sequence" })
        );
        assert_eq!(decode(b"a\x1B$A!", &ErrorMode::Replace).unwrap(), "a\u{FFFD}$A!");
        assert_eq!(
            decode(b"\x1B$BF|K", STRICT),
            Err(CodecError::Undecodable { codec: "iso2022_jp", position: 5, reason: "half of a two-byte character" })
        );
        assert_eq!(decode(b"\xB1a", &ErrorMode::Ignore).unwrap(), "a");
    }
}
