//! The edges between crates, and which of them sees which library: the table and the invariants of ARCHITECTURE.md.
//!
//! What a crate needs for its own tests, examples and benchmarks is its own affair and no edge, with two exceptions:
//! nobody depends on the tests or the chores, and some crates never see an async runtime.

use super::Report;
use super::workspace::{Kind, Workspace};

/// Crate → the crates of the house that it may depend on.
const EDGES: &[(&str, &[&str])] = &[
    ("vumi-message", &[]),
    ("vumi-bindings", &[]),
    ("vumi-sqlite", &[]),
    ("vumi-core", &["vumi-message"]),
    ("vumi-codec", &["vumi-message"]),
    ("vumi-broker", &["vumi-core", "vumi-message", "vumi-sqlite"]),
    ("vumi-store", &["vumi-core", "vumi-message", "vumi-sqlite"]),
    ("vumi-dispatch", &["vumi-core", "vumi-message"]),
    ("vumi-transport", &["vumi-core", "vumi-message", "vumi-codec"]),
    ("vumi-worker", &["vumi-core", "vumi-message"]),
    ("vumi-sandbox", &["vumi-core", "vumi-message", "vumi-bindings"]),
    ("vumi-admin", &["vumi-core", "vumi-message"]),
    ("vumi-yaml", &[]),
    // Tests of apps: the sandbox with a kv in memory.
    ("vumi-rehearsal", &["vumi-core", "vumi-message", "vumi-sandbox", "vumi-store", "vumi-yaml"]),
    (
        // All that have a part in a running host. Not vumi-sqlite: it is what broker and store have in common.
        "vumi-host",
        &[
            "vumi-admin",
            "vumi-bindings",
            "vumi-broker",
            "vumi-codec",
            "vumi-core",
            "vumi-dispatch",
            "vumi-message",
            "vumi-rehearsal",
            "vumi-sandbox",
            "vumi-store",
            "vumi-transport",
            "vumi-worker",
            "vumi-yaml",
        ],
    ),
    // The chores must be ready before anything else is built. The servers of the tests may come along: the test command
    // starts them, and that crate is small and sees no crate of the house either.
    (CHORES, &[SERVERS]),
    (SERVERS, &[]),
    // Runs when the script engine is built, never in a host.
    ("vumi-engine-build", &[]),
];

/// The package of the tests: it may use everything.
pub(super) const TESTS: &str = "vumi-tests";

/// The package that starts private servers for the tests; those of any crate may use it.
const SERVERS: &str = "vumi-test-servers";

/// The package of the chores.
const CHORES: &str = "xtask";

/// Library, with all that belongs to it (`axum` and `axum-…`) → the crates that may see it.
const ONLY: &[(&str, &[&str])] = &[
    ("wasmtime", &["vumi-bindings", "vumi-sandbox", "vumi-engine-build"]),
    ("lapin", &["vumi-broker"]),
    ("redis", &["vumi-store"]),
    ("axum", &["vumi-transport", "vumi-admin", "vumi-worker"]),
    ("rusqlite", &["vumi-sqlite", "vumi-broker", "vumi-store"]),
];

/// Crates that never see an async runtime, not even in their tests: they are bytes and values.
const WITHOUT_TOKIO: &[&str] = &["vumi-message", "vumi-codec"];

/// Checks every dependency of every crate.
pub(super) fn check(workspace: &Workspace, report: &mut Report) {
    let house: Vec<&str> = workspace.members.iter().map(|member| member.name.as_str()).collect();
    for member in &workspace.members {
        let (name, place) = (member.name.as_str(), &member.place);
        let allowed = EDGES.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed);
        if allowed.is_none() && name != TESTS {
            report.faults.push(format!(
                "{place}: {name} is a new crate; say in xtask/src/tidy/edges.rs and in ARCHITECTURE.md what it may \
                 depend on"
            ));
        }
        for dependency in workspace.dependencies(member) {
            let package = dependency.package;
            if [TESTS, CHORES].contains(&package) {
                report.faults.push(format!("{place}: nobody may depend on {package}, and {name} does; take it out"));
                continue;
            }
            if WITHOUT_TOKIO.contains(&name) && belongs_to(package, "tokio") {
                report.faults.push(format!(
                    "{place}: {name} must never see an async runtime; take {package} out and do that work in a crate \
                     that uses {name}"
                ));
            }
            if dependency.kind == Kind::Dev || name == TESTS {
                continue;
            }
            if house.contains(&package) && allowed.is_some_and(|allowed| !allowed.contains(&package)) {
                report.faults.push(format!(
                    "{place}: {name} must not depend on {package}; ARCHITECTURE.md has the table of what it may depend on"
                ));
            }
            let owners = ONLY.iter().find(|(library, _)| belongs_to(package, library)).map(|(_, owners)| *owners);
            if let Some(owners) = owners
                && !owners.contains(&name)
            {
                report.faults.push(format!(
                    "{place}: {name} must not see {package}; only {} may, behind an interface of their own",
                    owners.join(", ")
                ));
            }
        }
    }
}

/// True for a library itself and for the packages that carry its name in front.
fn belongs_to(package: &str, library: &str) -> bool {
    package.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
