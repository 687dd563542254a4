//! The registry, and the general encodings through it.

use super::*;

const STRICT: &ErrorMode = &ErrorMode::Strict;
const IGNORE: &ErrorMode = &ErrorMode::Ignore;
const REPLACE: &ErrorMode = &ErrorMode::Replace;

fn named(name: &str) -> Encoding {
    Encoding::by_name(name).unwrap()
}

#[test]
fn every_name_finds_the_encoding_that_bears_it() {
    for name in Encoding::NAMES {
        assert_eq!(named(name).name(), name);
        assert_eq!(named(name).to_string(), name);
    }
}

#[test]
fn case_hyphens_underscores_and_aliases() {
    for (alias, name) in [
        ("US-ASCII", "ascii"),
        ("Latin-1", "latin1"),
        ("ISO-8859-1", "latin1"),
        ("iso-8859_5", "iso8859_5"),
        ("ISO8859-8", "iso8859_8"),
        ("utf8", "utf-8"),
        ("UTF_16_BE", "utf-16be"),
        ("utf_16le", "utf-16le"),
        ("ISO-2022-JP", "iso2022_jp"),
        ("Shift-JIS", "shift_jis"),
        ("windows-1252", "cp1252"),
        ("EUC-KR", "euc_kr"),
        ("GSM_0338", "gsm0338"),
        ("gsm0338-packed", "gsm0338_packed"),
        ("UCS-2", "ucs2"),
    ] {
        assert_eq!(named(alias).name(), name, "{alias}");
    }
}

#[test]
fn an_unknown_name_gets_the_list_of_those_that_exist() {
    let error = Encoding::by_name("klingon").unwrap_err().to_string();
    assert!(error.starts_with("unknown encoding \"klingon\": use one of ascii, latin1, "));
    assert!(error.ends_with("gsm0338_packed, ucs2"));
    assert!(Encoding::by_name("").is_err());
}

#[test]
fn bytes_of_the_general_encodings() {
    for (name, text, bytes) in [
        ("latin1", "ë\u{81}", &[0xEB, 0x81][..]),
        ("iso8859_5", "Дa", &[0xB4, 0x61]),
        ("iso8859_8", "שa", &[0xF9, 0x61]),
        ("cp1252", "€ë", &[0x80, 0xEB]),
        ("shift_jis", "日ｱa", &[0x93, 0xFA, 0xB1, 0x61]),
        ("euc_kr", "한a", &[0xC7, 0xD1, 0x61]),
        ("utf-16be", "😀", &[0xD8, 0x3D, 0xDE, 0x00]),
        ("utf-16le", "Z", &[0x5A, 0x00]),
        ("utf-8", "\u{FEFF}Z", &[0xEF, 0xBB, 0xBF, 0x5A]),
    ] {
        assert_eq!(named(name).encode(text, STRICT).unwrap(), bytes, "{name}");
        assert_eq!(named(name).decode(bytes, STRICT).unwrap(), text, "{name}");
    }
}

#[test]
fn a_character_that_an_encoding_lacks() {
    for name in ["ascii", "latin1", "iso8859_5", "iso8859_8", "cp1252", "shift_jis", "euc_kr", "iso2022_jp"] {
        let encoding = named(name);
        assert_eq!(
            encoding.encode("ab😀c", STRICT),
            Err(CodecError::Unencodable { codec: encoding.name(), character: '😀', position: 2 })
        );
        assert_eq!(encoding.encode("ab😀c", IGNORE).unwrap(), b"abc", "{name}");
        assert_eq!(encoding.encode("ab😀c", REPLACE).unwrap(), b"ab?c", "{name}");
        assert_eq!(
            encoding.encode("ab😀c", &ErrorMode::from_name("bogus")),
            Err(CodecError::InvalidErrorsType { codec: encoding.name(), name: "bogus".to_owned() })
        );
    }
}

#[test]
fn bytes_that_an_encoding_lacks() {
    for (name, bytes) in [
        ("ascii", &[b'a', b'b', 0xEB, b'c'][..]),
        ("iso8859_8", &[b'a', b'b', 0xA1, b'c']),
        ("cp1252", &[b'a', b'b', 0x81, b'c']),
        ("utf-8", &[b'a', b'b', 0xE2, 0x82, b'c']),
        ("shift_jis", &[b'a', b'b', 0xFF, b'c']),
        ("euc_kr", &[b'a', b'b', 0xFF, b'c']),
        ("iso2022_jp", &[b'a', b'b', 0x80, b'c']),
    ] {
        let encoding = named(name);
        match encoding.decode(bytes, STRICT) {
            Err(CodecError::Undecodable { codec, position, .. }) => {
                assert_eq!((codec, position), (encoding.name(), 2));
            }
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(encoding.decode(bytes, IGNORE).unwrap(), "abc", "{name}");
        assert_eq!(encoding.decode(bytes, REPLACE).unwrap(), "ab\u{FFFD}c", "{name}");
        assert!(matches!(
            encoding.decode(bytes, &ErrorMode::from_name("bogus")),
            Err(CodecError::InvalidErrorsType { .. })
        ));
    }
}

#[test]
fn a_broken_pair_at_the_end_is_a_fault_where_it_starts() {
    for (name, bytes) in [("shift_jis", &[b'a', 0x93, 0xFA, 0x93][..]), ("euc_kr", &[b'a', 0xC7, 0xD1, 0xC7])] {
        assert!(matches!(named(name).decode(bytes, STRICT), Err(CodecError::Undecodable { position: 3, .. })));
    }
}

#[test]
fn the_japanese_twins_are_all_encoded() {
    for (narrow, wide) in [('〜', '～'), ('‖', '∥'), ('−', '－'), ('¢', '￠'), ('£', '￡'), ('¬', '￢')]
    {
        for name in ["shift_jis", "iso2022_jp"] {
            let encoding = named(name);
            assert_eq!(
                encoding.encode(&narrow.to_string(), STRICT).unwrap(),
                encoding.encode(&wide.to_string(), STRICT).unwrap(),
                "{narrow} in {name}"
            );
        }
    }
    // Elsewhere they are different characters.
    assert!(named("euc_kr").encode("¢", STRICT).is_err());
    assert!(named("euc_kr").encode("￠", STRICT).is_ok());
}
