//! The edges between crates, and which of them sees which library.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

/// Crate → the crates of the house that it may depend on. What is not listed may depend on none.
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
    ("vumi-sandbox", &["vumi-core", "vumi-message", "vumi-bindings"]),
    ("vumi-admin", &["vumi-core", "vumi-message"]),
    (
        "vumi-host",
        &[
            "vumi-core",
            "vumi-message",
            "vumi-broker",
            "vumi-store",
            "vumi-transport",
            "vumi-dispatch",
            "vumi-sandbox",
            "vumi-admin",
        ],
    ),
];

/// Library → the crates that may see it.
const ONLY: &[(&str, &[&str])] = &[
    ("wasmtime", &["vumi-bindings", "vumi-sandbox"]),
    ("wasmtime-wasi", &["vumi-bindings", "vumi-sandbox"]),
    ("lapin", &["vumi-broker"]),
    ("axum", &["vumi-transport", "vumi-admin"]),
    ("rusqlite", &["vumi-sqlite", "vumi-broker", "vumi-store"]),
];

/// Crates that never see an async runtime.
const WITHOUT_TOKIO: &[&str] = &["vumi-message", "vumi-codec"];

/// Checks every manifest of the workspace.
pub(super) fn check(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    let mut manifests = BTreeMap::new();
    for folder in
        crate::run::projects(&root.join("host")).into_iter().chain(["tests", "xtask"].map(|name| root.join(name)))
    {
        let path = folder.join("Cargo.toml");
        match fs::read_to_string(&path).map_err(|error| error.to_string()).and_then(|text| parse(&text)) {
            Ok(table) => {
                let name = table.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
                manifests.insert(name.unwrap_or_default().to_owned(), table);
            }
            Err(error) => faults.push(format!("{}: {error}", super::shown(root, &path))),
        }
    }
    for (name, manifest) in &manifests {
        check_form(name, manifest, &mut faults);
        if !matches!(name.as_str(), "vumi-tests" | "xtask") {
            check_edges(name, manifest, &mut faults);
        }
    }
    check_table(root, &manifests, &mut faults);
    faults
}

fn parse(text: &str) -> Result<Table, String> {
    text.parse::<Table>().map_err(|error| error.to_string())
}

fn dependencies<'a>(manifest: &'a Table, section: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    manifest.get(section).and_then(Value::as_table).into_iter().flatten()
}

fn check_form(name: &str, manifest: &Table, faults: &mut Vec<String>) {
    let package = manifest.get("package").and_then(Value::as_table);
    for key in ["description", "license"] {
        if package.is_none_or(|package| !package.contains_key(key)) {
            faults.push(format!("{name}: its manifest has no `{key}`"));
        }
    }
    let inherits =
        |value: Option<&Value>| value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true);
    if name != "vumi-tests" && !inherits(manifest.get("lints")) {
        faults.push(format!("{name}: its manifest lacks `[lints] workspace = true`"));
    }
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (dependency, value) in dependencies(manifest, section) {
            if !inherits(Some(value)) {
                faults.push(format!(
                    "{name}: `{dependency}` must be `workspace = true`; versions stand in the root's table alone"
                ));
            }
        }
    }
}

fn check_edges(name: &str, manifest: &Table, faults: &mut Vec<String>) {
    let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == name) else {
        faults.push(format!(
            "{name}: is a new crate; say in xtask/src/tidy/manifests.rs and ARCHITECTURE.md what it may depend on"
        ));
        return;
    };
    for (dependency, _) in dependencies(manifest, "dependencies") {
        let dependency = dependency.as_str();
        if (dependency.starts_with("vumi-") || dependency == "xtask") && !allowed.contains(&dependency) {
            faults.push(format!("{name} must not depend on {dependency}; see the table in ARCHITECTURE.md"));
        }
        if ONLY.iter().any(|(library, crates)| *library == dependency && !crates.contains(&name)) {
            faults.push(format!("{name} must not see {dependency}; see the invariants in ARCHITECTURE.md"));
        }
        if dependency.starts_with("tokio") && WITHOUT_TOKIO.contains(&name) {
            faults.push(format!("{name} must not see an async runtime ({dependency})"));
        }
    }
}

/// Whatever the root's table lists is used by somebody.
fn check_table(root: &Path, manifests: &BTreeMap<String, Table>, faults: &mut Vec<String>) {
    let text = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let table = parse(&text).unwrap_or_default();
    let listed = table.get("workspace").and_then(|workspace| workspace.get("dependencies")).and_then(Value::as_table);
    for name in listed.into_iter().flat_map(Table::keys) {
        let used = |manifest: &Table| {
            ["dependencies", "dev-dependencies"]
                .iter()
                .any(|section| dependencies(manifest, section).any(|(known, _)| known == name))
        };
        if !manifests.values().any(used) {
            faults.push(format!("Cargo.toml: nobody uses `{name}`; take it out of the table"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(name: &str, text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        check_edges(name, &parse(text).unwrap(), &mut faults);
        faults
    }

    #[test]
    fn forbidden_edges_are_found() {
        let planted = [
            ("vumi-transport", "[dependencies]\nvumi-broker.workspace = true", "must not depend on vumi-broker"),
            ("vumi-store", "[dependencies]\nwasmtime.workspace = true", "must not see wasmtime"),
            ("vumi-message", "[dependencies]\ntokio.workspace = true", "async runtime"),
            ("vumi-new", "", "is a new crate"),
        ];
        for (name, text, part) in planted {
            let faults = edges(name, text);
            assert!(faults.iter().any(|fault| fault.contains(part)), "{name}: {faults:?}");
        }
        assert!(
            edges(
                "vumi-broker",
                "[dependencies]\nvumi-core.workspace = true\n[dev-dependencies]\nvumi-store.workspace = true"
            )
            .is_empty()
        );
    }

    #[test]
    fn versions_stand_in_the_root() {
        let mut faults = Vec::new();
        check_form("x", &parse("[package]\ndescription = \"d\"\nlicense = \"l\"\n[lints]\nworkspace = true\n[dependencies]\nserde = \"1\"").unwrap(), &mut faults);
        assert_eq!(faults, ["x: `serde` must be `workspace = true`; versions stand in the root's table alone"]);
    }
}
