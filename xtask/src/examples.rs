//! The configuration files in the documentation are right: each block marked `yaml check` passes `config check`.
//!
//! Each block becomes a `vumi.yaml` in a folder of its own below `target/examples`, with a compiled guest at every place
//! that it names as a component. The folders stay, so that a failing one can be looked at.

use std::fs;
use std::path::{Component, Path};
use std::process::Command;

use crate::run::{guest_target, root, run, target};
use crate::tidy::markdown_files;

/// The document without which a newcomer cannot start: it must hold at least one checked file.
const FIRST: &str = "README.md";

/// Checks all of them with the built binary.
pub(crate) fn check() -> Result<(), String> {
    let host = target().join("debug/vumi-host");
    let component = guest_target().join("echo.wasm");
    for (needed, command) in [(&host, "cargo build -p vumi-host"), (&component, "cargo xtask guests")] {
        if !needed.is_file() {
            return Err(format!("{} is missing; run `{command}` first", needed.display()));
        }
    }
    let all = target().join("examples");
    if all.exists() {
        fs::remove_dir_all(&all).map_err(|error| format!("{}: {error}", all.display()))?;
    }
    let (mut count, mut in_first) = (0, 0);
    for file in markdown_files(&root()) {
        let text = fs::read_to_string(root().join(&file)).map_err(|error| format!("{file}: {error}"))?;
        for (line, block) in blocks(&text) {
            count += 1;
            in_first += usize::from(file == FIRST);
            let folder = all.join(count.to_string());
            lay_out(&folder, &block, &component).map_err(|error| format!("{file}:{line}: {error}"))?;
            run(Command::new(&host).args(["config", "check"]).arg(folder.join("vumi.yaml")))
                .map_err(|error| format!("the configuration at {file}:{line} is wrong: {error}"))?;
        }
    }
    if in_first == 0 { Err(format!("{FIRST} has no block marked `yaml check`")) } else { Ok(()) }
}

/// The blocks marked `yaml check`, each with the line at which it begins.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.trim_end() == "```yaml check" {
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim_end() != "```");
            blocks.push((number + 1, inside.map(|line| format!("{line}\n")).collect()));
        }
    }
    blocks
}

/// Writes the file, and a component at each place that it names.
fn lay_out(folder: &Path, text: &str, component: &Path) -> Result<(), String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let file = folder.join("vumi.yaml");
    fs::write(&file, text).map_err(|error| failed(&file, error))?;
    for name in components(text) {
        if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(format!("the component `{name}` lies outside the file's folder; name one inside"));
        }
        let place = folder.join(name);
        let parent = place.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
        fs::copy(component, &place).map_err(|error| failed(&place, error))?;
    }
    Ok(())
}

/// The components that a configuration names, in block style, in flow style, with quotes and without.
fn components(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        for value in line.split("component:").skip(1) {
            let value = value.trim_start();
            let end = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value.get(1..).and_then(|rest| rest.find(quote)).map(|end| 1..end + 1),
                Some(_) => Some(0..value.find([',', '}', ' ']).unwrap_or(value.len())),
                None => None,
            };
            found.extend(end.and_then(|range| value.get(range)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_blocks_count() {
        let text = "a\n```yaml check\nx: 1\ny: 2\n```\n```yaml\nz: 3\n```\n```yaml check\nlast: 1\n```\n";
        let expected = [(2, "x: 1\ny: 2\n".to_owned()), (9, "last: 1\n".to_owned())];
        assert_eq!(blocks(text), expected);
    }

    #[test]
    fn components_are_found_however_they_are_written() {
        let text = "apps:\n  a: { component: a.wasm, x: 1 }\n  b:\n    component: \"sub dir/b.wasm\"  # why\n  \
                    c: {component: c.wasm}\n  d:\n    component: d.wasm # why\n  # component: not.wasm\n  \
                    e: { component: 'e.wasm' }, f: { component: f.wasm }\n  g: { component:\n";
        assert_eq!(components(text), ["a.wasm", "sub dir/b.wasm", "c.wasm", "d.wasm", "e.wasm", "f.wasm"]);
    }

    #[test]
    fn a_folder_holds_what_the_file_names() {
        let folder = tempfile::tempdir().unwrap();
        let (guest, place) = (folder.path().join("guest.wasm"), folder.path().join("example"));
        fs::write(&guest, "guest").unwrap();
        lay_out(&place, "a: { component: sub/a.wasm }\n", &guest).unwrap();
        assert_eq!(fs::read_to_string(place.join("sub/a.wasm")).unwrap(), "guest");
        assert_eq!(fs::read_to_string(place.join("vumi.yaml")).unwrap(), "a: { component: sub/a.wasm }\n");
        for outside in ["../a.wasm", "/tmp/a.wasm"] {
            let error = lay_out(&place, &format!("component: {outside}\n"), &guest).unwrap_err();
            assert!(error.contains("lies outside the file's folder"), "{error}");
        }
    }
}
