//! What source files say: a text for newcomers at the head, not too much in one file, and some things only in their
//! named places.

use std::fs;
use std::path::Path;

use super::Report;
use super::files::extension;

/// Longest source file, in lines.
const LONGEST: usize = 600;

/// From this length on, in lines, a file deserves a thought.
const LONG: usize = 400;

/// Endings of files that people write code in.
const CODE: &[&str] = &["rs", "js", "mjs", "ts", "py", "sh", "css", "html", "wit", "proto"];

/// This lint's name, in two parts, so that this very file does not hold it.
pub(super) const UNSAFE_LINT: &str = concat!("unsafe", "_code");

/// The places where that lint may be lifted, each with its reason.
const UNSAFE: &[(&str, &str)] = &[(
    "host/vumi-sandbox/src/cache.rs",
    "compiled components are mapped as machine code; only files that the host wrote itself",
)];

/// The crate that reads the environment; the others are told what they need.
const ENVIRONMENT: &str = "host/vumi-host/";

/// Checks every source file.
pub(super) fn check(root: &Path, names: &[String], report: &mut Report) {
    let mut lifted = Vec::new();
    for name in names.iter().filter(|name| CODE.contains(&extension(name))) {
        // What cannot be read is reported with the rules about text.
        let Ok(text) = fs::read_to_string(root.join(name)) else { continue };
        length(name, &text, report);
        if extension(name) == "rs" {
            head(name, &text, report);
            environment(name, &text, report);
            if let Some(line) = lifts_unsafe(&text) {
                lifted.push(name.as_str());
                if !UNSAFE.iter().any(|(place, _)| place == name) {
                    report.faults.push(format!(
                        "{name}:{line}: unsafe code stands only in the places that xtask/src/tidy/sources.rs lists; do \
                         without it, or argue for a new place there"
                    ));
                }
            }
        }
    }
    for (place, reason) in UNSAFE {
        if !lifted.contains(place) {
            report.faults.push(format!(
                "{place}: has no unsafe code any more ({reason}); take it off the list in xtask/src/tidy/sources.rs"
            ));
        }
    }
}

fn length(name: &str, text: &str, report: &mut Report) {
    let lines = text.lines().count();
    if lines > LONGEST {
        report.faults.push(format!("{name}: has {lines} lines, more than {LONGEST}; give its jobs files of their own"));
    } else if lines > LONG {
        report.warnings.push(format!("{name}: has {lines} lines; beyond {LONGEST} it must be split"));
    }
}

fn head(name: &str, text: &str, report: &mut Report) {
    let says =
        text.lines().next().and_then(|line| line.strip_prefix("//!")).is_some_and(|said| !said.trim().is_empty());
    if !says {
        report
            .faults
            .push(format!("{name}: must begin with a `//!` text that says to a newcomer what this file is for"));
    }
}

fn environment(name: &str, text: &str, report: &mut Report) {
    // Tests and examples of a crate are programs of their own.
    let own_program = name.contains("/tests/") || name.contains("/examples/") || name.contains("/benches/");
    if !name.starts_with("host/") || name.starts_with(ENVIRONMENT) || own_program {
        return;
    }
    let reads = |line: &str| {
        let from = line.find("env::").and_then(|start| line.get(start + "env::".len()..)).unwrap_or_default();
        from.starts_with("var") || (from.starts_with('{') && from.contains("var"))
    };
    if let Some(line) = line_of_code(text, reads) {
        report.faults.push(format!(
            "{name}:{line}: only vumi-host reads the environment; take the value as a parameter or from the configuration"
        ));
    }
}

/// The line on which the lint against unsafe code is lifted, in whatever form.
fn lifts_unsafe(text: &str) -> Option<usize> {
    let forbids = |line: &str| line.contains("deny(") || line.contains("forbid(");
    line_of_code(text, |line| line.contains(UNSAFE_LINT) && !forbids(line))
}

/// The number of the first line that is no comment and for which this holds.
fn line_of_code(text: &str, holds: impl Fn(&str) -> bool) -> Option<usize> {
    text.lines().position(|line| !line.trim_start().starts_with("//") && holds(line)).map(|index| index + 1)
}
