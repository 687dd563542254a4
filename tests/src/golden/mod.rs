//! Golden cases of the HTTP transports: what goes in and what must come out, written in YAML, one file for each class.
//!
//! The files stand in `tests/fixtures/transports`, whose README describes their form. Here they are read
//! ([`mod@format`]), and here is what every reader of them needs: texts with placeholders ([`pattern`]), comparing ([`compare`], [`xml`])
//! HTTP as it goes over the wire ([`wire`], [`client`]), and the far
//! side of transports that send by HTTP ([`remote`]). The conformance tests run the cases, the end-to-end tests
//! the `e2e` parts, and the hostile tests take the requests as seeds.

pub mod client;
pub mod compare;
pub mod expect;
pub mod form;
pub mod format;
mod keyed;
pub mod pairs;
pub mod pattern;
pub mod play;
pub mod remote;
pub mod step;
pub mod wire;
pub mod xml;

use std::path::{Path, PathBuf};

pub use compare::{Whole, json};
pub use format::{Case, Golden};
pub use pairs::Pairs;
pub use pattern::Bindings;
pub use play::Stage;
pub use step::Step;

/// Where the files stand.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transports")
}

/// Reads every file, by name.
///
/// # Errors
/// One sentence for the first file that is not as it should be, with its name and line.
pub fn load_all() -> Result<Vec<Golden>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder().display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder()).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| load(path)).collect()
}

/// Reads one file.
///
/// # Errors
/// See [`load_all`].
pub fn load(path: &Path) -> Result<Golden, String> {
    let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{file}.yaml: {error}"))?;
    read(&file, &text)
}

/// Reads the text of a file; `file` is its name without `.yaml`.
///
/// # Errors
/// See [`load_all`].
pub fn read(file: &str, text: &str) -> Result<Golden, String> {
    // `Y`, `no` and `on` are texts.
    let options = serde_saphyr::options! { strict_booleans: true };
    let mut golden: Golden =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| format!("{file}.yaml: {error}"))?;
    file.clone_into(&mut golden.file);
    golden.check().map_err(|mistake| format!("{file}.yaml: {mistake}"))?;
    Ok(golden)
}

#[cfg(test)]
mod tests;
