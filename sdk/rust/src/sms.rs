//! How much room a text takes on a phone network.
//!
//! Networks write in the GSM 03.38 alphabet where they can: one septet per character, two for `€ ^ { } [ ] ~ | \` and the
//! form feed. A text with a single character outside of it goes as UCS-2, in units of 16 bits, and so less than half of
//! it fits. One SMS carries 160 septets or 70 units; of a longer text each part carries 153 or 67 (3GPP TS 23.040
//! §9.2.3.24.1). Two codes that belong together never come apart.
//!
//! ```
//! use vumi_sdk::sms;
//!
//! assert_eq!(sms::segments("See you at 8"), 1);
//! assert_eq!(sms::segments(&"a".repeat(161)), 2);
//! assert_eq!(sms::segments(&"ж".repeat(71)), 2);
//! assert!(!sms::is_gsm("naïve"));
//! ```

/// Whether every character is in the GSM 03.38 alphabet.
pub fn is_gsm(text: &str) -> bool {
    text.chars().all(|character| septets(character) > 0)
}

/// How many SMS a text needs; 1 for an empty one.
pub fn segments(text: &str) -> usize {
    let room = Room::of(text);
    match room {
        Room::Gsm(units) => parts(units, 160, 153, text.chars().map(septets)),
        Room::Ucs2(units) => parts(units, 70, 67, text.chars().map(char::len_utf16)),
    }
}

/// Whether a text fits into so many characters: those of GSM 03.38, or 7/16 as many units of UCS-2.
///
/// ```
/// use vumi_sdk::sms;
///
/// assert!(sms::fits(&"a".repeat(160), 160));
/// assert!(sms::fits(&"ж".repeat(70), 160));
/// assert!(!sms::fits(&"ж".repeat(71), 160));
/// ```
pub fn fits(text: &str, characters: usize) -> bool {
    match Room::of(text) {
        Room::Gsm(units) => units <= characters,
        Room::Ucs2(units) => units <= characters * 7 / 16,
    }
}

/// The length of a text, by its alphabet.
enum Room {
    Gsm(usize),
    Ucs2(usize),
}

impl Room {
    fn of(text: &str) -> Self {
        let mut units = 0;
        for character in text.chars() {
            match septets(character) {
                0 => return Self::Ucs2(text.chars().map(char::len_utf16).sum()),
                count => units += count,
            }
        }
        Self::Gsm(units)
    }
}

/// How many septets a character is: 1 or 2, or 0 when it is not in the alphabet.
fn septets(character: char) -> usize {
    match character {
        '\n' | '\r' | ' '..='Z' | '_' | 'a'..='z' => 1,
        '\u{0C}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => 2,
        '£' | '¥' | 'è' | 'é' | 'ù' | 'ì' | 'ò' | 'Ç' | 'Ø' | 'ø' | 'Å' | 'å' | 'Δ' | 'Φ' | 'Γ' | 'Λ' | 'Ω' | 'Π'
        | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' | 'Æ' | 'æ' | 'ß' | 'É' | '¤' | '¡' | 'Ä' | 'Ö' | 'Ñ' | 'Ü' | '§' | '¿' | 'ä' | 'ö'
        | 'ñ' | 'ü' | 'à' => 1,
        _ => 0,
    }
}

fn parts(units: usize, alone: usize, joined: usize, widths: impl Iterator<Item = usize>) -> usize {
    if units <= alone {
        return 1;
    }
    let (mut count, mut used) = (1, 0);
    for width in widths {
        if used + width > joined {
            count += 1;
            used = 0;
        }
        used += width;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two tables of 3GPP TS 23.038 §6.2.1 and §6.2.1.1.
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§\
                         ¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENSION: &str = "\u{0C}^{}\\[~]|€";

    #[test]
    fn the_alphabet_is_the_standards() {
        assert_eq!(BASIC.chars().count(), 127);
        for character in (0..0x3000).filter_map(char::from_u32) {
            let expected = if BASIC.contains(character) { 1 } else { 2 * usize::from(EXTENSION.contains(character)) };
            assert_eq!(septets(character), expected, "{character:?}");
        }
    }

    #[test]
    fn segments_are_those_of_the_host() {
        for (text, expected) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(152), 2),
            ("€".repeat(153), 3),
            ("ж".repeat(70), 1),
            ("ж".repeat(71), 2),
            ("😀".repeat(66), 2),
            ("😀".repeat(67), 3),
            (format!("{}ж", "a".repeat(70)), 2),
        ] {
            assert_eq!(segments(&text), expected, "{text}");
        }
    }
}
