//! UCS-2 and UTF-16 without a byte-order mark: two bytes per unit, surrogate pairs included.
//!
//! The SMS standards say UCS-2, handsets send UTF-16: an emoji arrives as a surrogate pair. `ucs2` is therefore
//! UTF-16 with the high byte first. A leading FE FF is data (U+FEFF), not a mark (specification of the codecs, §3).

use super::error::{CodecError, ErrorMode, Recovery};

/// Which byte of a unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    /// The high byte, as SMS and SMPP send it.
    BigEndian,
    /// The low byte.
    LittleEndian,
}

/// Encodes `text`. Every text can be encoded: a Rust string holds no unpaired surrogate.
pub(crate) fn encode(text: &str, order: ByteOrder) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| match order {
            ByteOrder::BigEndian => unit.to_be_bytes(),
            ByteOrder::LittleEndian => unit.to_le_bytes(),
        })
        .collect()
}

/// Decodes `bytes` in the name of `codec`. Faults are an unpaired surrogate and a single byte at the end; the
/// position counts bytes, the substitute is U+FFFD.
pub(crate) fn decode(
    codec: &'static str,
    bytes: &[u8],
    order: ByteOrder,
    errors: &ErrorMode,
) -> Result<String, CodecError> {
    let mut text = String::with_capacity(bytes.len());
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| match order {
        ByteOrder::BigEndian => u16::from_be_bytes(*pair),
        ByteOrder::LittleEndian => u16::from_le_bytes(*pair),
    });
    let mut position = 0;
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(character) => {
                text.push(character);
                position += 2 * character.len_utf16();
            }
            Err(_) => {
                let reason = "a surrogate without its other half";
                if errors.undecodable(codec, position, reason)? == Recovery::Substitute {
                    text.push(char::REPLACEMENT_CHARACTER);
                }
                position += 2;
            }
        }
    }
    if !rest.is_empty() {
        let reason = "the number of bytes is odd";
        if errors.undecodable(codec, position, reason)? == Recovery::Substitute {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_be(bytes: &[u8], errors: &ErrorMode) -> Result<String, CodecError> {
        decode("ucs2", bytes, ByteOrder::BigEndian, errors)
    }

    #[test]
    fn both_byte_orders() {
        assert_eq!(encode("Zë", ByteOrder::BigEndian), [0, 0x5A, 0, 0xEB]);
        assert_eq!(encode("Zë", ByteOrder::LittleEndian), [0x5A, 0, 0xEB, 0]);
        assert_eq!(decode("utf-16le", &[0x5A, 0, 0xEB, 0], ByteOrder::LittleEndian, &ErrorMode::Strict).unwrap(), "Zë");
    }

    #[test]
    fn an_unpaired_surrogate_is_a_fault_of_two_bytes() {
        // U+1F600, a high surrogate alone, then A.
        let bytes = [0xD8, 0x3D, 0xDE, 0x00, 0xD8, 0x3D, 0x00, 0x41];
        assert_eq!(
            decode_be(&bytes, &ErrorMode::Strict),
            Err(CodecError::Undecodable { codec: "ucs2", position: 4, reason: "a surrogate without its other half" })
        );
        assert_eq!(decode_be(&bytes, &ErrorMode::Ignore).unwrap(), "😀A");
        assert_eq!(decode_be(&bytes, &ErrorMode::Replace).unwrap(), "😀\u{FFFD}A");
    }

    #[test]
    fn an_odd_byte_is_a_fault_at_the_end() {
        let bytes = [0x00, 0x5A, 0x00];
        assert!(matches!(decode_be(&bytes, &ErrorMode::Strict), Err(CodecError::Undecodable { position: 2, .. })));
        assert_eq!(decode_be(&bytes, &ErrorMode::Ignore).unwrap(), "Z");
        assert_eq!(decode_be(&bytes, &ErrorMode::Replace).unwrap(), "Z\u{FFFD}");
    }
}
