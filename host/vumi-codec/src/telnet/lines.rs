//! Makes lines of a stream of text.
//!
//! The stream comes in chunks that have nothing to do with its lines: several lines in one chunk, one line in
//! several. A line ends with LF. People's clients end it in many ways, though, and some send text without any end
//! and wait for an answer; [`LineSplitter::take_partial`] is for them.

use super::{CARRIAGE_RETURN, LINE_FEED};

/// How long a line may be unless the caller says otherwise, in bytes.
pub const DEFAULT_MAX_LINE: usize = 64 * 1024;

/// The longest character of UTF-8, in bytes: a shorter limit would find no place to cut.
const MIN_MAX_LINE: usize = 4;

/// What has become of the beginning of the line that is being collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Start {
    /// It is in the buffer.
    #[default]
    Here,
    /// It was delivered because the line is too long.
    Cut,
    /// It was delivered because the caller asked.
    Taken,
}

/// Collects text and delivers it line by line, as UTF-8 with U+FFFD in place of what is not.
///
/// A line comes without its LF and without CRs before it. An empty line is a line. A line longer than the limit
/// is delivered in pieces of at most that many bytes of input, cut between characters, so that nothing is lost and
/// the buffer stays bounded. When the last piece was all there was, the line's end adds no empty line.
#[derive(Clone, Debug)]
pub struct LineSplitter {
    buffer: Vec<u8>,
    max_line: usize,
    start: Start,
}

impl Default for LineSplitter {
    fn default() -> Self {
        Self::new()
    }
}

impl LineSplitter {
    /// A splitter with the limit [`DEFAULT_MAX_LINE`].
    pub fn new() -> Self {
        Self::with_max_line(DEFAULT_MAX_LINE)
    }

    /// A splitter for lines of at most `max_line` bytes (at least 4, the longest character).
    pub fn with_max_line(max_line: usize) -> Self {
        Self { buffer: Vec::new(), max_line: max_line.max(MIN_MAX_LINE), start: Start::Here }
    }

    /// Takes the next chunk of text and returns the lines that it completes, in order.
    pub fn feed(&mut self, text: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in text.split_inclusive(|byte| *byte == LINE_FEED) {
            match piece.split_last() {
                Some((&LINE_FEED, body)) => {
                    self.collect(body, &mut lines);
                    lines.extend(self.end_line());
                }
                _ => self.collect(piece, &mut lines),
            }
        }
        lines
    }

    /// Delivers what there is of the line that has not ended yet, or nothing if there is nothing.
    ///
    /// For a transport that answers text without a line end: it calls this after each read. When the end of the
    /// line arrives later, it adds no empty line, so that a line whose CR LF travels in the next packet is still
    /// one message. The first bytes of a character whose rest has not arrived stay in the buffer.
    pub fn take_partial(&mut self) -> Option<String> {
        let taken = self.take_whole_characters();
        if taken.is_empty() {
            return None;
        }
        // Some clients end a line with a CR alone.
        let ended = taken.last() == Some(&CARRIAGE_RETURN);
        let start = std::mem::replace(&mut self.start, if ended { Start::Here } else { Start::Taken });
        deliver(start, &taken)
    }

    /// Delivers the last line when the connection ends without an LF, or nothing if all has been delivered.
    pub fn finish(&mut self) -> Option<String> {
        if self.buffer.is_empty() {
            self.start = Start::Here;
            return None;
        }
        self.end_line()
    }

    /// Adds bytes without LF to the buffer, cutting off pieces where it is full.
    fn collect(&mut self, body: &[u8], lines: &mut Vec<String>) {
        let mut rest = body;
        while !rest.is_empty() {
            if self.buffer.len() >= self.max_line {
                let full = self.take_whole_characters();
                let piece = without_leading_returns(self.start, &full);
                if !piece.is_empty() {
                    lines.push(to_text(piece));
                    self.start = Start::Cut;
                }
            }
            let room = self.max_line.saturating_sub(self.buffer.len());
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.buffer.extend_from_slice(now);
            rest = later;
        }
    }

    fn end_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.buffer);
        deliver(std::mem::take(&mut self.start), &line)
    }

    /// Empties the buffer but for the beginning of a character at its end.
    fn take_whole_characters(&mut self) -> Vec<u8> {
        let whole = self.buffer.len() - unfinished_character(&self.buffer);
        let unfinished = self.buffer.split_off(whole);
        std::mem::replace(&mut self.buffer, unfinished)
    }
}

/// The text of a line, or of the rest of a line, if it is to be delivered.
fn deliver(start: Start, line: &[u8]) -> Option<String> {
    let mut line = without_leading_returns(start, line);
    while let Some(shorter) = line.strip_suffix(&[CARRIAGE_RETURN]) {
        line = shorter;
    }
    let nothing_new = line.is_empty() && start != Start::Here;
    (!nothing_new).then(|| to_text(line))
}

/// After a part was taken, a CR at the beginning of the rest is that part's line end.
fn without_leading_returns(start: Start, line: &[u8]) -> &[u8] {
    let mut line = line;
    if start == Start::Taken {
        while let Some(shorter) = line.strip_prefix(&[CARRIAGE_RETURN]) {
            line = shorter;
        }
    }
    line
}

fn to_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many bytes at the end of `bytes` begin a character of UTF-8 without ending it: 0 to 3.
fn unfinished_character(bytes: &[u8]) -> usize {
    (1..=3)
        .find(|length| {
            let tail = bytes.len().checked_sub(*length).and_then(|from| bytes.get(from..));
            tail.is_some_and(|tail| {
                std::str::from_utf8(tail).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
            })
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_lines_in_one_chunk_and_one_line_in_several() {
        let mut lines = LineSplitter::new();
        assert_eq!(lines.feed(b"one\ntwo\r\n\nth"), ["one", "two", ""]);
        assert!(lines.feed(b"re").is_empty());
        assert_eq!(lines.feed(b"e\n"), ["three"]);
        assert_eq!(lines.finish(), None);
    }

    #[test]
    fn the_last_line_may_lack_its_end() {
        let mut lines = LineSplitter::new();
        assert!(lines.feed("zoë\r".as_bytes()).is_empty());
        assert_eq!(lines.finish().as_deref(), Some("zoë"));
        assert_eq!(lines.finish(), None);
    }

    #[test]
    fn carriage_returns_are_taken_off_the_end_only() {
        let mut lines = LineSplitter::new();
        assert_eq!(lines.feed(b"\ra\rb\r\r\n\r\n"), ["\ra\rb", ""]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        let mut lines = LineSplitter::new();
        assert_eq!(lines.feed(b"zo\xEB\n\xC3\n"), ["zo\u{FFFD}", "\u{FFFD}"]);
    }

    #[test]
    fn a_partial_line_is_taken_once_and_its_end_adds_nothing() {
        let mut lines = LineSplitter::new();
        assert!(lines.feed("zoë".as_bytes()).is_empty());
        assert_eq!(lines.take_partial().as_deref(), Some("zoë"));
        assert_eq!(lines.take_partial(), None);
        assert_eq!(lines.feed(b"\r\n/quit\n\n"), ["/quit", ""]);
        assert!(lines.feed(b"half").is_empty());
        assert_eq!(lines.take_partial().as_deref(), Some("half"));
        assert_eq!(lines.feed(b" a line\n\n"), [" a line", ""]);
        assert!(lines.feed(b"last").is_empty());
        assert_eq!(lines.take_partial().as_deref(), Some("last"));
        assert_eq!(lines.finish(), None);
    }

    #[test]
    fn a_client_that_ends_lines_with_a_carriage_return_alone() {
        let mut lines = LineSplitter::new();
        // Sent as CR NUL, the telnet decoder gives the CR at once.
        let mut taken = Vec::new();
        for chunk in ["one\r", "two\r", "\r"] {
            assert!(lines.feed(chunk.as_bytes()).is_empty());
            taken.extend(lines.take_partial());
        }
        assert_eq!(taken, ["one", "two", ""]);
        // Sent bare, it comes with the next text.
        let mut lines = LineSplitter::new();
        let mut taken = Vec::new();
        for chunk in ["one", "\rtwo", "\rthree", "\r"] {
            assert!(lines.feed(chunk.as_bytes()).is_empty());
            taken.extend(lines.take_partial());
        }
        assert_eq!(taken, ["one", "two", "three"]);
    }

    #[test]
    fn a_character_that_the_network_cut_waits_for_its_rest() {
        let mut lines = LineSplitter::new();
        assert!(lines.feed(b"zo\xC3").is_empty());
        assert_eq!(lines.take_partial().as_deref(), Some("zo"));
        assert_eq!(lines.take_partial(), None);
        assert!(lines.feed(b"\xAB").is_empty());
        assert_eq!(lines.take_partial().as_deref(), Some("ë"));
        assert!(lines.feed(b"\xF0\x9F\x98").is_empty());
        assert_eq!(lines.take_partial(), None);
        assert_eq!(lines.finish().as_deref(), Some("\u{FFFD}"));
    }

    #[test]
    fn a_line_that_is_too_long_comes_in_pieces() {
        let mut lines = LineSplitter::with_max_line(5);
        assert_eq!(lines.feed(b"abcdefghijkl\n\n"), ["abcde", "fghij", "kl", ""]);
        // As long as the limit, then the end: no empty piece.
        assert_eq!(lines.feed(b"abcde\nabcde\r\nabcdefghij\r\n"), ["abcde", "abcde", "abcde", "fghij"]);
        // Characters stay whole: two bytes each, so two fit.
        assert_eq!(lines.feed("ëëëëë\n".as_bytes()), ["ëë", "ëë", "ë"]);
    }

    #[test]
    fn a_carriage_return_at_a_cut_is_text_but_after_a_taken_part_it_is_not() {
        let mut lines = LineSplitter::with_max_line(5);
        assert_eq!(lines.feed(b"abcde\rfg\n"), ["abcde", "\rfg"]);
        assert!(lines.feed(b"a").is_empty());
        assert_eq!(lines.take_partial().as_deref(), Some("a"));
        assert_eq!(lines.feed(b"\r\r\r\r\r\rb\n"), ["b"]);
    }

    #[test]
    fn the_limit_has_room_for_a_character() {
        let mut lines = LineSplitter::with_max_line(0);
        assert_eq!(lines.feed("😀😀\n".as_bytes()), ["😀", "😀"]);
    }

    #[test]
    fn the_buffer_is_bounded() {
        let mut lines = LineSplitter::with_max_line(100);
        let mut delivered = 0;
        for _ in 0..1000 {
            delivered += lines.feed(&[b'x'; 33]).iter().map(String::len).sum::<usize>();
            assert!(lines.buffer.len() <= 100);
        }
        assert_eq!(delivered + lines.buffer.len(), 33_000);
    }
}
