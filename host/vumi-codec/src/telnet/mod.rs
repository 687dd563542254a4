//! Telnet: plain text over TCP with commands mixed in (RFC 854).
//!
//! A command starts with byte 255, *IAC* ("interpret as command"); most of them negotiate options such as echo,
//! and a host that only wants text refuses them all. [`Decoder`] takes commands out of what a client sends and
//! says what to answer; [`LineSplitter`] makes lines of the rest; [`encode`] prepares text for sending. All three
//! give the same result however the network cuts the bytes into chunks, and hold a bounded amount of them.
//!
//! ```
//! use vumi_codec::telnet::{Decoder, LineSplitter};
//!
//! let mut decoder = Decoder::new();
//! let mut lines = LineSplitter::new();
//! // A client offers to speak of its window size (option 31) and sends a line and a half.
//! let decoded = decoder.feed(b"\xFF\xFB\x1Fhello\r\nwor");
//! assert_eq!(decoded.replies, b"\xFF\xFE\x1F"); // write this back: no, thanks
//! assert_eq!(lines.feed(&decoded.text), ["hello"]);
//! assert_eq!(lines.take_partial().as_deref(), Some("wor")); // where the transport does not wait for the LF
//! ```

mod decoder;
mod lines;

pub use decoder::{Decoded, Decoder, MAX_SUBNEGOTIATION};
pub use lines::{DEFAULT_MAX_LINE, LineSplitter};

const LINE_FEED: u8 = b'\n';
const CARRIAGE_RETURN: u8 = b'\r';

/// "Interpret as command" (RFC 854).
const IAC: u8 = 255;

/// Prepares text for sending: every line break (CR LF, CR or LF) becomes CR LF, and byte 255 is doubled so that
/// the client does not take it for a command (RFC 854; transport specification "telnet", "Telnet coding").
///
/// UTF-8 has no byte 255; text in another encoding may.
pub fn encode(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    let mut bytes = Vec::with_capacity(text.len() + 8);
    let mut input = text.iter().copied().peekable();
    while let Some(byte) = input.next() {
        match byte {
            CARRIAGE_RETURN => {
                input.next_if_eq(&LINE_FEED);
                bytes.extend([CARRIAGE_RETURN, LINE_FEED]);
            }
            LINE_FEED => bytes.extend([CARRIAGE_RETURN, LINE_FEED]),
            IAC => bytes.extend([IAC, IAC]),
            other => bytes.push(other),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn every_kind_of_line_break_goes_out_as_cr_lf() {
        assert_eq!(encode("a\nb\rc\r\nd"), b"a\r\nb\r\nc\r\nd");
        assert_eq!(encode("\r\r\n\n\n\r"), b"\r\n\r\n\r\n\r\n\r\n");
        assert_eq!(encode(""), b"");
    }

    #[test]
    fn text_goes_out_as_it_is_and_byte_255_doubled() {
        assert_eq!(encode("zoë"), "zoë".as_bytes());
        assert_eq!(encode(b"a\xFFb\xFF"), b"a\xFF\xFFb\xFF\xFF");
    }
}
