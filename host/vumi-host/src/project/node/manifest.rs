//! What a project's package.json says about the app.

use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use vumi_core::{Error, Result};

/// The largest package.json that is read, in bytes.
const MOST: u64 = 1 << 20;

/// Where an app begins unless its package.json says otherwise.
const ENTRIES: [&str; 3] = ["src/app.ts", "src/app.js", "src/app.mjs"];

/// See the module's text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The package's name, fit for a file's name.
    pub(super) name: String,
    /// The file that the app begins with, relative to the folder.
    pub(super) entry: String,
}

impl Manifest {
    /// Reads a project's package.json.
    ///
    /// # Errors
    /// One sentence when it cannot be read, or no file is found that the app begins with.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("package.json");
        let wrong = |why: String| Error::permanent(format!("{}: {why}", path.display()));
        let size = path.metadata().map_err(|error| wrong("cannot be read".into()).because(error))?.len();
        if size > MOST {
            return Err(wrong(format!("is larger than {MOST} bytes")));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| wrong("cannot be read".into()).because(error))?;
        let package: Value = serde_json::from_str(&text).map_err(|error| wrong(format!("is not JSON: {error}")))?;
        let name = package.get("name").and_then(Value::as_str).map(file_name).filter(|name| !name.is_empty());
        let name = name.or_else(|| folder.file_name().map(|name| file_name(&name.to_string_lossy())));
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| "app".to_owned());
        let entry = match package.pointer("/vumi/entry") {
            Some(Value::String(entry)) if folder.join(entry).is_file() => entry.clone(),
            Some(Value::String(entry)) => {
                return Err(wrong(format!("its `vumi.entry` names {entry}, and there is no such file")));
            }
            Some(_) => return Err(wrong("its `vumi.entry` is not a text; write \"src/app.js\"".into())),
            None => found_entry(folder).ok_or_else(|| {
                wrong(
                    "there is neither src/app.ts nor src/app.js beside it; name the file that the app begins with: \
                     \"vumi\": { \"entry\": \"…\" }"
                        .into(),
                )
            })?,
        };
        Ok(Self { name, entry })
    }
}

fn found_entry(folder: &Path) -> Option<String> {
    ENTRIES.into_iter().find(|entry| folder.join(entry).is_file()).map(str::to_owned)
}

/// A package's name without its scope, with nothing in it that a path could misread.
fn file_name(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or_default();
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    name.chars().take(100).map(safe).collect::<String>().trim_matches(['.', '-']).to_owned()
}

/// Stands for what `npm install` would look at: package.json and its lockfile.
pub(super) fn fingerprint(folder: &Path) -> String {
    let mut hash = Sha256::new();
    for name in ["package.json", "package-lock.json"] {
        let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(package: &str, files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("package.json"), package).unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn name_and_entry_are_found() {
        let read = |package, files: &[&str]| Manifest::read(project(package, files).path()).unwrap();
        let expected = |name: &str, entry: &str| Manifest { name: name.into(), entry: entry.into() };
        assert_eq!(read(r#"{"name": "@clinic/shop"}"#, &["src/app.js"]), expected("shop", "src/app.js"));
        assert_eq!(read(r#"{"name": "a b../"}"#, &["src/app.ts", "src/app.js"]).entry, "src/app.ts");
        assert_eq!(
            read(r#"{"name": "x", "vumi": {"entry": "lib/main.ts"}}"#, &["lib/main.ts"]),
            expected("x", "lib/main.ts")
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_one_sentence() {
        let refused = |package| Manifest::read(project(package, &[]).path()).unwrap_err().to_string();
        assert!(refused("{").contains("package.json: is not JSON"));
        assert!(refused("{}").contains("neither src/app.ts nor src/app.js"));
        assert!(refused(r#"{"vumi": {"entry": "a.js"}}"#).ends_with("names a.js, and there is no such file"));
        assert!(refused(r#"{"vumi": {"entry": 1}}"#).contains("is not a text"));
    }

    #[test]
    fn a_name_is_fit_for_a_file() {
        for (name, file) in [("@a/b", "b"), ("../../etc/passwd", "passwd"), ("..", ""), ("a b", "a-b"), ("", "")] {
            assert_eq!(file_name(name), file, "{name}");
        }
    }

    #[test]
    fn a_new_lockfile_is_another_fingerprint() {
        let folder = project("{}", &[]);
        let before = fingerprint(folder.path());
        std::fs::write(folder.path().join("package-lock.json"), "{}").unwrap();
        assert_ne!(fingerprint(folder.path()), before);
    }
}
