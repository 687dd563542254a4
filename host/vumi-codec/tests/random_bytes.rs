//! Garbage for every decoder: each must come back with something, none may panic.
//!
//! The bytes are random but the same in every run, so that a failure can be seen again.

use vumi_codec::charset::{Encoding, ErrorMode, Gsm0338, Gsm0338Packed};
use vumi_codec::data_coding::DataCodings;
use vumi_codec::telnet::{Decoder, LineSplitter, encode};

const RUNS: u64 = 100_000;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// Up to 23 bytes; every other string is rich in the bytes that some decoder treats specially.
    fn bytes(&mut self) -> Vec<u8> {
        const SPECIAL: [u8; 16] =
            [0x00, 0x0A, 0x0D, 0x1B, 0x24, 0x28, 0x42, 0x4A, 0x80, 0xD8, 0xDC, 0xEF, 0xF0, 0xFA, 0xFD, 0xFF];
        let length = self.next() % 24;
        let rich = self.next().is_multiple_of(2);
        (0..length)
            .map(|_| {
                let byte = self.byte();
                let special = SPECIAL.iter().cycle().nth(usize::from(self.byte()));
                special.copied().filter(|_| rich && byte.is_multiple_of(2)).unwrap_or(byte)
            })
            .collect()
    }
}

#[test]
fn no_character_set_panics_and_replace_never_fails() {
    let mut random = Random(1);
    let encodings: Vec<Encoding> = Encoding::NAMES.iter().map(|name| Encoding::by_name(name).unwrap()).collect();
    for _ in 0..RUNS {
        let bytes = random.bytes();
        for encoding in &encodings {
            let strict = encoding.decode(&bytes, &ErrorMode::Strict);
            let replaced = encoding.decode(&bytes, &ErrorMode::Replace);
            assert!(replaced.is_ok(), "{encoding}: {bytes:x?}");
            if strict.is_ok() {
                assert_eq!(strict, replaced, "{encoding}: {bytes:x?}");
            } else {
                let ignored = encoding.decode(&bytes, &ErrorMode::Ignore).unwrap();
                assert_ne!(Ok(ignored), replaced, "{encoding}: {bytes:x?}");
            }
        }
    }
}

#[test]
fn packed_text_with_any_options_and_any_count_does_not_panic() {
    let mut random = Random(2);
    for _ in 0..RUNS {
        let bytes = random.bytes();
        let gsm = Gsm0338Packed::new(Gsm0338::new().legacy_grave(random.byte() < 128))
            .pad_cr(random.byte() < 128)
            .fill_bits(random.byte() % 7)
            .unwrap();
        let count = match random.byte() % 4 {
            0 => None,
            1 => Some(usize::MAX),
            _ => Some(usize::from(random.byte())),
        };
        let text = gsm.decode(&bytes, count, &ErrorMode::Replace).unwrap();
        assert!(text.chars().count() <= 2 * bytes.len() + 1, "{bytes:x?}");
        let _ = gsm.decode(&bytes, count, &ErrorMode::Strict);
    }
}

#[test]
fn no_data_coding_panics() {
    let mut random = Random(3);
    let codings = DataCodings::default();
    for _ in 0..RUNS {
        let data_coding = random.byte();
        codings.decode(data_coding, &random.bytes());
        codings.decode(data_coding % 11, &random.bytes());
    }
}

#[test]
fn telnet_does_not_panic_and_holds_little() {
    let mut random = Random(4);
    let mut decoder = Decoder::new();
    let mut lines = LineSplitter::with_max_line(64);
    for run in 0..RUNS {
        let bytes = random.bytes();
        let decoded = decoder.feed(&bytes);
        assert!(decoded.text.len() <= bytes.len() + 1);
        assert!(decoded.replies.len() <= bytes.len() + 2);
        for line in lines.feed(&decoded.text) {
            // A byte that is not UTF-8 becomes the three of U+FFFD.
            assert!(line.len() <= 3 * 64);
            assert!(!line.contains('\n'));
        }
        if run % 3 == 0 {
            lines.take_partial();
        }
        if run % 1000 == 0 {
            decoder.finish();
            lines.finish();
        }
        encode(&bytes);
    }
}
