//! Makes the script engine, compiled as a core module, into a component whose instances begin where its set-up ended.
//!
//! `vumi-engine-build CORE.wasm LIBRARIES OUT.wasm`: starts the module, puts the libraries in (the folder that holds
//! `node_modules`), has it load them, takes the memory as it is then for the memory that each instance begins with, and
//! wraps all that as a component. `cargo xtask engine` calls it; it is a crate of its own because it needs a compiler
//! for WebAssembly and the chores do not.

mod libraries;
mod snapshot;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.as_slice() {
        [core, libraries, out] => build(Path::new(core), Path::new(libraries), Path::new(out)),
        _ => Err("usage: vumi-engine-build CORE.wasm LIBRARIES OUT.wasm".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("vumi-engine-build: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn build(core: &Path, folder: &Path, out: &Path) -> Result<(), String> {
    let module = std::fs::read(core).map_err(|error| format!("{}: {error}", core.display()))?;
    let libraries = libraries::read(folder)?;
    let module = snapshot::take(&module, &libraries).map_err(|error| format!("the snapshot: {error:?}"))?;
    let component = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("the component: {error:#}"))?;
    // By rename, so that a running host sees the old file or the new one.
    let beside = out.with_extension(format!("{}.part", std::process::id()));
    std::fs::write(&beside, &component)
        .and_then(|()| std::fs::rename(&beside, out))
        .map_err(|error| format!("{}: {error}", out.display()))
}
