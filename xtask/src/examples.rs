//! The configuration files in the documentation are right: each block marked `yaml check` passes `config check`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{guest_target, root, run};
use crate::tidy::markdown_files;

/// Checks all of them with the built binary.
pub(crate) fn check() -> Result<(), String> {
    let host = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), PathBuf::from)
        .join("debug/vumi-host");
    let echo = guest_target().join("echo.wasm");
    let mut count = 0;
    for file in markdown_files(&root()) {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        for block in blocks(&text) {
            count += 1;
            let folder = root().join("target/examples").join(count.to_string());
            lay_out(&folder, &block, &echo).map_err(|error| format!("{}: {error}", folder.display()))?;
            let checked = run(Command::new(&host).args(["config", "check"]).arg(folder.join("vumi.yaml")));
            checked.map_err(|error| format!("example {count} ({}): {error}", file.display()))?;
        }
    }
    if count == 0 { Err("the documentation has no block marked `yaml check`".into()) } else { Ok(()) }
}

/// The blocks marked `yaml check`.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "```yaml check" {
            blocks
                .push(lines.by_ref().take_while(|line| line.trim() != "```").map(|line| format!("{line}\n")).collect());
        }
    }
    blocks
}

/// Writes the file, and a component at each place that it names.
fn lay_out(folder: &Path, text: &str, component: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("vumi.yaml"), text)?;
    for line in text.lines() {
        if let Some((_, name)) = line.split_once("component:") {
            let name = name.trim().split([',', '}']).next().unwrap_or_default().trim().trim_matches('"');
            let place = folder.join(name);
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::copy(component, place)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_blocks_count() {
        let text = "a\n```yaml check\nx: 1\ny: 2\n```\n```yaml\nz: 3\n```\n";
        assert_eq!(blocks(text), ["x: 1\ny: 2\n"]);
    }
}
