//! What must hold for telnet however the network cuts the stream.

use proptest::prelude::*;
use vumi_codec::telnet::{Decoder, LineSplitter, encode};

/// Bytes in which commands and line breaks are frequent.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => any::<u8>(),
        3 => proptest::sample::select(b"\r\n\0\xFF".to_vec()),
        2 => proptest::sample::select(b"\xF0\xFA\xFB\xFC\xFD\xFE\xFF\x01".to_vec()),
        2 => b'a'..=b'z',
    ];
    proptest::collection::vec(byte, 0..300)
}

/// Lengths of chunks; used again and again.
fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(1_usize..20, 1..20)
}

fn chunks<'a>(stream: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = stream;
    let mut chunks = Vec::new();
    for length in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, later) = rest.split_at((*length).min(rest.len()));
        chunks.push(chunk);
        rest = later;
    }
    chunks
}

/// Text and replies of a stream that comes in these chunks and then ends.
fn decode(chunks: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
    let mut decoder = Decoder::new();
    let (mut text, mut replies) = (Vec::new(), Vec::new());
    for chunk in chunks {
        let decoded = decoder.feed(chunk);
        text.extend(decoded.text);
        replies.extend(decoded.replies);
    }
    text.extend(decoder.finish());
    (text, replies)
}

/// Lines of a text that comes in these chunks and then ends.
fn split(chunks: &[&[u8]], max_line: usize) -> Vec<String> {
    let mut splitter = LineSplitter::with_max_line(max_line);
    let mut lines: Vec<String> = chunks.iter().flat_map(|chunk| splitter.feed(chunk)).collect();
    lines.extend(splitter.finish());
    lines
}

/// A text as the other side sees it: every line break an LF.
fn normal(text: &[u8]) -> Vec<u8> {
    let mut normal = Vec::new();
    let mut after_return = false;
    for byte in text {
        match byte {
            b'\n' if after_return => {}
            b'\r' | b'\n' => normal.push(b'\n'),
            other => normal.push(*other),
        }
        after_return = *byte == b'\r';
    }
    normal
}

fn without_line_breaks(text: &str) -> String {
    text.replace(['\r', '\n'], "")
}

proptest! {
    #[test]
    fn the_decoder_does_not_care_where_the_stream_is_cut(stream in stream(), cuts in cuts()) {
        prop_assert_eq!(decode(&chunks(&stream, &cuts)), decode(&[&stream]));
    }

    #[test]
    fn what_is_encoded_is_decoded(text in stream(), cuts in cuts()) {
        let wire = encode(&text);
        let (decoded, replies) = decode(&chunks(&wire, &cuts));
        prop_assert_eq!(decoded, normal(&text));
        prop_assert!(replies.is_empty());
    }

    #[test]
    fn replies_are_refusals_and_not_longer_than_the_stream(stream in stream()) {
        let (text, replies) = decode(&[&stream]);
        prop_assert!(replies.chunks(3).all(|reply| matches!(reply, [0xFF, 0xFC | 0xFE, _])));
        prop_assert!(text.len() + replies.len() <= stream.len());
    }

    #[test]
    fn the_splitter_does_not_care_where_the_text_is_cut(
        text in stream(),
        cuts in cuts(),
        max_line in 0_usize..40,
    ) {
        prop_assert_eq!(split(&chunks(&text, &cuts), max_line), split(&[&text], max_line));
    }

    #[test]
    fn short_lines_are_the_lines_of_the_text(lines in proptest::collection::vec("[^\r\n]{0,20}", 0..10)) {
        let text: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
        prop_assert_eq!(split(&[text.as_bytes()], 80), lines);
    }

    #[test]
    fn nothing_is_lost_when_partial_lines_are_taken(
        text in any::<String>(),
        breaks in "[a-zé\r\n😀]{0,60}",
        cuts in cuts(),
        max_line in 0_usize..40,
    ) {
        let text = text + &breaks;
        let mut splitter = LineSplitter::with_max_line(max_line);
        let mut delivered = String::new();
        for chunk in chunks(text.as_bytes(), &cuts) {
            delivered.extend(splitter.feed(chunk));
            delivered.extend(splitter.take_partial());
        }
        delivered.extend(splitter.finish());
        prop_assert_eq!(without_line_breaks(&delivered), without_line_breaks(&text));
    }
}
