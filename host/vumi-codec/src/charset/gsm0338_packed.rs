//! GSM 03.38 in its packed form: eight septets in seven bytes, as on the radio link.
//!
//! Some message centres and USSD gateways want the packed bytes. Septet *i* fills the bits 7*i* to 7*i* + 6 of the
//! bit stream, lowest bit first, and what is left of the last byte is zero (3GPP TS 23.038 §6.1.2). Where the text
//! follows a user data header, a few *fill bits* come first, so that septets start on a septet boundary counted
//! from the header's start.

use super::error::{CodecError, ErrorMode, Recovery};
use super::gsm0338::Gsm0338;

const NAME: &str = "gsm0338_packed";

const CARRIAGE_RETURN: u8 = 0x0D;

/// More would be a whole septet, which no header leaves open.
const MAX_FILL_BITS: u8 = 6;

/// GSM 03.38, packed (`gsm0338_packed`; specification of the codecs, §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gsm0338Packed {
    alphabet: Gsm0338,
    pad_cr: bool,
    fill_bits: u8,
}

/// A packed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The bytes, fill bits (zero) included.
    pub bytes: Vec<u8>,
    /// How many septets the text has, padding not counted: what [`Gsm0338Packed::decode`] wants back.
    pub septets: usize,
}

impl Gsm0338Packed {
    /// The packed form of `alphabet`, without CR padding and without fill bits.
    pub const fn new(alphabet: Gsm0338) -> Self {
        Self { alphabet, pad_cr: false, fill_bits: 0 }
    }

    /// Whether a CR fills the last byte where seven zero bits would read as `@`, as USSD asks for
    /// (3GPP TS 23.038 §6.1.2.3.1). Decoding without a count then removes a CR that ends on a byte boundary.
    #[must_use]
    pub const fn pad_cr(self, pad_cr: bool) -> Self {
        Self { pad_cr, ..self }
    }

    /// How many bits stand before the first septet, 0 to 6. They are zero when encoding and skipped when decoding.
    ///
    /// # Errors
    /// [`CodecError::FillBits`] above 6.
    pub fn fill_bits(self, fill_bits: u8) -> Result<Self, CodecError> {
        if fill_bits > MAX_FILL_BITS {
            return Err(CodecError::FillBits { fill_bits });
        }
        Ok(Self { fill_bits, ..self })
    }

    /// Encodes and packs `text`. An empty text gives no bytes.
    ///
    /// With `pad_cr`, a text that itself ends in CR on a byte boundary gets one CR more, as the standard says:
    /// the receiver would else take the text's own CR for padding.
    ///
    /// # Errors
    /// A character outside the alphabet, as `errors` says; its position counts characters.
    pub fn encode(self, text: &str, errors: &ErrorMode) -> Result<Packed, CodecError> {
        let mut codes = self.alphabet.encode_as(NAME, text, errors)?;
        let septets = codes.len();
        if self.pad_cr && septets > 0 {
            let free_bits = self.free_bits(septets);
            let ambiguous = free_bits == 0 && codes.last() == Some(&CARRIAGE_RETURN);
            if free_bits == 7 || ambiguous {
                codes.push(CARRIAGE_RETURN);
            }
        }
        Ok(Packed { bytes: self.pack(&codes), septets })
    }

    /// Unpacks and decodes `bytes`. `septets` is the length of the text where the protocol tells it; without it
    /// every whole septet counts, so that seven zero bits at the end read as `@`.
    ///
    /// # Errors
    /// An escape as last septet, or fewer septets than announced, as `errors` says; the position counts septets.
    pub fn decode(self, bytes: &[u8], septets: Option<usize>, errors: &ErrorMode) -> Result<String, CodecError> {
        let available = bytes.len().saturating_mul(8).saturating_sub(usize::from(self.fill_bits)) / 7;
        let wanted = septets.unwrap_or(available);
        let mut codes = self.unpack(bytes, wanted.min(available));
        if septets.is_none()
            && self.pad_cr
            && codes.last() == Some(&CARRIAGE_RETURN)
            && self.free_bits(codes.len()) == 0
        {
            codes.pop();
        }
        let mut text = self.alphabet.decode_as(NAME, &codes, errors)?;
        if wanted > available {
            let reason = "the bytes hold fewer septets than announced";
            if errors.undecodable(NAME, available, reason)? == Recovery::Substitute {
                text.push('?');
            }
        }
        Ok(text)
    }

    /// How many bits of the last byte stay free after so many septets: 0 to 7.
    fn free_bits(self, septets: usize) -> usize {
        let used = (septets % 8) * 7 + usize::from(self.fill_bits);
        (8 - used % 8) % 8
    }

    fn pack(self, codes: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(codes.len() + 1);
        if codes.is_empty() {
            return bytes;
        }
        let mut window = 0_u16;
        let mut filled = u32::from(self.fill_bits);
        for code in codes {
            window |= u16::from(*code) << filled;
            filled += 7;
            if filled >= 8 {
                let [low, high] = window.to_le_bytes();
                bytes.push(low);
                window = u16::from(high);
                filled -= 8;
            }
        }
        if filled > 0 {
            let [low, _] = window.to_le_bytes();
            bytes.push(low);
        }
        bytes
    }

    fn unpack(self, bytes: &[u8], septets: usize) -> Vec<u8> {
        let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
        (0..septets)
            .map(|septet| {
                let bit = usize::from(self.fill_bits) + 7 * septet;
                let window = u16::from_le_bytes([byte(bit / 8), byte(bit / 8 + 1)]);
                let [low, _] = (window >> (bit % 8)).to_le_bytes();
                low & 0x7F
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: &ErrorMode = &ErrorMode::Strict;

    fn packed() -> Gsm0338Packed {
        Gsm0338Packed::new(Gsm0338::new())
    }

    #[test]
    fn the_septet_count_leaves_padding_out() {
        let seven = packed().pad_cr(true).encode("1234567", STRICT).unwrap();
        assert_eq!(seven.septets, 7);
        assert_eq!(seven.bytes.len(), 7);
        assert_eq!(packed().decode(&seven.bytes, Some(7), STRICT).unwrap(), "1234567");
        assert_eq!(packed().pad_cr(true).decode(&seven.bytes, None, STRICT).unwrap(), "1234567");
        assert_eq!(packed().decode(&seven.bytes, None, STRICT).unwrap(), "1234567\r");
    }

    #[test]
    fn a_last_cr_of_the_text_is_not_taken_for_padding() {
        let ussd = packed().pad_cr(true);
        let eight = ussd.encode("1234567\r", STRICT).unwrap();
        assert_eq!(eight.septets, 8);
        assert_eq!(ussd.decode(&eight.bytes, None, STRICT).unwrap(), "1234567\r\r");
        let five = ussd.encode("1234\r", STRICT).unwrap();
        assert_eq!(ussd.decode(&five.bytes, None, STRICT).unwrap(), "1234\r");
    }

    #[test]
    fn fill_bits_shift_the_first_septet() {
        let shifted = packed().fill_bits(1).unwrap();
        assert_eq!(shifted.encode("A", STRICT).unwrap().bytes, [0x82]);
        assert_eq!(shifted.encode("AA", STRICT).unwrap().bytes, [0x82, 0x41]);
        // After the six bytes of a concatenation header the text starts one bit into the seventh byte; what the
        // header leaves in that bit is not ours.
        assert_eq!(shifted.decode(&[0x83, 0x41], None, STRICT).unwrap(), "AA");
        assert_eq!(packed().fill_bits(7), Err(CodecError::FillBits { fill_bits: 7 }));
    }

    #[test]
    fn padding_looks_at_the_bits_left_whatever_the_offset() {
        // Two fill bits and one septet fill nine bits: seven are free.
        let ussd = packed().pad_cr(true).fill_bits(2).unwrap();
        let one = ussd.encode("A", STRICT).unwrap();
        assert_eq!(one.septets, 1);
        assert_eq!(ussd.decode(&one.bytes, None, STRICT).unwrap(), "A");
        assert_eq!(packed().fill_bits(2).unwrap().decode(&one.bytes, None, STRICT).unwrap(), "A\r");
    }

    #[test]
    fn a_count_beyond_the_bytes_is_a_fault() {
        let bytes = [0x41];
        assert_eq!(
            packed().decode(&bytes, Some(3), STRICT),
            Err(CodecError::Undecodable {
                codec: "gsm0338_packed",
                position: 1,
                reason: "the bytes hold fewer septets than announced"
            })
        );
        assert_eq!(packed().decode(&bytes, Some(usize::MAX), &ErrorMode::Ignore).unwrap(), "A");
        assert_eq!(packed().decode(&bytes, Some(3), &ErrorMode::Replace).unwrap(), "A?");
    }

    #[test]
    fn nothing_packs_to_nothing() {
        let shifted = packed().pad_cr(true).fill_bits(1).unwrap();
        assert!(shifted.encode("", STRICT).unwrap().bytes.is_empty());
        assert_eq!(shifted.decode(&[], None, STRICT).unwrap(), "");
    }
}
