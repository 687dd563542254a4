//! The general encodings: ASCII, Latin-1 and UTF-8 by hand, the others from the tables of `encoding_rs`.
//!
//! `encoding_rs` follows the web's Encoding Standard, where the names `ascii` and `latin1` mean Windows-1252;
//! here they mean what they say, as in Vumi. Elsewhere the web's tables are supersets of the national standards
//! (Shift_JIS has the vendor characters of Windows-31J, EUC-KR all of modern Hangul), which is what networks send.
//! Differences that would lose text are mended below and named where they are.

use encoding_rs::DecoderResult;

use super::error::{CodecError, ErrorMode, Recovery};

/// Encodes `text` where a character's code is its Unicode number: ASCII (`last` 0x7F) or Latin-1 (0xFF).
pub(crate) fn encode_direct(
    codec: &'static str,
    last: u8,
    text: &str,
    errors: &ErrorMode,
) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(text.len());
    for (position, character) in text.chars().enumerate() {
        match u8::try_from(character) {
            Ok(code) if code <= last => bytes.push(code),
            _ => {
                if errors.unencodable(codec, character, position)? == Recovery::Substitute {
                    bytes.push(b'?');
                }
            }
        }
    }
    Ok(bytes)
}

/// Decodes `bytes` where a character's code is its Unicode number.
pub(crate) fn decode_direct(
    codec: &'static str,
    last: u8,
    bytes: &[u8],
    errors: &ErrorMode,
) -> Result<String, CodecError> {
    decode_each(codec, bytes, errors, |byte| Some(char::from(byte)).filter(|_| byte <= last))
}

/// Decodes UTF-8. One fault is the longest start of a character that breaks off, as Unicode recommends.
pub(crate) fn decode_utf8(codec: &'static str, bytes: &[u8], errors: &ErrorMode) -> Result<String, CodecError> {
    let mut text = String::with_capacity(bytes.len());
    let mut position = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        position += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            let reason = "the bytes are not UTF-8";
            if errors.undecodable(codec, position, reason)? == Recovery::Substitute {
                text.push(char::REPLACEMENT_CHARACTER);
            }
            position += chunk.invalid().len();
        }
    }
    Ok(text)
}

/// Encodes `text` by a table.
pub(crate) fn encode_table(
    codec: &'static str,
    table: &'static encoding_rs::Encoding,
    text: &str,
    errors: &ErrorMode,
) -> Result<Vec<u8>, CodecError> {
    // Faults are settled first, one character at a time, and the clean text is encoded in one go: ISO-2022-JP
    // has a state, which a fault in the middle would make shift to and fro.
    let mut clean = String::with_capacity(text.len());
    for (position, original) in text.chars().enumerate() {
        let character = japanese_twin(table, original).unwrap_or(original);
        if has(table, character) {
            clean.push(character);
        } else if errors.unencodable(codec, original, position)? == Recovery::Substitute {
            clean.push('?');
        }
    }
    let (bytes, _, _) = table.encode(&clean);
    Ok(bytes.into_owned())
}

/// Whether a table has this character.
fn has(table: &'static encoding_rs::Encoding, character: char) -> bool {
    if matches!(character, ' '..='~') {
        return true;
    }
    let mut buffer = [0; 4];
    let (_, _, faulty) = table.encode(character.encode_utf8(&mut buffer));
    !faulty && !is_hole(table, character)
}

/// Some characters of JIS X 0208 exist twice in Unicode. Of these the web's tables know only the wide twin and
/// Vumi's knew only the other; both are encoded.
fn japanese_twin(table: &'static encoding_rs::Encoding, character: char) -> Option<char> {
    if table != encoding_rs::SHIFT_JIS && table != encoding_rs::ISO_2022_JP {
        return None;
    }
    match character {
        '\u{301C}' => Some('\u{FF5E}'), // wave dash
        '\u{2016}' => Some('\u{2225}'), // double vertical line
        '\u{00A2}' => Some('\u{FFE0}'), // cent
        '\u{00A3}' => Some('\u{FFE1}'), // pound
        '\u{00AC}' => Some('\u{FFE2}'), // not
        _ => None,
    }
}

/// Decodes `bytes` with one byte per character by a table.
pub(crate) fn decode_single(
    codec: &'static str,
    table: &'static encoding_rs::Encoding,
    bytes: &[u8],
    errors: &ErrorMode,
) -> Result<String, CodecError> {
    decode_each(codec, bytes, errors, |byte| {
        table
            .decode_without_bom_handling_and_without_replacement(&[byte])?
            .chars()
            .next()
            .filter(|character| !is_hole(table, *character))
    })
}

/// The five bytes that Windows-1252 leaves undefined; the web's table fills them with control characters, which
/// would let garbage pass as text.
fn is_hole(table: &'static encoding_rs::Encoding, character: char) -> bool {
    table == encoding_rs::WINDOWS_1252 && matches!(character, '\u{80}'..='\u{9F}')
}

fn decode_each(
    codec: &'static str,
    bytes: &[u8],
    errors: &ErrorMode,
    character: impl Fn(u8) -> Option<char>,
) -> Result<String, CodecError> {
    let mut text = String::with_capacity(bytes.len());
    for (position, byte) in bytes.iter().enumerate() {
        if let Some(character) = character(*byte) {
            text.push(character);
        } else {
            let reason = "the byte has no character";
            if errors.undecodable(codec, position, reason)? == Recovery::Substitute {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
    Ok(text)
}

/// Decodes `bytes` by a table in which a character takes several bytes.
pub(crate) fn decode_multi(
    codec: &'static str,
    table: &'static encoding_rs::Encoding,
    bytes: &[u8],
    errors: &ErrorMode,
) -> Result<String, CodecError> {
    let mut decoder = table.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut read = 0_usize;
    loop {
        let room = decoder.max_utf8_buffer_length_without_replacement(rest.len());
        text.reserve(room.unwrap_or(rest.len()).max(16));
        let (result, consumed) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        rest = rest.get(consumed..).unwrap_or_default();
        read += consumed;
        match result {
            DecoderResult::InputEmpty => return Ok(text),
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, after) => {
                let position = read.saturating_sub(usize::from(length) + usize::from(after));
                let reason = "the bytes have no character";
                if errors.undecodable(codec, position, reason)? == Recovery::Substitute {
                    text.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
    }
}
