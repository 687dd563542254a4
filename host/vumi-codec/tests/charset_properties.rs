//! What must hold for every text in every character set.

use proptest::prelude::*;
use vumi_codec::charset::{Encoding, ErrorMode, Gsm0338, Gsm0338Packed};
use vumi_codec::segments::count_segments;

/// A character of GSM 03.38, extension included.
fn gsm_character() -> impl Strategy<Value = char> {
    let basic = (0_u8..128).prop_filter("the escape is no character", |code| *code != 0x1B);
    let extension = proptest::sample::select(b"\x0A\x14\x28\x29\x2F\x3C\x3D\x3E\x40\x65".to_vec());
    let bytes = prop_oneof![
        4 => basic.prop_map(|code| vec![code]),
        1 => extension.prop_map(|code| vec![0x1B, code]),
    ];
    bytes.prop_filter_map("every code is a character", |bytes| {
        Gsm0338::new().decode(&bytes, &ErrorMode::Strict).ok()?.chars().next()
    })
}

fn gsm_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(gsm_character(), 0..200).prop_map(String::from_iter)
}

/// Text of all planes, with more of the scripts that the tables cover.
fn any_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        proptest::char::range('\0', '\u{17F}'),
        proptest::char::range('А', 'я'),
        proptest::char::range('א', 'ת'),
        proptest::char::range('\u{3000}', '\u{30FF}'),
        proptest::char::range('一', '龥'),
        proptest::char::range('가', '힣'),
        proptest::char::range('\u{FF61}', '\u{FF9F}'),
    ];
    proptest::collection::vec(character, 0..60).prop_map(String::from_iter)
}

fn any_encoding() -> impl Strategy<Value = Encoding> {
    proptest::sample::select(Encoding::NAMES.to_vec())
        .prop_filter_map("every name is known", |name| Encoding::by_name(name).ok())
}

proptest! {
    #[test]
    fn gsm_text_survives(text in gsm_text(), legacy_grave: bool) {
        let gsm = Gsm0338::new().legacy_grave(legacy_grave);
        let text = if legacy_grave { text.replace('§', "`") } else { text };
        let bytes = gsm.encode(&text, &ErrorMode::Strict)?;
        prop_assert!(bytes.iter().all(|byte| *byte < 0x80));
        prop_assert_eq!(gsm.decode(&bytes, &ErrorMode::Strict)?, text);
    }

    #[test]
    fn packed_text_of_every_length_survives_at_every_offset(
        text in gsm_text(),
        fill_bits in 0_u8..=6,
        pad_cr: bool,
    ) {
        let gsm = Gsm0338Packed::new(Gsm0338::new()).pad_cr(pad_cr).fill_bits(fill_bits)?;
        let packed = gsm.encode(&text, &ErrorMode::Strict)?;
        let plain = Gsm0338::new().encode(&text, &ErrorMode::Strict)?;
        prop_assert_eq!(packed.septets, plain.len());
        prop_assert_eq!(
            gsm.decode(&packed.bytes, Some(packed.septets), &ErrorMode::Strict)?,
            text.clone()
        );

        let uncounted = gsm.decode(&packed.bytes, None, &ErrorMode::Strict)?;
        let bits = usize::from(fill_bits) + 7 * packed.septets;
        if pad_cr {
            // The standard doubles a last CR that ends on a byte boundary.
            let doubled = bits.is_multiple_of(8) && text.ends_with('\r');
            prop_assert_eq!(uncounted, text + if doubled { "\r" } else { "" });
        } else {
            let at = bits % 8 == 1 && packed.septets > 0;
            prop_assert_eq!(uncounted, text + if at { "@" } else { "" });
        }
    }

    #[test]
    fn unicode_encodings_take_every_text(text in any_text()) {
        for name in ["utf-8", "utf-16be", "utf-16le", "ucs2"] {
            let encoding = Encoding::by_name(name)?;
            let bytes = encoding.encode(&text, &ErrorMode::Strict)?;
            prop_assert_eq!(encoding.decode(&bytes, &ErrorMode::Strict)?, text.as_str());
        }
    }

    #[test]
    fn what_was_encoded_can_be_decoded_and_is_then_stable(
        text in any_text(),
        encoding in any_encoding(),
    ) {
        for errors in [ErrorMode::Ignore, ErrorMode::Replace] {
            let bytes = encoding.encode(&text, &errors)?;
            let decoded = encoding.decode(&bytes, &ErrorMode::Strict)?;
            prop_assert_eq!(encoding.encode(&decoded, &ErrorMode::Strict)?, bytes);
        }
    }

    #[test]
    fn strict_fails_exactly_where_the_other_modes_differ(
        text in any_text(),
        encoding in any_encoding(),
    ) {
        let faulty = encoding.encode(&text, &ErrorMode::Strict).is_err();
        let bogus = encoding.encode(&text, &ErrorMode::from_name("bogus"));
        prop_assert_eq!(bogus.is_err(), faulty);
        let ignored = encoding.encode(&text, &ErrorMode::Ignore)?;
        let replaced = encoding.encode(&text, &ErrorMode::Replace)?;
        prop_assert_eq!(ignored != replaced, faulty);
    }

    #[test]
    fn segments_hold_their_text(text in prop_oneof![gsm_text(), any_text()]) {
        let segments = count_segments(&text);
        let bytes = segments.encoding.encode(&text, &ErrorMode::Strict)?;
        let width = if segments.encoding == Encoding::Ucs2 { 2 } else { 1 };
        prop_assert_eq!(segments.units * width, bytes.len());
        prop_assert_eq!(segments.count == 1, matches!(segments.per_segment, 160 | 70));
        // Every segment but the last is full, or one unit short of it where a pair did not fit.
        let room = segments.count * segments.per_segment;
        let empty = room - segments.units - segments.remaining;
        prop_assert!(empty < segments.count);
        prop_assert!(segments.count == 1 || segments.remaining < segments.per_segment);
    }
}
