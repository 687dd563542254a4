//! Takes the commands out of what a telnet client sends, and says what to answer.
//!
//! The input comes in chunks of any size, so the decoder is a small state machine that remembers in which part of
//! a command it stopped. It keeps no bytes but one CR, whose meaning depends on the byte after it.

use super::{CARRIAGE_RETURN, IAC, LINE_FEED};

/// How many bytes a subnegotiation may have. A client that never ends it would else be mute for ever: after so
/// many bytes the rest is taken for text again. Real ones have fewer than a hundred.
pub const MAX_SUBNEGOTIATION: usize = 4096;

// Commands of RFC 854 and RFC 855.
const SUBNEGOTIATION_END: u8 = 240;
const SUBNEGOTIATION: u8 = 250;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;

const NUL: u8 = 0;

/// Where in the stream the decoder stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// In text.
    #[default]
    Text,
    /// After IAC.
    Command,
    /// After IAC and WILL, WONT, DO or DONT: the option comes next. Holds the refusal, if one is due.
    Option(Option<u8>),
    /// In a subnegotiation of so many bytes.
    Subnegotiation(usize),
    /// After IAC in a subnegotiation of so many bytes.
    SubnegotiationCommand(usize),
}

/// What came out of a chunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The text, commands removed, line breaks as LF. Still bytes: a chunk may end within a character.
    pub text: Vec<u8>,
    /// What to write back to the client as it is: the refusals of its option offers.
    pub replies: Vec<u8>,
}

/// An incremental decoder of what a telnet client sends (transport specification "telnet", "Telnet coding").
///
/// IAC IAC is a literal byte 255. DO is answered with WONT and WILL with DONT; WONT and DONT are not answered, else
/// two refusing sides would answer each other for ever. Subnegotiations and all other commands are removed. CR LF
/// becomes LF and CR NUL becomes CR, also with a command between the two; a CR before anything else stays, and so
/// does an LF alone.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    state: State,
    /// The last byte of text was a CR whose meaning is still open.
    carriage_return: bool,
}

impl Decoder {
    /// A decoder at the start of a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes the next chunk. The text is at most one byte longer than the chunk (a CR held back before), the
    /// replies at most as long as the chunk and two bytes.
    pub fn feed(&mut self, chunk: &[u8]) -> Decoded {
        let mut decoded = Decoded::default();
        for byte in chunk.iter().copied() {
            self.state = match self.state {
                State::Text if byte == IAC => State::Command,
                State::Text => {
                    self.text(byte, &mut decoded.text);
                    State::Text
                }
                State::Command => match byte {
                    IAC => {
                        self.text(IAC, &mut decoded.text);
                        State::Text
                    }
                    DO => State::Option(Some(WONT)),
                    WILL => State::Option(Some(DONT)),
                    WONT | DONT => State::Option(None),
                    SUBNEGOTIATION => State::Subnegotiation(0),
                    _ => State::Text,
                },
                State::Option(refusal) => {
                    if let Some(refusal) = refusal {
                        decoded.replies.extend([IAC, refusal, byte]);
                    }
                    State::Text
                }
                State::Subnegotiation(length) if length >= MAX_SUBNEGOTIATION => {
                    if byte == IAC {
                        State::Command
                    } else {
                        self.text(byte, &mut decoded.text);
                        State::Text
                    }
                }
                State::Subnegotiation(length) if byte == IAC => State::SubnegotiationCommand(length + 1),
                State::Subnegotiation(length) => State::Subnegotiation(length + 1),
                State::SubnegotiationCommand(_) if byte == SUBNEGOTIATION_END => State::Text,
                State::SubnegotiationCommand(length) => State::Subnegotiation(length + 1),
            };
        }
        decoded
    }

    /// The text that is still held back when the connection ends: a CR or nothing. A command that broke off is
    /// dropped, and the decoder is as new.
    pub fn finish(&mut self) -> Vec<u8> {
        let carriage_return = std::mem::take(self).carriage_return;
        if carriage_return { vec![CARRIAGE_RETURN] } else { Vec::new() }
    }

    fn text(&mut self, byte: u8, text: &mut Vec<u8>) {
        if std::mem::take(&mut self.carriage_return) {
            match byte {
                LINE_FEED => {
                    text.push(LINE_FEED);
                    return;
                }
                NUL => {
                    text.push(CARRIAGE_RETURN);
                    return;
                }
                _ => text.push(CARRIAGE_RETURN),
            }
        }
        if byte == CARRIAGE_RETURN {
            self.carriage_return = true;
        } else {
            text.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes byte by byte and in one piece, which must agree, and flushes.
    fn decode(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut whole = Decoder::new();
        let mut decoded = whole.feed(bytes);
        decoded.text.extend(whole.finish());
        let mut single = Decoder::new();
        let mut pieces = Decoded::default();
        for byte in bytes {
            let piece = single.feed(&[*byte]);
            pieces.text.extend(piece.text);
            pieces.replies.extend(piece.replies);
        }
        pieces.text.extend(single.finish());
        assert_eq!(decoded, pieces);
        (decoded.text, decoded.replies)
    }

    fn text(bytes: &[u8]) -> Vec<u8> {
        let (text, replies) = decode(bytes);
        assert!(replies.is_empty(), "{replies:?}");
        text
    }

    #[test]
    fn line_breaks() {
        assert_eq!(text(b"a\r\nb\nc"), b"a\nb\nc");
        assert_eq!(text(b"a\r\0b"), b"a\rb");
        assert_eq!(text(b"a\rb"), b"a\rb");
        assert_eq!(text(b"\r\r\n\r\r"), b"\r\n\r\r");
        assert_eq!(text(b"a\0b"), b"a\0b");
    }

    #[test]
    fn a_carriage_return_at_the_end_is_held_back_until_it_is_clear_or_over() {
        let mut decoder = Decoder::new();
        assert_eq!(decoder.feed(b"a\r").text, b"a");
        assert_eq!(decoder.feed(b"\nb\r").text, b"\nb");
        assert_eq!(decoder.finish(), b"\r");
        assert_eq!(decoder.finish(), b"");
    }

    #[test]
    fn offers_are_refused_and_refusals_not_answered() {
        assert_eq!(decode(b"x\xFF\xFD\x01y"), (b"xy".to_vec(), b"\xFF\xFC\x01".to_vec()));
        assert_eq!(decode(b"x\xFF\xFB\x1Fy"), (b"xy".to_vec(), b"\xFF\xFE\x1F".to_vec()));
        assert_eq!(text(b"x\xFF\xFC\x01\xFF\xFE\x1Fy"), b"xy");
    }

    #[test]
    fn a_doubled_iac_is_a_byte_of_text() {
        assert_eq!(text(b"a\xFF\xFFb"), b"a\xFFb");
        assert_eq!(text(b"\xFF\xFF\xFF\xFF"), b"\xFF\xFF");
        assert_eq!(text(b"\r\xFF\xFF"), b"\r\xFF");
    }

    #[test]
    fn other_commands_are_removed() {
        // No operation, interrupt, are you there, go ahead; and one that breaks off.
        assert_eq!(text(b"a\xFF\xF1b\xFF\xF4c\xFF\xF6d\xFF\xF9e\xFF"), b"abcde");
        assert_eq!(text(b"a\r\xFF\xF1\nb"), b"a\nb");
    }

    #[test]
    fn subnegotiations_are_skipped() {
        // Terminal type "xterm", then a window size with a doubled 255 in it.
        assert_eq!(text(b"a\xFF\xFA\x18\x00xterm\r\n\xFF\xF0b\xFF\xFA\x1F\x00\xFF\xFF\xF0\x18\xFF\xF0c"), b"abc");
        assert_eq!(text(b"a\xFF\xFA\x18never ended"), b"a");
    }

    #[test]
    fn a_subnegotiation_without_end_does_not_silence_the_client() {
        for filler in [b"x".as_slice(), b"\xFF\xFF", b"\xFFx"] {
            let mut bytes = b"\xFF\xFA\x18".to_vec();
            bytes.extend(filler.repeat(MAX_SUBNEGOTIATION));
            bytes.extend(b"\r\nhello\r\n");
            let text = decode(&bytes).0;
            assert!(text.ends_with(b"\nhello\n"), "{filler:?}");
        }
    }
}
