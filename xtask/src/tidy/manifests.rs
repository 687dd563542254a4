//! What every manifest says: what the crate is, its licence, the workspace's lints, and no version of its own.

use std::path::Path;

use toml::{Table, Value};

use super::Report;
use super::edges::TESTS;
use super::workspace::{Workspace, inherits, read};
use crate::run::projects;

/// Where the projects are that are workspaces of their own, because they are compiled for guests.
const OUTSIDE: &[&str] = &["sdk", "guest-examples", "tests/guests"];

/// Checks all manifests.
pub(super) fn check(root: &Path, workspace: &Workspace, report: &mut Report) {
    for member in &workspace.members {
        says_what_it_is(&member.place, &member.manifest, report);
        // The kit of the tests is a library, to which clippy's leave for tests (unwrap, expect, panic) does not extend.
        if member.name != TESTS && !inherits(member.manifest.get("lints")) {
            let place = &member.place;
            report.faults.push(format!("{place}: the workspace's lints do not apply; add `[lints] workspace = true`"));
        }
        for dependency in workspace.dependencies(member) {
            if !inherits(Some(dependency.value)) {
                report.faults.push(format!(
                    "{}: `{key}` has a version or path of its own; put that into the root's table and write \
                     `{key}.workspace = true`",
                    member.place,
                    key = dependency.key
                ));
            }
        }
    }
    for (key, users) in workspace.users() {
        if users == 0 {
            report.faults.push(format!("Cargo.toml: nobody uses `{key}`; take it out of the table"));
        }
    }
    for parent in OUTSIDE {
        for folder in projects(&root.join(parent)) {
            let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
            let place = format!("{parent}/{name}/Cargo.toml");
            if let Some(manifest) = read(root, &place, report) {
                says_what_it_is(&place, &manifest, report);
            }
        }
    }
}

fn says_what_it_is(place: &str, manifest: &Table, report: &mut Report) {
    let package = manifest.get("package").and_then(Value::as_table);
    for key in ["description", "license"] {
        let value = package.and_then(|package| package.get(key));
        if !inherits(value) && value.and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
            report.faults.push(format!("{place}: the package has no `{key}`; add it"));
        }
    }
}
