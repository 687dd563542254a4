//! specs/core/codecs.md, its numbered checks in order.

use vumi_codec::charset::{CodecError, Encoding, ErrorMode, Gsm0338, Gsm0338Packed};
use vumi_codec::data_coding::{Content, DataCodingError, DataCodings};

const STRICT: &ErrorMode = &ErrorMode::Strict;
const IGNORE: &ErrorMode = &ErrorMode::Ignore;
const REPLACE: &ErrorMode = &ErrorMode::Replace;

/// The extension table of §2: code after the escape, character.
const EXTENSION: [(u8, char); 9] = [
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

/// The basic table of §2, row by row; `\u{1B}` holds the place of the escape.
const BASIC: &str = concat!(
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞ\u{1B}ÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
);

fn encoding(name: &str) -> Encoding {
    Encoding::by_name(name).unwrap()
}

/// The bytes of a text like `1b3c 61`.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter(|digit| *digit != ' ').map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(16 * pair[0] + pair[1]).unwrap()).collect()
}

fn text(text: &str) -> Content {
    Content::Text { text: text.to_owned(), decode_error: false }
}

#[test]
fn check_01_gsm0338_encode() {
    for (text, hex) in [
        ("ΔΩ@£", "10 15 00 01"),
        ("[a|b]", "1b3c 61 1b40 62 1b3e"),
        ("5€ ~ {ok}", "35 1b65 20 1b3d 20 1b28 6f 6b 1b29"),
        ("Año ¿qué?", "41 7d 6f 20 60 71 75 05 3f"),
        ("Ç\n\r", "09 0a 0d"),
    ] {
        assert_eq!(encoding("gsm0338").encode(text, STRICT).unwrap(), bytes(hex), "{text}");
    }
}

#[test]
fn check_02_gsm0338_error_modes_of_encode() {
    let gsm = encoding("gsm0338");
    assert_eq!(
        gsm.encode("naïve", STRICT),
        Err(CodecError::Unencodable { codec: "gsm0338", character: 'ï', position: 2 })
    );
    assert_eq!(gsm.encode("naïve", IGNORE).unwrap(), bytes("6e 61 76 65"));
    assert_eq!(gsm.encode("naïve", REPLACE).unwrap(), bytes("6e 61 3f 76 65"));
}

#[test]
fn check_03_every_gsm0338_character_survives() {
    let gsm = encoding("gsm0338");
    let mut characters = 0;
    for (code, character) in (0_u8..).zip(BASIC.chars()).filter(|(code, _)| *code != 0x1B) {
        let text = character.to_string();
        assert_eq!(gsm.encode(&text, STRICT).unwrap(), [code]);
        assert_eq!(gsm.decode(&[code], STRICT).unwrap(), text);
        characters += 1;
    }
    assert_eq!(characters, 127);
    for (code, character) in EXTENSION {
        let text = character.to_string();
        assert_eq!(gsm.encode(&text, STRICT).unwrap(), [0x1B, code]);
        assert_eq!(gsm.decode(&[0x1B, code], STRICT).unwrap(), text);
    }
}

#[test]
fn check_04_gsm0338_decode_and_its_error_modes() {
    let gsm = encoding("gsm0338");
    assert_eq!(gsm.decode(&bytes("66 6f 6f 20 1b 65"), STRICT).unwrap(), "foo €");
    let faulty = bytes("5a 6f c3 ab");
    assert!(matches!(gsm.decode(&faulty, STRICT), Err(CodecError::Undecodable { codec: "gsm0338", position: 2, .. })));
    assert_eq!(gsm.decode(&faulty, IGNORE).unwrap(), "Zo");
    assert_eq!(gsm.decode(&faulty, REPLACE).unwrap(), "Zo??");
}

#[test]
fn check_05_section_sign_or_legacy_grave() {
    assert_eq!(encoding("gsm0338").decode(&[0x5F], STRICT).unwrap(), "§");
    let legacy = Encoding::Gsm0338(Gsm0338::new().legacy_grave(true));
    assert_eq!(legacy.decode(&[0x5F], STRICT).unwrap(), "`");
}

#[test]
fn check_06_trailing_escape() {
    let gsm = encoding("gsm0338");
    let trailing = bytes("61 1b");
    assert!(matches!(gsm.decode(&trailing, STRICT), Err(CodecError::Undecodable { position: 1, .. })));
    assert_eq!(gsm.decode(&trailing, REPLACE).unwrap(), "a?");
    assert_eq!(gsm.decode(&trailing, IGNORE).unwrap(), "a");
}

#[test]
fn check_07_undefined_extensions_double_escape_and_form_feed() {
    let gsm = encoding("gsm0338");
    assert_eq!(gsm.decode(&bytes("1b 61"), STRICT).unwrap(), "a");
    assert_eq!(gsm.decode(&bytes("1b 1b"), STRICT).unwrap(), " ");
    assert_eq!(gsm.decode(&bytes("1b 0a"), STRICT).unwrap(), "\u{0C}");
    assert_eq!(gsm.encode("\u{0C}", STRICT).unwrap(), bytes("1b 0a"));
}

#[test]
fn check_08_an_unknown_errors_type_matters_only_when_an_error_occurs() {
    let gsm = encoding("gsm0338");
    let unknown = &ErrorMode::from_name("xmlcharrefreplace");
    assert_eq!(gsm.encode("clean", unknown).unwrap(), b"clean");
    assert_eq!(gsm.decode(b"clean", unknown).unwrap(), "clean");
    for error in [gsm.encode("ï", unknown).unwrap_err(), gsm.decode(&[0xEF], unknown).unwrap_err()] {
        assert!(error.to_string().starts_with("Invalid errors type xmlcharrefreplace"), "{error}");
    }
}

#[test]
fn check_09_ucs2_both_ways() {
    let ucs2 = encoding("ucs2");
    for (text, hex) in [("Zoë", "00 5a 00 6f 00 eb"), ("日本", "65 e5 67 2c"), ("\u{1F600}", "d8 3d de 00")] {
        assert_eq!(ucs2.encode(text, STRICT).unwrap(), bytes(hex), "{text}");
        assert_eq!(ucs2.decode(&bytes(hex), STRICT).unwrap(), text);
    }
}

#[test]
fn check_10_ucs2_odd_length_and_byte_order_mark() {
    let ucs2 = encoding("ucs2");
    assert!(matches!(
        ucs2.decode(&bytes("00 5a 00"), STRICT),
        Err(CodecError::Undecodable { codec: "ucs2", position: 2, .. })
    ));
    assert_eq!(ucs2.decode(&bytes("fe ff 00 5a"), STRICT).unwrap(), "\u{FEFF}Z");
}

#[test]
fn check_11_null_encoding_is_ascii_and_utf8() {
    let null = Encoding::default();
    assert_eq!(null.encode("a", STRICT).unwrap(), bytes("61"));
    assert_eq!(null.encode("ë", STRICT), Err(CodecError::Unencodable { codec: "ascii", character: 'ë', position: 0 }));
    assert_eq!(encoding("utf-8").encode("Zoë", STRICT).unwrap(), bytes("5a 6f c3 ab"));
}

#[test]
fn check_12_packed_encode() {
    let packed = encoding("gsm0338_packed");
    for (text, hex) in [
        ("hello", "e8 32 9b fd 06"),
        ("hellohello", "e8 32 9b fd 46 97 d9 ec 37"),
        ("A", "41"),
        ("12345678", "31 d9 8c 56 b3 dd 70"),
        ("1234567", "31 d9 8c 56 b3 dd 00"),
    ] {
        assert_eq!(packed.encode(text, STRICT).unwrap(), bytes(hex), "{text}");
    }
    let padded = Gsm0338Packed::new(Gsm0338::new()).pad_cr(true);
    assert_eq!(padded.encode("1234567", STRICT).unwrap().bytes, bytes("31 d9 8c 56 b3 dd 1a"));
}

#[test]
fn check_13_packed_decode() {
    let packed = Gsm0338Packed::new(Gsm0338::new());
    let input = bytes("31 d9 8c 56 b3 dd 00");
    assert_eq!(packed.decode(&input, Some(7), STRICT).unwrap(), "1234567");
    assert_eq!(packed.decode(&input, None, STRICT).unwrap(), "1234567@");
    assert_eq!(encoding("gsm0338_packed").decode(&input, STRICT).unwrap(), "1234567@");
}

#[test]
fn check_14_data_codings() {
    assert_eq!(DataCodings::default().decode(8, &bytes("00 48 00 69")), text("Hi"));
    let overridden = DataCodings::new(None).with_overrides([("0", "gsm0338")]).unwrap();
    assert_eq!(overridden.decode(0, &[0x00]), text("@"));
    assert_eq!(
        DataCodings::default().with_overrides([("x", "gsm0338")]),
        Err(DataCodingError::Key { key: "x".to_owned() })
    );
}
