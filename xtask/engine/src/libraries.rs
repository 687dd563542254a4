//! The libraries that go into the engine: what npm installed, as a list of files.

use std::fs;
use std::path::Path;

/// What goes in.
pub(crate) struct Libraries {
    /// Paths from the folder's root, as `/node_modules/q/q.js`, and texts.
    pub(crate) files: Vec<(String, String)>,
    /// Those that are loaded at once, as `require` names them.
    pub(crate) loaded: Vec<String>,
}

/// Parts of packages that nobody requires: their own tests, examples, builds for browsers.
const LEFT_OUT: [&str; 8] = ["test", "tests", "docs", "doc", "examples", "dist", "benchmark", "utils"];

/// Packages of which only a part goes in.
const PARTS: [(&str, &[&str]); 2] = [
    ("/node_modules/lodash/", &["package.json", "lodash.js"]),
    ("/node_modules/moment/", &["package.json", "moment.js", "locale"]),
];

/// Reads the folder: every file of JavaScript or JSON below `node_modules`. The packages that its `package.json` names
/// as dependencies are loaded.
pub(crate) fn read(folder: &Path) -> Result<Libraries, String> {
    let manifest = folder.join("package.json");
    let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let mut files = Vec::new();
    walk(&folder.join("node_modules"), "/node_modules", &mut files)?;
    files.sort();
    Ok(Libraries { files, loaded: dependencies(&text) })
}

/// The names in `dependencies` of a package.json that npm wrote: one on each line.
fn dependencies(manifest: &str) -> Vec<String> {
    let block = manifest.split_once("\"dependencies\": {").and_then(|(_, rest)| rest.split_once('}'));
    let lines = block.map(|(block, _)| block).unwrap_or_default().lines();
    lines.filter_map(|line| line.trim().strip_prefix('"')?.split_once('"').map(|(name, _)| name.to_owned())).collect()
}

fn walk(folder: &Path, path: &str, files: &mut Vec<(String, String)>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (from, to) = (entry.path(), format!("{path}/{name}"));
        let part = |(package, parts): &(&str, &[&str])| {
            to.strip_prefix(package).is_none_or(|rest| parts.contains(&rest.split('/').next().unwrap_or_default()))
        };
        if !PARTS.iter().all(part) {
            continue;
        }
        if from.is_dir() {
            if !name.starts_with('.') && !LEFT_OUT.contains(&name.as_str()) {
                walk(&from, &to, files)?;
            }
        } else if wanted(&from) {
            let text = fs::read_to_string(&from).map_err(|error| format!("{}: {error}", from.display()))?;
            files.push((to, text));
        }
    }
    Ok(())
}

fn wanted(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name == "package.json" || (name.ends_with(".js") && !name.ends_with(".min.js"))
}
