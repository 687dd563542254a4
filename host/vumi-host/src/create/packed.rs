//! What was packed into the program: templates and SDKs. `build.rs` makes the lists.

use std::str;

use crate::cli::Template;

include!(concat!(env!("OUT_DIR"), "/packed.rs"));

/// Begins the name of a template's file that is hidden in the project: `dot-gitignore`.
const HIDDEN: &str = "dot-";

/// Ends the name of a template's file that a tool would otherwise take for this repository's own.
const ENDING: &str = ".template";

/// The files of a template, with their paths in the project.
pub(super) fn template(template: Template) -> impl Iterator<Item = (String, &'static str)> {
    let folder = match template {
        Template::Rust => "rust/",
        Template::Js => "js/",
        Template::Ts => "ts/",
    };
    TEMPLATES.iter().filter_map(move |(path, bytes)| {
        let path = path.strip_prefix(folder)?;
        let path = path.strip_suffix(ENDING).unwrap_or(path);
        let parts = path.split('/').map(|part| match part.strip_prefix(HIDDEN) {
            Some(name) => format!(".{name}"),
            None => part.to_owned(),
        });
        Some((parts.collect::<Vec<_>>().join("/"), str::from_utf8(bytes).ok()?))
    })
}

/// The files of a language's SDK, with their paths in it; empty when the program was built without it.
pub(super) fn sdk(template: Template) -> &'static [(&'static str, &'static [u8])] {
    match template {
        Template::Rust => RUST_SDK,
        Template::Js | Template::Ts => JS_SDK,
    }
}
