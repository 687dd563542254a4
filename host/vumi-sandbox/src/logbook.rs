//! The log of one run: what the guest writes, what it prints, and what the host has to say about it.
//!
//! All of it goes to the store, the live feed and the host's own log. What the guest writes counts against its log
//! bytes; control characters other than line breaks and tabs are shown escaped, so that no app can forge lines in
//! somebody's terminal.

use std::sync::Arc;

use parking_lot::Mutex;
use vumi_core::{Happening, LogLevel, LogLine, Outcome};

use crate::app::AppShared;
use crate::meter::Stop;
use crate::state::{Cause, now};

/// Longest single entry that is stored, in bytes; longer ones are cut, and say so.
const MAX_ENTRY: usize = 64 << 10;

/// Which of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stdio {
    Out,
    Err,
}

impl Stdio {
    /// As records name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Out => "stdout",
            Self::Err => "stderr",
        }
    }
}

/// See the module's text.
pub(crate) struct Logbook {
    app: Arc<AppShared>,
    state: Mutex<State>,
}

struct State {
    /// Whose id the entries carry.
    cause: Cause,
    bytes: u64,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Logbook {
    pub(crate) fn new(app: Arc<AppShared>, cause: Cause) -> Self {
        Self { app, state: Mutex::new(State::new(cause)) }
    }

    /// Begins again for the next run of an instance, whose streams go on writing here.
    pub(crate) fn renew(&self, cause: Cause) {
        *self.state.lock() = State::new(cause);
    }

    /// Bytes written by the guest so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.state.lock().bytes
    }

    /// An entry of the guest.
    pub(crate) fn guest(&self, level: LogLevel, text: &str) -> Result<(), Stop> {
        self.count(&mut self.state.lock(), text.len())?;
        self.write(level, "guest", text);
        Ok(())
    }

    /// An entry of the host about the guest.
    pub(crate) fn host(&self, level: LogLevel, text: &str) {
        self.write(level, "host", text);
    }

    /// Bytes that the guest printed.
    pub(crate) fn stdio(&self, stdio: Stdio, bytes: &[u8]) -> Result<(), Stop> {
        let complete = {
            let mut state = self.state.lock();
            self.count(&mut state, bytes.len())?;
            match stdio {
                Stdio::Err => {
                    state.err.extend_from_slice(bytes);
                    Vec::new()
                }
                Stdio::Out => {
                    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
                    let (ended, begun) = bytes.split_at(end);
                    let mut complete = Vec::new();
                    if !ended.is_empty() {
                        complete = std::mem::take(&mut state.out);
                        complete.extend_from_slice(ended);
                    }
                    state.out.extend_from_slice(begun);
                    complete
                }
            }
        };
        for line in complete.split_inclusive(|byte| *byte == b'\n') {
            self.write(LogLevel::Info, "stdout", String::from_utf8_lossy(line).trim_end());
        }
        Ok(())
    }

    /// Writes what is left of the streams, at the end of the run.
    pub(crate) fn finish(&self) {
        let (out, err) = {
            let mut state = self.state.lock();
            (std::mem::take(&mut state.out), std::mem::take(&mut state.err))
        };
        if !out.is_empty() {
            self.write(LogLevel::Info, "stdout", String::from_utf8_lossy(&out).trim_end());
        }
        if !err.is_empty() {
            self.write(LogLevel::Error, "stderr", String::from_utf8_lossy(&err).trim_end());
        }
    }

    fn count(&self, state: &mut State, bytes: usize) -> Result<(), Stop> {
        state.bytes = state.bytes.saturating_add(bytes as u64);
        if state.bytes > self.app.limits.log_bytes.0 {
            return Err(Stop::new(
                Outcome::LogLimit,
                format!("Sandbox '{}' killed for producing too much data on stderr and stdout.", self.app.sandbox_id),
            ));
        }
        Ok(())
    }

    fn write(&self, level: LogLevel, source: &str, text: &str) {
        if self.app.deck.is_silent() {
            return;
        }
        let line = LogLine {
            at: now(),
            app: self.app.name.clone(),
            sandbox_id: self.app.sandbox_id.clone(),
            message_id: Some(self.state.lock().cause.id().to_owned()),
            level,
            source: source.to_owned(),
            text: printable(text, MAX_ENTRY),
        };
        trace(&line);
        self.app.feed.tell(|| Happening::Log(line.clone()));
        self.app.store.put_log(line);
    }
}

impl State {
    fn new(cause: Cause) -> Self {
        Self { cause, bytes: 0, out: Vec::new(), err: Vec::new() }
    }
}

/// Into the host's own log, under the target `app`.
fn trace(line: &LogLine) {
    // A line break would let an app write what looks like a line of the host.
    let (app, source, text) = (&line.app, &line.source, line.text.replace('\n', "\\n"));
    match line.level {
        LogLevel::Debug => tracing::debug!(target: "app", app, source, "{text}"),
        LogLevel::Info => tracing::info!(target: "app", app, source, "{text}"),
        LogLevel::Warning => tracing::warn!(target: "app", app, source, "{text}"),
        LogLevel::Error | LogLevel::Critical => tracing::error!(target: "app", app, source, "{text}"),
    }
}

/// The text with control characters escaped, cut to its first `longest` bytes.
pub(crate) fn printable(text: &str, longest: usize) -> String {
    let mut end = text.len().min(longest);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (shown, rest) = text.split_at(end);
    let mut clean = String::with_capacity(shown.len());
    for c in shown.chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            clean.extend(c.escape_unicode());
        } else {
            clean.push(c);
        }
    }
    if !rest.is_empty() {
        clean.push_str(&format!(" … ({} more bytes)", rest.len()));
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(printable("a\u{1b}[31m\r\nb\tc", MAX_ENTRY), "a\\u{1b}[31m\\u{d}\nb\tc");
        let long = "é".repeat(MAX_ENTRY);
        assert!(printable(&long, MAX_ENTRY).ends_with(&format!("({} more bytes)", long.len() - MAX_ENTRY)));
    }
}
