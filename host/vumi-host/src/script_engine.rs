//! Where the engine for scripts is: a component that is built and shipped with this program.

use std::path::{Path, PathBuf};

/// Names another place.
const VARIABLE: &str = "VUMI_SCRIPT_ENGINE";

/// The file's name.
const FILE: &str = "script-engine.wasm";

/// Where it may stand, seen from the folder of this program: beside it, as an installation has it, and as a build of the
/// sources has it.
const PLACES: [&str; 3] = ["", "../lib/vumi-host", "../guests"];

/// The engine's component. `None` when there is none; who then has a script is told.
pub(crate) fn find() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    let program = std::env::current_exe().ok()?;
    beside(program.parent()?)
}

fn beside(folder: &Path) -> Option<PathBuf> {
    PLACES.iter().map(|place| folder.join(place).join(FILE)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_for_around_the_program() {
        let base = tempfile::tempdir().unwrap();
        let program = base.path().join("bin");
        std::fs::create_dir_all(&program).unwrap();
        assert_eq!(beside(&program), None);
        // From the last place to the first: a nearer one goes before.
        for place in ["guests", "lib/vumi-host", "bin"] {
            let folder = base.path().join(place);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(FILE), "x").unwrap();
            let found = beside(&program).unwrap().canonicalize().unwrap();
            assert_eq!(found, folder.join(FILE).canonicalize().unwrap());
        }
    }
}
