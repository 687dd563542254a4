//! Which names a new project may have: its name becomes that of a crate or a package, of a file, and of an app.

use std::path::Path;

use crate::cli::Template;

/// Rust's own words and crates: cargo refuses a package of such a name, or its code could not be written.
const RUST: &str = " abstract alloc as async await become box break const continue core crate do dyn else enum extern \
                    false final fn for gen if impl in let loop macro match mod move mut override priv proc-macro pub \
                    ref return self static std struct super test trait true try type typeof unsafe unsized use virtual \
                    vumi-sdk wasi wit-bindgen where while yield main build deps examples incremental ";

/// Names that npm keeps for itself, and those of what a project needs.
const NPM: &str = " node-modules favicon npm esbuild typescript vumi ";

/// The name that a folder gives to its project.
///
/// # Errors
/// One sentence that says what a name may be.
pub(super) fn of(folder: &Path, template: Template) -> Result<String, String> {
    const MOST: usize = 60;
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_fit = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(letters)
        && !name.ends_with('-')
        && !name.contains("--")
        && name.len() <= MOST;
    if !is_fit {
        return Err(format!(
            "`{name}` is no name for an app: take small letters, digits and single `-` between them, a letter first, at \
             most {MOST} in all"
        ));
    }
    let taken = match template {
        Template::Rust => RUST,
        Template::Js | Template::Ts => NPM,
    };
    if taken.contains(&format!(" {name} ")) {
        return Err(format!("`{name}` means something else to the tools of that language; take another name"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let of = |name: &str, template| of(Path::new(name), template);
        for name in ["shop", "my-shop-2", "a", "apps/shop", "../shop/"] {
            assert!(of(name, Template::Rust).is_ok(), "{name}");
        }
        let long = "a".repeat(61);
        for name in ["", "..", "/", "Shop", "1shop", "-shop", "shop-", "a--b", "my shop", "my_shop", "shöp", &long] {
            let error = of(name, Template::Js).unwrap_err();
            assert!(error.contains("is no name for an app"), "{name}: {error}");
        }
        for (name, template) in [("async", Template::Rust), ("vumi-sdk", Template::Rust), ("esbuild", Template::Ts)] {
            assert!(of(name, template).unwrap_err().contains("take another name"), "{name}");
        }
    }
}
