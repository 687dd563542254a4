//! Starting compilers: what they say is shown as it comes, and kept for whoever wants to show it elsewhere.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};

use vumi_core::{Error, Result};

use super::progress::Progress;

/// Bytes of a compiler's words that are kept; the first mistakes matter most.
const MOST_OUTPUT: usize = 128 << 10;

/// What a compiler left behind.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// What it wrote to standard error.
    pub(super) output: String,
}

/// Runs a compiler to its end. `each` gets the lines of its standard output. Its standard error is printed at once, or,
/// while a spinner is shown, by [`Progress::end`].
///
/// # Errors
/// When it cannot be started; `help` says how to get it.
pub(super) fn run(command: &mut Command, help: &str, progress: &Progress, mut each: impl FnMut(&str)) -> Result<Ended> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Error::permanent(format!("{name} could not be started; {help}")).because(error))?;
    let shown = !progress.is_bar();
    let errors = child.stderr.take().map(|errors| {
        std::thread::spawn(move || {
            let mut kept = String::new();
            for line in lines(errors) {
                if shown {
                    eprintln!("{line}");
                }
                if kept.len() + line.len() < MOST_OUTPUT {
                    kept.push_str(&line);
                    kept.push('\n');
                }
            }
            kept
        })
    });
    if let Some(output) = child.stdout.take() {
        lines(output).for_each(|line| each(&line));
    }
    let output = errors.and_then(|thread| thread.join().ok()).unwrap_or_default();
    let status =
        child.wait().map_err(|error| Error::permanent(format!("{name} did not end properly")).because(error))?;
    Ok(Ended { status, output })
}

/// Lines, whatever bytes are in them.
fn lines(from: impl std::io::Read) -> impl Iterator<Item = String> {
    BufReader::new(from)
        .split(b'\n')
        .map_while(|line| line.ok())
        .map(|line| String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
}
