//! Builds the guests: each a workspace of its own, as a user's project is, all in one target folder.

use std::path::PathBuf;

use crate::run::{cargo, guest_target, projects, root, run};

const TARGET: &str = "wasm32-wasip2";

/// Every guest's folder.
pub(crate) fn folders() -> Vec<PathBuf> {
    let mut folders = projects(&root().join("guest-examples"));
    folders.extend(projects(&root().join("tests/guests")));
    folders
}

/// Builds all of them; `target/guests/<folder's name>.wasm` is the result of each.
pub(crate) fn build() -> Result<(), String> {
    for folder in folders() {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut command = cargo();
        // The guest's own .cargo/config.toml counts, and cargo looks for it from the folder that it is started in.
        command.current_dir(&folder).env("CARGO_TARGET_DIR", guest_target());
        command.args(["build", "--release", "--locked", "--quiet", "--target", TARGET]);
        run(&mut command).map_err(|error| format!("guest {name}: {error}"))?;
        let made = guest_target().join(TARGET).join("release").join(format!("{}.wasm", name.replace('-', "_")));
        let kept = guest_target().join(format!("{name}.wasm"));
        let bytes = std::fs::copy(&made, &kept).map_err(|error| format!("{}: {error}", made.display()))?;
        println!("  {name}: {} kB", bytes.div_ceil(1_000));
    }
    Ok(())
}
