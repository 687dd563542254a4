//! The manifests of the workspace, read once for all rules about them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::Report;
use crate::run::projects;

/// The root's manifest and those of all members.
#[derive(Default)]
pub(super) struct Workspace {
    /// The root's `[workspace.dependencies]`.
    pub(super) table: Table,
    /// The crates, in the order of their folders' names.
    pub(super) members: Vec<Member>,
}

/// One crate.
pub(super) struct Member {
    /// The package's name.
    pub(super) name: String,
    /// Where its manifest is, from the root.
    pub(super) place: String,
    /// Its manifest.
    pub(super) manifest: Table,
}

/// What a dependency is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Linked into the crate, or run to build it.
    Real,
    /// Only for the crate's own tests, examples and benchmarks.
    Dev,
}

/// One line of a crate's dependencies.
pub(super) struct Dependency<'a> {
    /// What it is called in the manifest.
    pub(super) key: &'a str,
    /// The package that this is; another name than the key when it is renamed.
    pub(super) package: &'a str,
    /// What it is for.
    pub(super) kind: Kind,
    /// What stands after the key.
    pub(super) value: &'a Value,
}

/// The sections of a manifest that name dependencies, also below `[target.'cfg(…)']`.
const SECTIONS: &[(&str, Kind)] =
    &[("dependencies", Kind::Real), ("build-dependencies", Kind::Real), ("dev-dependencies", Kind::Dev)];

/// Reads all manifests; what cannot be read is reported and left out.
pub(super) fn load(root: &Path, report: &mut Report) -> Workspace {
    let Some(own) = read(root, "Cargo.toml", report) else { return Workspace::default() };
    let workspace = own.get("workspace");
    let table = workspace.and_then(|workspace| workspace.get("dependencies")).and_then(Value::as_table);
    let patterns = workspace.and_then(|workspace| workspace.get("members")).and_then(Value::as_array);
    let mut members = Vec::new();
    for pattern in patterns.into_iter().flatten().filter_map(Value::as_str) {
        let folders: Vec<String> = match pattern.strip_suffix("/*") {
            Some(parent) => projects(&root.join(parent))
                .iter()
                .filter_map(|path| Some(format!("{parent}/{}", path.file_name()?.to_str()?)))
                .collect(),
            None => vec![pattern.to_owned()],
        };
        for folder in folders {
            let place = format!("{folder}/Cargo.toml");
            let Some(manifest) = read(root, &place, report) else { continue };
            let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
            match name.map(str::to_owned) {
                Some(name) => members.push(Member { name, place, manifest }),
                None => report.faults.push(format!("{place}: the package has no name")),
            }
        }
    }
    Workspace { table: table.cloned().unwrap_or_default(), members }
}

/// A manifest; what is wrong with it is reported.
pub(super) fn read(root: &Path, place: &str, report: &mut Report) -> Option<Table> {
    let text = fs::read_to_string(root.join(place)).map_err(|error| report.faults.push(format!("{place}: {error}")));
    let text = text.ok()?;
    let table = text.parse::<Table>().map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.split('\n').count();
        report.faults.push(format!("{place}:{line}: is not TOML: {}", error.message()));
    });
    table.ok()
}

impl Workspace {
    /// The dependencies of a member, of all kinds and for all machines.
    pub(super) fn dependencies<'a>(&'a self, member: &'a Member) -> Vec<Dependency<'a>> {
        let targets = member.manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let places = std::iter::once(&member.manifest).chain(targets.filter_map(Value::as_table));
        let mut found = Vec::new();
        for place in places {
            for (section, kind) in SECTIONS {
                let entries = place.get(*section).and_then(Value::as_table).into_iter().flatten();
                found.extend(entries.map(|(key, value)| Dependency {
                    key,
                    package: renamed(value).or_else(|| renamed(self.table.get(key)?)).unwrap_or(key),
                    kind: *kind,
                    value,
                }));
            }
        }
        found
    }

    /// Who uses each line of the root's table, by its key.
    pub(super) fn users(&self) -> BTreeMap<&str, usize> {
        let mut users: BTreeMap<&str, usize> = self.table.keys().map(|key| (key.as_str(), 0)).collect();
        for member in &self.members {
            for dependency in self.dependencies(member) {
                if let Some(count) = users.get_mut(dependency.key) {
                    *count += 1;
                }
            }
        }
        users
    }
}

fn renamed(value: &Value) -> Option<&str> {
    value.get("package").and_then(Value::as_str)
}

/// True for `{ workspace = true, … }`.
pub(super) fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}
