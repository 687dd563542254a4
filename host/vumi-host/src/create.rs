//! `vumi-host new`: a small, complete project, ready to be built on a machine that has only its language's tools.
//!
//! The project brings the SDK along in `vendor/`, as it came with this program: it builds before any registry has the
//! SDKs, and fits this host. Nothing is ever overwritten.

mod name;
mod packed;

use std::path::{Path, PathBuf};

use serde_json::json;
use vumi_core::{Error, Result};

use crate::cli::{New, Template};
use crate::commands::{Failure, say};

/// Where a project keeps its copy of the SDK.
const VENDOR: &str = "vendor/vumi-sdk";

/// Does the command.
///
/// # Errors
/// One sentence when the name will not do, something is there already, or a file cannot be written.
pub(crate) fn execute(given: &New) -> Result<(), Failure> {
    let name = name::of(&given.folder, given.template).map_err(Failure::Usage)?;
    if given.folder.symlink_metadata().is_ok() {
        return Err(Failure::Usage(format!(
            "{} is there already, and nothing is overwritten; take another name",
            given.folder.display()
        )));
    }
    let sdk = match &given.sdk {
        Some(checkout) => Some(sdk_of(checkout, given.template).map_err(Failure::Usage)?),
        None if packed::sdk(given.template).is_empty() => {
            return Err(Failure::Usage(
                "this vumi-host was built without the SDK of that language; name a checkout that has it with --sdk"
                    .into(),
            ));
        }
        None => None,
    };
    let written = write(&given.folder, &name, given.template, sdk.as_deref());
    if let Err(error) = written {
        // The folder was made just now, by this command.
        let _ = std::fs::remove_dir_all(&given.folder);
        return Err(error.into());
    }
    let folder = given.folder.display();
    say(&format!(
        "{folder}: made\n\nNext:\n  vumi-host build {folder}      makes the app\n  vumi-host test {folder}       has the conversations in {folder}/tests with it\n  vumi-host dev {folder}        runs it with phones in the browser; change it while you talk to it"
    ))
}

/// The SDK's own folder in a checkout, or the folder itself where it is the SDK's.
fn sdk_of(checkout: &Path, template: Template) -> Result<PathBuf, String> {
    let (below, manifest) = match template {
        Template::Rust => ("sdk/rust", "Cargo.toml"),
        Template::Js | Template::Ts => ("sdk/js", "package.json"),
    };
    let places = [checkout.join(below), checkout.to_owned()];
    let names_sdk = |place: &PathBuf| {
        let text = std::fs::read_to_string(place.join(manifest)).unwrap_or_default();
        text.contains("\"vumi-sdk\"") || text.contains("\"@vumi/sdk\"")
    };
    let Some(place) = places.iter().find(|place| names_sdk(place)) else {
        return Err(format!("{}: has no {below}; give the folder of a checkout of vumi-host", checkout.display()));
    };
    place.canonicalize().map_err(|error| format!("{} cannot be found: {error}", place.display()))
}

/// Writes the template and, unless `sdk` says where one lies, the SDK.
fn write(folder: &Path, name: &str, template: Template, sdk: Option<&Path>) -> Result<()> {
    let place = sdk.map_or_else(|| VENDOR.to_owned(), |sdk| sdk.display().to_string());
    for (path, text) in packed::template(template) {
        let text = filled(text, name, &place);
        put(&folder.join(path), text.as_bytes())?;
    }
    if sdk.is_none() {
        for (path, bytes) in packed::sdk(template) {
            put(&folder.join(VENDOR).join(path), bytes)?;
        }
    }
    Ok(())
}

/// A template's file with what it leaves open. A path becomes a part of a text in quotes, and both TOML and JSON read
/// such a text as JSON writes it.
fn filled(text: &str, name: &str, sdk: &str) -> String {
    let quoted = json!(sdk).to_string();
    let sdk = quoted.trim_start_matches('"').strip_suffix('"').unwrap_or(&quoted);
    let title = name.replace('-', " ");
    text.replace("{{sdk}}", sdk).replace("{{name}}", name).replace("{{title}}", &capitalised(&title))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let unwritable = |error| Error::permanent(format!("{} cannot be written", path.display())).because(error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(unwritable)?;
    }
    std::fs::File::create_new(path).and_then(|mut file| std::io::Write::write_all(&mut file, bytes)).map_err(unwritable)
}

#[cfg(test)]
mod tests;
