//! Rules that a compiler does not check: the edges between crates, what may be used where, how files begin, links.

mod files;
mod links;
mod manifests;

use std::path::{Path, PathBuf};

pub(crate) use links::markdown_files;

use crate::run::root;

/// Checks the repository.
pub(crate) fn check() -> Result<(), String> {
    let faults = faults(&root());
    for fault in &faults {
        eprintln!("  {fault}");
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{} rules are broken (see above)", faults.len())) }
}

fn faults(root: &Path) -> Vec<String> {
    let mut faults = manifests::check(root);
    faults.extend(files::check(root));
    faults.extend(links::check(root));
    faults
}

/// All files below a folder with one of the endings, build output and fixtures aside.
fn files_below(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if !matches!(name.as_str(), "target" | ".git" | "node_modules" | "fixtures") {
                    left.push(path);
                }
            } else if kind.is_file() && endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A path as it is shown: relative to the root.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
