//! How many SMS a text needs.
//!
//! One SMS carries 140 bytes: 160 characters of GSM 03.38, or 70 units of UCS-2 when the text has a character that
//! GSM 03.38 lacks. A longer text travels in parts, and each part gives six bytes to the header that joins them:
//! 153 septets or 67 units are left (3GPP TS 23.040 §9.2.3.24.1). Two codes that belong together, an escape and
//! its code or the halves of a surrogate pair, never come apart, so that every part can be read on its own.

use crate::charset::{Encoding, Gsm0338, Septets};

/// What a text needs on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// [`Encoding::Gsm0338`] where the text fits, else [`Encoding::Ucs2`].
    pub encoding: Encoding,
    /// Length of the text: septets of GSM 03.38 (an extended character is two) or UTF-16 units.
    pub units: usize,
    /// How many units one SMS of this text can carry: 160 or 70 if it is one SMS, else 153 or 67.
    pub per_segment: usize,
    /// How many SMS the text needs. An empty text is one SMS.
    pub count: usize,
    /// How many units the last SMS has left.
    pub remaining: usize,
}

/// Counts the SMS that `text` needs: in GSM 03.38 if every character is in it, else in UCS-2.
///
/// A network that joins parts by an 8-bit number allows 255 of them; whether to send more is the caller's business.
pub fn count_segments(text: &str) -> Segments {
    let gsm = Gsm0338::new();
    let septets: Option<Vec<usize>> =
        text.chars().map(|character| gsm.septets(character).map(Septets::count)).collect();
    match septets {
        Some(widths) => fill(Encoding::Gsm0338(gsm), 160, 153, widths.into_iter()),
        None => fill(Encoding::Ucs2, 70, 67, text.chars().map(char::len_utf16)),
    }
}

/// Fills segments with characters of these widths (1 or 2 units).
fn fill(encoding: Encoding, alone: usize, joined: usize, widths: impl Iterator<Item = usize> + Clone) -> Segments {
    let units = widths.clone().sum();
    if units <= alone {
        return Segments { encoding, units, per_segment: alone, count: 1, remaining: alone - units };
    }
    let mut count = 1;
    let mut used = 0;
    for width in widths {
        if used + width > joined {
            count += 1;
            used = 0;
        }
        used += width;
    }
    Segments { encoding, units, per_segment: joined, count, remaining: joined - used }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GSM: Encoding = Encoding::Gsm0338(Gsm0338::new());

    fn counted(text: &str) -> (Encoding, usize, usize, usize, usize) {
        let segments = count_segments(text);
        (segments.encoding, segments.units, segments.per_segment, segments.count, segments.remaining)
    }

    #[test]
    fn gsm_text_has_160_then_153_septets() {
        assert_eq!(counted(""), (GSM, 0, 160, 1, 160));
        assert_eq!(counted("Zo é"), (GSM, 4, 160, 1, 156));
        assert_eq!(counted(&"a".repeat(160)), (GSM, 160, 160, 1, 0));
        assert_eq!(counted(&"a".repeat(161)), (GSM, 161, 153, 2, 145));
        assert_eq!(counted(&"a".repeat(306)), (GSM, 306, 153, 2, 0));
        assert_eq!(counted(&"a".repeat(307)), (GSM, 307, 153, 3, 152));
    }

    #[test]
    fn an_extended_character_is_two_septets_that_stay_together() {
        assert_eq!(counted(&"€".repeat(80)), (GSM, 160, 160, 1, 0));
        // 153 is odd: each part holds 76 euros and leaves one septet empty.
        assert_eq!(counted(&"€".repeat(152)), (GSM, 304, 153, 2, 1));
        assert_eq!(counted(&"€".repeat(153)), (GSM, 306, 153, 3, 151));
    }

    #[test]
    fn other_text_has_70_then_67_units() {
        assert_eq!(counted(&"ж".repeat(70)), (Encoding::Ucs2, 70, 70, 1, 0));
        assert_eq!(counted(&"ж".repeat(71)), (Encoding::Ucs2, 71, 67, 2, 63));
        // One character outside GSM 03.38 changes the whole text.
        let mostly_gsm = format!("{}ж", "a".repeat(70));
        assert_eq!(counted(&mostly_gsm), (Encoding::Ucs2, 71, 67, 2, 63));
    }

    #[test]
    fn the_halves_of_a_surrogate_pair_stay_together() {
        assert_eq!(counted(&"😀".repeat(35)), (Encoding::Ucs2, 70, 70, 1, 0));
        // 67 is odd: each part holds 33 and leaves one unit empty.
        assert_eq!(counted(&"😀".repeat(66)), (Encoding::Ucs2, 132, 67, 2, 1));
        assert_eq!(counted(&"😀".repeat(67)), (Encoding::Ucs2, 134, 67, 3, 65));
    }

    #[test]
    fn the_grave_accent_is_not_in_the_alphabet() {
        assert_eq!(count_segments("`").encoding, Encoding::Ucs2);
        assert_eq!(count_segments("§").encoding, GSM);
    }
}
