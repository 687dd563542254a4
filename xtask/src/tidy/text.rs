//! How text files look: spaces instead of tabs, nothing invisible at the ends of lines, a line break at the end.

use std::fs;
use std::path::Path;

use super::Report;
use super::files::extension;

/// Endings of files that people edit.
const EDITED: &[&str] =
    &["rs", "toml", "md", "wit", "js", "mjs", "ts", "py", "sh", "css", "html", "svg", "json", "yaml", "yml", "proto"];

/// Checks every text file; of each kind of fault the first place in a file is named.
pub(super) fn check(root: &Path, names: &[String], report: &mut Report) {
    for name in names {
        // What has no ending is a script, a licence, or a tool's configuration.
        let ending = extension(name);
        if !EDITED.contains(&ending) && !ending.is_empty() {
            continue;
        }
        match fs::read_to_string(root.join(name)) {
            Ok(text) => look(name, &text, report),
            Err(error) => report.faults.push(format!("{name}: is not readable as UTF-8 text: {error}")),
        }
    }
}

fn look(name: &str, text: &str, report: &mut Report) {
    let first = |holds: &dyn Fn(&str) -> bool| text.split('\n').position(holds).map(|index| index + 1);
    if let Some(line) = first(&|line| line.contains('\t')) {
        report.faults.push(format!("{name}:{line}: holds a tab; use spaces"));
    }
    if let Some(line) = first(&|line| line.ends_with(char::is_whitespace)) {
        report.faults.push(format!("{name}:{line}: ends with white space; take it away"));
    }
    if !text.ends_with('\n') {
        report.faults.push(format!("{name}: does not end with a line break; add one"));
    }
}
