//! What a guest writes, and what it would have its reader believe.

use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;
use vumi_core::Outcome::{HandlerError, Ok as Well, Trap};
use vumi_tests::forge::Forge;

use super::case::{Case, forged, own, probe};
use crate::kit::Rig;

const ESCAPED: &str = "Control characters but line breaks and tabs are shown, not sent.";

fn logs(text: &'static [u8]) -> impl Fn() -> Forge + Send + Sync {
    move || {
        Forge::attack(format!("(call $log (i32.const 1) (i32.const 1024) (i32.const {}))", text.len()))
            .data(1_024, text)
    }
}

fn first(answer: &crate::kit::Answer) -> &str {
    answer.logs.first().map(|line| line.text.as_str()).unwrap_or_default()
}

pub fn cases() -> Vec<Case> {
    vec![
        forged("log-escapes", "logs what would clear a terminal", logs(b"\x1b[2J\x1b]0;title\x07gone")).shown(
            "`ok`; the entry has `\\u{1b}[2J`",
            |answer| if first(answer).starts_with("\\u{1b}[2J\\u{1b}]0;title\\u{7}") { Ok(()) } else { Err(first(answer).into()) },
            ESCAPED,
        ),
        forged("log-c1", "logs escapes of the other kind, U+009B", logs(b"\xc2\x9b31m")).shown(
            "`ok`; the entry has `\\u{9b}`",
            |answer| if first(answer) == "\\u{9b}31m" { Ok(()) } else { Err(first(answer).into()) },
            ESCAPED,
        ),
        forged("log-carriage-return", "logs a carriage return, to write over what stands there", logs(b"good\rbad ")).shown(
            "`ok`; the entry has `\\u{d}`",
            |answer| if first(answer) == "good\\u{d}bad " { Ok(()) } else { Err(first(answer).into()) },
            ESCAPED,
        ),
        forged("log-forged-entry", "logs line breaks, to look like several entries", logs(b"one\n2026-01-01 ERROR forged\n")).shown(
            "`ok`; it is one entry, of the guest's level",
            |answer| match answer.logs.as_slice() {
                [one] if one.text.contains('\n') && one.level.as_str() == "info" => Ok(()),
                other => Err(format!("{} entries", other.len())),
            },
            "An entry is a record with fields; line breaks stay within its text.",
        ),
        own(
            "log-forged-line",
            "logs a line break and what looks like a line of the host",
            "no line of the host's own log begins with what the guest wrote",
            "Who reads the host's log line by line must be able to tell who wrote a line.",
            Box::new(|_| Box::pin(forged_line())),
        ),
        forged("log-empty", "logs nothing", logs(b"")).shown(
            "`ok`; an empty entry",
            |answer| if answer.logs.len() == 1 && answer.outcome() == Well { Ok(()) } else { Err(String::new()) },
            "It counts as a host call.",
        ),
        forged("log-long-line", "logs a line of 1,000,000 bytes", || {
            Forge::attack(
                "(drop (memory.grow (i32.const 60))) (memory.fill (i32.const 65536) (i32.const 97) (i32.const 1000000))
                 (call $log (i32.const 1) (i32.const 65536) (i32.const 1000000))",
            )
        })
        .shown(
            "`ok`; 64 KiB are kept, and the entry says how many are not",
            |answer| if first(answer).ends_with("… (934464 more bytes)") { Ok(()) } else { Err(first(answer).len().to_string()) },
            "Entries have a bound; the limit counts all that was given.",
        ),
        probe("log-stdout-no-line", "prints 100,000 bytes without a line's end", "stdio 100000 0").shown(
            "`ok`; one entry of 64 KiB, when the run ends",
            |answer| {
                let lines: Vec<_> = answer.logs.iter().filter(|line| line.source == "stdout").collect();
                match lines.as_slice() {
                    [one] if one.text.contains("more bytes") => Ok(()),
                    other => Err(format!("{} entries", other.len())),
                }
            },
            "What is printed is held until its line ends, within the limit of log bytes.",
        ),
        forged("log-error-escapes", "answers with an error text of terminal escapes", || {
            Forge::of(
                "(func $attack (result i32) (i32.store (i32.const 304) (i32.const 1))
                   (i32.store (i32.const 308) (i32.const 1024)) (i32.store (i32.const 312) (i32.const 6)) (i32.const 304))",
            )
            .data(1_024, b"\x1b[2Jno")
        })
        .ends(HandlerError, "\\u{1b}[2Jno", ESCAPED),
        forged("log-function-names", "calls a function that fails `\\u{1b}[2J…`, so that the reason names it", || {
            Forge::attack("(call $bad)").and(
                "(func $bad (@name \"\\1b[2J\\1b]0;owned\\07\\0aERROR forged\") (call $log (i32.const 9) (i32.const 0) (i32.const 0)))",
            )
        })
        .ends(Trap, "", "A reason is one line of harmless characters, whatever the guest's names are."),
        forged("log-function-name-long", "calls a function that fails, with a name of 90,000 bytes", || {
            Forge::attack("(call $bad)").and(&format!(
                "(func $bad (@name \"{}\") (call $log (i32.const 9) (i32.const 0) (i32.const 0)))",
                "x".repeat(90_000)
            ))
        })
        .ends(Trap, "", "A reason has a bound, whatever the guest's names are."),
    ]
}

/// Collects what a log writes.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes a log as the host does by default, and looks at its lines.
async fn forged_line() -> Result<(), String> {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    {
        use tracing::instrument::WithSubscriber;
        let kv = vumi_store::kv_in_memory(vumi_store::MemoryBounds::default(), Arc::new(vumi_core::SystemClock));
        let mut rig = Rig::of("hostile", &crate::kit::component("probe"), kv, |_| {});
        rig.ask("log one\n2026-01-01T00:00:00Z ERROR vumi_host: forged").with_subscriber(subscriber).await;
    }
    let written = String::from_utf8_lossy(&page.0.lock()).into_owned();
    if !written.contains("forged") {
        return Err(format!("the entry is not in the log: {written:?}"));
    }
    match written.lines().find(|line| line.starts_with("2026-01-01")) {
        None => Ok(()),
        Some(line) => Err(format!("a line of the log is the guest's: {line:?}")),
    }
}
