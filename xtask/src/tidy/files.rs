//! How source files look: length, heads, white space, and what stands only in named places.

use std::fs;
use std::path::Path;

use super::{files_below, shown};

/// Longest source file, in lines.
const LONGEST: usize = 600;

/// The places where `unsafe` is allowed, each with its reason.
const UNSAFE: &[(&str, &str)] = &[(
    "host/vumi-sandbox/src/cache.rs",
    "compiled components are mapped as machine code; only files that the host wrote itself",
)];

/// Crates whose sources may read the environment.
const ENVIRONMENT: &[&str] = &["host/vumi-host/", "tests/", "xtask/"];

/// Checks every source file.
pub(super) fn check(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for folder in ["host", "sdk", "guest-examples", "tests", "xtask"] {
        for path in files_below(&root.join(folder), &[".rs"]) {
            let name = shown(root, &path);
            match fs::read_to_string(&path) {
                Ok(text) => faults.extend(source(&name, &text)),
                Err(error) => faults.push(format!("{name}: {error}")),
            }
        }
    }
    for path in files_below(root, &[".rs", ".md", ".toml", ".wit", ".yaml", ".js", ".css", ".html"]) {
        let name = shown(root, &path);
        faults.extend(fs::read_to_string(&path).map(|text| spaces(&name, &text)).unwrap_or_default());
    }
    faults
}

fn source(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST {
        faults.push(format!(
            "{name}: has {lines} lines, at most {LONGEST} are allowed; give its jobs files of their own"
        ));
    }
    if !text.starts_with("//!") && !text.starts_with("/*!") {
        faults.push(format!("{name}: must begin with a `//!` text that a newcomer understands"));
    }
    // Written apart, so that this very file does not hold them.
    let allows = ["allow(", "unsafe_code"].concat();
    if text.contains(&allows) && !UNSAFE.iter().any(|(place, _)| *place == name) {
        faults.push(format!(
            "{name}: unsafe code stands only in the places that xtask/src/tidy/files.rs names, each with a reason"
        ));
    }
    let reads = ["env::", "var"].concat();
    let is_test = name.contains("/tests/") || name.contains("/examples/");
    if name.starts_with("host/")
        && !is_test
        && text.contains(&reads)
        && !ENVIRONMENT.iter().any(|place| name.starts_with(place))
    {
        faults.push(format!("{name}: only vumi-host reads the environment"));
    }
    faults
}

fn spaces(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(line) = text.lines().position(|line| line.ends_with([' ', '\t'])) {
        faults.push(format!("{name}:{}: ends with white space", line + 1));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        faults.push(format!("{name}: must end with a line break"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_faults_are_found() {
        let unsafe_code = ["//! x\n#[allow(", "unsafe_code)]\n"].concat();
        let environment = ["//! x\nfn f() { std::env::", "var(\"A\"); }\n"].concat();
        for (name, text, part) in [
            ("host/a/src/lib.rs", "fn f() {}\n", "must begin"),
            ("host/a/src/lib.rs", &*format!("//! x\n{}", "\n".repeat(700)), "has 701 lines"),
            ("host/a/src/lib.rs", &unsafe_code, "unsafe code"),
            ("host/a/src/lib.rs", &environment, "environment"),
        ] {
            let faults = source(name, text);
            assert!(faults.iter().any(|fault| fault.contains(part)), "{part}: {faults:?}");
        }
        assert!(source("host/vumi-sandbox/src/cache.rs", &unsafe_code).is_empty());
        assert!(source("host/vumi-host/src/commands.rs", &environment).is_empty());
        assert_eq!(spaces("a", "x \ny"), ["a:1: ends with white space", "a: must end with a line break"]);
    }
}
