//! How far a component has got on its way: a bar on a terminal, a line elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use indicatif::{ProgressBar, ProgressStyle};

use super::table::size;

/// What goes out at a time.
const CHUNK: usize = 64 << 10;

/// See the module's text.
pub(crate) struct Transfer {
    bar: ProgressBar,
}

impl Transfer {
    /// `verb` says what is being done. Without `bytes` nobody knows how much there is.
    pub(crate) fn start(verb: &'static str, bytes: Option<u64>) -> Self {
        if !std::io::stderr().is_terminal() {
            match bytes {
                Some(bytes) => eprintln!("{verb} {} …", size(bytes)),
                None => eprintln!("{verb} …"),
            }
            return Self { bar: ProgressBar::hidden() };
        }
        let (bar, template) = match bytes {
            Some(bytes) => (
                ProgressBar::new(bytes),
                "{prefix} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {msg}",
            ),
            None => (ProgressBar::new_spinner(), "{spinner} {prefix} {binary_bytes} {msg}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(verb);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar }
    }

    /// So many more bytes.
    pub(crate) fn add(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    /// The bytes in pieces, counted as they go out; `then` says what comes when all of them are out.
    pub(crate) fn stream<E: Send + 'static>(
        &self,
        bytes: Bytes,
        then: &'static str,
    ) -> impl Stream<Item = Result<Bytes, E>> + Send + Sync + 'static {
        let bar = self.bar.clone();
        let total = bytes.len();
        futures_util::stream::iter((0..total).step_by(CHUNK).map(move |start| {
            let end = total.min(start.saturating_add(CHUNK));
            bar.inc(end.saturating_sub(start) as u64);
            if end == total {
                bar.set_message(then);
            }
            Ok(bytes.slice(start..end))
        }))
    }

    /// All is done, or has failed.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.end();
    }
}
