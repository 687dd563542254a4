//! Links in the documentation lead somewhere: each relative link to a file of the repository, each anchor to a heading.

use std::fs;
use std::path::Path;

use super::Report;
use super::files::extension;
use super::markdown::{anchors, links};

/// Checks every Markdown document.
pub(super) fn check(root: &Path, names: &[String], report: &mut Report) {
    for name in names.iter().filter(|name| extension(name) == "md") {
        // What cannot be read is reported with the rules about text.
        let Ok(text) = fs::read_to_string(root.join(name)) else { continue };
        for link in links(&text) {
            if is_elsewhere(&link.target) {
                continue;
            }
            if let Err(why) = leads_somewhere(root, name, &text, &link.target) {
                report.faults.push(format!("{name}:{}: the link to `{}` {why}", link.line, link.target));
            }
        }
    }
}

/// True for `https://…`, `mailto:…` and whatever else names a scheme.
fn is_elsewhere(target: &str) -> bool {
    let scheme = target.split_once(':').map_or("", |(scheme, _)| scheme);
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-');
    target.starts_with("//") || (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(in_scheme))
}

fn leads_somewhere(root: &Path, name: &str, text: &str, target: &str) -> Result<(), String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    if path.is_empty() {
        return has_anchor(text, anchor);
    }
    if path.starts_with('/') {
        return Err("is absolute; write it relative to this document".into());
    }
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let place = resolve(folder, &decoded(path)).ok_or("leaves the repository; use a full URL")?;
    let file = root.join(&place);
    if !file.exists() {
        return Err(format!("leads nowhere: there is no {place}"));
    }
    if anchor.is_empty() {
        return Ok(());
    }
    if extension(&place) == "md" {
        let other = fs::read_to_string(&file).map_err(|error| format!("leads to what cannot be read: {error}"))?;
        return has_anchor(&other, anchor);
    }
    // A code host shows lines of a source file by `#L12` and `#L12-L20`.
    let mut bounds = anchor.split('-').map(|bound| bound.strip_prefix('L').unwrap_or_default());
    if file.is_file() && bounds.all(|bound| bound.parse::<u32>().is_ok()) {
        Ok(())
    } else {
        Err(format!("names `#{anchor}`, but {place} has no headings"))
    }
}

fn has_anchor(text: &str, anchor: &str) -> Result<(), String> {
    let anchor = decoded(anchor);
    if anchors(text).contains(&anchor) {
        Ok(())
    } else {
        Err(format!("names the heading `#{anchor}`, which is not there"))
    }
}

/// A path from the root; nothing when it leads out of the repository.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Without `%20` and the like.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let pair = [ahead.next(), ahead.next()].map(|digit| char::from(digit.unwrap_or_default()).to_digit(16));
        match pair {
            [Some(high), Some(low)] if byte == b'%' => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
