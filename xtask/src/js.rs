//! The JavaScript SDK: its tests, its documented examples, its types, and the example apps bundled as `vumi-host build`
//! does it. All of that is one command of npm, as for somebody who works on the SDK alone. Then the apps are made that the
//! end-to-end tests run on the script engine.

use std::path::PathBuf;
use std::process::Command;

use crate::run::{answer, guest_target, has, root, run};

/// The oldest Node.js that the SDK's tests run on.
const OLDEST: u32 = 20;

/// Installs what the tests need, exactly as it is locked and without running any of it, and runs them.
pub(crate) fn check() -> Result<(), String> {
    node()?;
    let folder = root().join("sdk/js");
    run(npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]).current_dir(&folder))?;
    run(npm(&["test", "--silent"]).current_dir(&folder))?;
    run(Command::new("node").args(["sdk/js/tools/bundle.js"]).args(scripts()).current_dir(root()))
}

/// The apps that the end-to-end tests run, each with the place where they look for it.
fn scripts() -> Vec<PathBuf> {
    let apps = [("guest-examples/js/echo", "js-echo"), ("tests/scripts/js-probe", "js-probe")];
    let places = apps.map(|(folder, name)| {
        [root().join(folder).join("src/app.js"), guest_target().join(name).with_extension("mjs")]
    });
    places.into_iter().flatten().collect()
}

fn npm(words: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.args(words);
    npm
}

fn node() -> Result<(), String> {
    let how = format!("install Node.js {OLDEST} or later from https://nodejs.org (Debian: apt-get install nodejs npm)");
    if !has("node") || !has("npm") {
        return Err(format!("node and npm are missing; {how}"));
    }
    let version = answer(Command::new("node").arg("--version")).unwrap_or_default();
    if major(&version).is_some_and(|major| major >= OLDEST) {
        Ok(())
    } else {
        Err(format!("node says that its version is `{version}`; {how}"))
    }
}

/// `v20.20.2` → 20
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_version_is_read_as_node_prints_it() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!((major(""), major("20"), major("vx.1")), (None, None, None));
    }
}
