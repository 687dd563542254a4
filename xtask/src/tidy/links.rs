//! Links in the documentation lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use super::{files_below, shown};

/// The project's documentation.
pub(crate) fn markdown_files(root: &Path) -> Vec<PathBuf> {
    files_below(root, &[".md"])
}

/// Checks every relative link and every anchor.
pub(super) fn check(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for file in markdown_files(root) {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let folder = file.parent().unwrap_or(root);
        for link in links(&text) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { folder.join(path) };
            if !target.exists() {
                faults.push(format!("{}: the link to `{link}` leads nowhere", shown(root, &file)));
            } else if !anchor.is_empty() && !has_heading(&target, anchor) {
                faults.push(format!("{}: `{link}` names a heading that is not there", shown(root, &file)));
            }
        }
    }
    faults
}

/// Relative links outside code.
fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        let parts = if in_code { "" } else { line };
        for part in parts.split("](").skip(1) {
            let link = part.split(')').next().unwrap_or_default();
            if !link.contains("://") && !link.starts_with("mailto:") && !link.is_empty() {
                links.push(link);
            }
        }
    }
    links
}

fn has_heading(file: &Path, anchor: &str) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| slug(line.trim_start_matches('#').trim())).any(|slug| slug == anchor)
}

/// A heading as an anchor, the way that code hosts make it.
fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_links_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(
            root.join("A.md"),
            "# One thing\n[b](B.md) [no](C.md) [h](#one-thing) [i](#two)\n```\n[x](Y.md)\n```\n",
        )
        .unwrap();
        fs::write(root.join("B.md"), "[w](https://example.org) [a](A.md#one-thing) [z](A.md#gone)\n").unwrap();
        assert_eq!(
            check(root),
            [
                "A.md: the link to `C.md` leads nowhere",
                "A.md: `#two` names a heading that is not there",
                "B.md: `A.md#gone` names a heading that is not there",
            ]
        );
    }
}
