//! `vumi-host build`: what goes to a host, in one file, and beside it the drawing of the app's dialogue.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use vumi_core::{Error, Result};
use vumi_sandbox::{ComponentCache, EngineOptions, Sandbox};

use crate::cli::BuildOptions;
use crate::commands::{Failure, say, user_cache};
use crate::drawing;
use crate::project::Source;
use crate::{remote, script_engine};

/// Does the command.
///
/// # Errors
/// One report when it does not build, when its types do not fit, when no host could run it, or when a file cannot be
/// written.
pub(crate) fn execute(given: &BuildOptions) -> Result<(), Failure> {
    let source = Source::of(&given.folder)?;
    if let Source::File(path) = &source {
        return Err(Failure::Usage(format!("{} is a file; give the folder of a project", path.display())));
    }
    let built = source.build().map_err(|failure| failure.error)?;
    source.check().map_err(|failure| failure.error)?;
    let bytes = remote::component_file(&built)?;
    let place = place(given, &built)?;
    if place != built {
        put(&place, &bytes)?;
        // A stack trace finds the source by it.
        let (from, to) = (map_of(&built), map_of(&place));
        if from.is_file() {
            let map = std::fs::read(&from)
                .map_err(|error| Error::permanent(format!("{} cannot be read", from.display())).because(error))?;
            put(&to, &map)?;
        }
    }
    describe(&place, &bytes)?;
    match graph(&place)? {
        Some(graph) => draw(&place, &graph),
        None => Ok(()),
    }
}

/// Where the app goes: what `--out` says, else `dist` of the project.
fn place(given: &BuildOptions, built: &Path) -> Result<PathBuf> {
    if let Some(out) = &given.out {
        return Ok(out.clone());
    }
    let name = built.file_name().ok_or_else(|| Error::permanent("the build made a file without a name"))?;
    let name = name.to_string_lossy();
    let own = crate_name(&given.folder, &name);
    Ok(given.folder.join("dist").join(own.unwrap_or_else(|| name.into_owned())))
}

/// The component's name as its Cargo.toml has it: cargo writes `_` for `-` in the names of files.
fn crate_name(folder: &Path, built: &str) -> Option<String> {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let stem = built.strip_suffix(".wasm")?;
    let names = manifest.lines().filter_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='));
    let mut names = names.filter_map(|value| value.trim().strip_prefix('"')?.split('"').next());
    names.find(|name| name.replace('-', "_") == stem).map(|name| format!("{name}.wasm"))
}

fn map_of(script: &Path) -> PathBuf {
    let mut name = script.as_os_str().to_owned();
    name.push(".map");
    name.into()
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|error| Error::permanent(format!("{} cannot be made", folder.display())).because(error))?;
    remote::save(bytes, path)
}

fn describe(place: &Path, bytes: &Bytes) -> Result<(), Failure> {
    let kind = if bytes.starts_with(b"\0asm") { "component" } else { "script" };
    say(&format!("{}\n  {kind}, {}\n  sha-256 {}", place.display(), size(bytes.len()), remote::hash(bytes)))
}

/// Bytes as a person reads them.
fn size(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{} MB", bytes.div_ceil(1_000_000)),
    }
}

/// What the app says that its dialogue looks like. It is loaded for that as a host loads it, so that whatever a host
/// would refuse is said here.
fn graph(place: &Path) -> Result<Option<String>, Failure> {
    let failed = |error: String| Failure::from(Error::permanent(error));
    let cache = user_cache().and_then(|folder| ComponentCache::at(&folder).ok()).unwrap_or_else(ComponentCache::none);
    let options = EngineOptions { instances: 1, script_engine: script_engine::find() };
    let sandbox = Sandbox::new(&options).map_err(|error| failed(error.to_string()))?;
    let component = sandbox.load(&cache, place).map_err(|error| failed(error.to_string()))?;
    Ok(crate::commands::threads()?.block_on(sandbox.graph(&component))?)
}

/// Writes the dialogue beside the app, as data and as a drawing, and says what is wrong with it.
fn draw(place: &Path, graph: &str) -> Result<(), Failure> {
    let graph = drawing::Graph::read(graph).map_err(Error::permanent)?;
    let (data, picture) = (place.with_extension("graph.json"), place.with_extension("graph.mmd"));
    remote::save(graph.json().as_bytes(), &data)?;
    remote::save(graph.mermaid().as_bytes(), &picture)?;
    say(&format!("{}\n{}\n  dialogue, {}", data.display(), picture.display(), graph.summary()))?;
    for problem in graph.problems() {
        eprintln!("warning: {problem}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!([size(0), size(9_999), size(10_001), size(12_000_000)], ["0 bytes", "9999 bytes", "11 kB", "12 MB"]);
    }

    #[test]
    fn the_app_goes_to_dist_unless_told_otherwise() {
        let mut given = BuildOptions { folder: "apps/shop".into(), out: None };
        let built = Path::new("/t/wasm32-wasip2/release/shop.wasm");
        assert_eq!(place(&given, built).unwrap(), Path::new("apps/shop/dist/shop.wasm"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"my-shop\" # mine\n").unwrap();
        let mine = BuildOptions { folder: folder.path().to_owned(), out: None };
        assert_eq!(place(&mine, Path::new("/t/my_shop.wasm")).unwrap(), folder.path().join("dist/my-shop.wasm"));
        assert_eq!(place(&mine, Path::new("/t/other_one.wasm")).unwrap(), folder.path().join("dist/other_one.wasm"));
        given.out = Some("x/y.wasm".into());
        assert_eq!(place(&given, built).unwrap(), Path::new("x/y.wasm"));
        assert_eq!(map_of(Path::new("dist/shop.mjs")), Path::new("dist/shop.mjs.map"));
    }
}
