//! Which files the rules look at: what is in the repository, not what is built from it or recorded elsewhere.

use std::path::Path;

/// Folders that hold no text of the project, wherever they are. Fixtures were recorded byte for byte.
const SKIPPED: &[&str] = &["target", "node_modules", "dist", "__pycache__", "fixtures"];

/// Hidden folders that belong to the project; others are those of editors and tools.
const HIDDEN: &[&str] = &[".cargo", ".ci", ".github"];

/// The folder at the root in which a host that is tried out keeps its data.
const DATA: &str = "data";

/// The paths of all files, from the root, with `/` between their parts, in order.
pub(super) fn all(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![String::new()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            // A link is looked at where it leads to, if that is in the repository.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                let hidden = name.starts_with('.') && !HIDDEN.contains(&name.as_str());
                if !hidden && !SKIPPED.contains(&name.as_str()) && path != DATA {
                    left.push(path);
                }
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// How a file's name ends, without the dot; nothing when it has no such end.
pub(super) fn extension(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    match file.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension,
        _ => "",
    }
}
