//! Every rule finds what breaks it: a small repository that breaks none, and one planted fault after the other.

use std::fs;
use std::path::Path;

use super::sources::UNSAFE_LINT;
use super::{Report, examine};

/// A repository in which all is well.
struct Tree(tempfile::TempDir);

const MESSAGE: &str = "host/vumi-message/Cargo.toml";
const TRANSPORT: &str = "host/vumi-transport/Cargo.toml";
const SOURCE: &str = "host/vumi-message/src/lib.rs";

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        let names = ["vumi-message", "vumi-core", "vumi-sqlite", "vumi-broker", "vumi-transport", "vumi-host"];
        tree.write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"host/*\", \"tests\", \"xtask\"]\n[workspace.dependencies]\nserde = \"1\"\n\
             vumi-message = { path = \"host/vumi-message\" }\n",
        );
        for name in names {
            tree.manifest(&format!("host/{name}"), name);
            tree.write(&format!("host/{name}/src/lib.rs"), "//! What this is for.\n");
        }
        tree.manifest("tests", "vumi-tests");
        tree.manifest("xtask", "xtask");
        tree.append(MESSAGE, "[dependencies]\nserde.workspace = true\n");
        tree.append("host/vumi-core/Cargo.toml", "[dependencies]\nvumi-message.workspace = true\n");
        tree.write("host/vumi-sandbox/src/cache.rs", &format!("//! Cache.\n#[allow({UNSAFE_LINT})]\nfn f() {{}}\n"));
        tree.write(
            "guest-examples/echo/Cargo.toml",
            "[package]\nname = \"echo\"\ndescription = \"d\"\nlicense = \"l\"\n",
        );
        tree.write("README.md", "# One thing\n\nSee [the guide](docs/guide.md#two-things) and [here](#one-thing).\n");
        tree.write("docs/guide.md", "# Two things\n\n[Back](../README.md), [code](../host/vumi-host/src/lib.rs#L1).\n");
        tree
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn append(&self, name: &str, text: &str) {
        let before = fs::read_to_string(self.0.path().join(name)).unwrap_or_default();
        self.write(name, &(before + text));
    }

    fn manifest(&self, folder: &str, name: &str) {
        self.write(
            &format!("{folder}/Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\ndescription = \"What it is.\"\nlicense.workspace = true\n\
                 [lints]\nworkspace = true\n"
            ),
        );
    }

    fn examine(&self) -> Report {
        examine(self.0.path())
    }
}

/// Plants one text, at the end of a file, and expects exactly one fault: at a place, with these words.
#[track_caller]
fn planted(file: &str, text: &str, place: &str, words: &str) {
    let tree = Tree::new();
    tree.append(file, text);
    expect(&tree, place, words);
}

#[track_caller]
fn expect(tree: &Tree, place: &str, words: &str) {
    let faults = tree.examine().faults;
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].starts_with(&format!("{place}: ")) && faults[0].contains(words), "{faults:#?}");
}

/// Plants a text that is no fault.
#[track_caller]
fn allowed(file: &str, text: &str) {
    let tree = Tree::new();
    tree.append(file, text);
    let report = tree.examine();
    assert!(report.faults.is_empty(), "{:#?}", report.faults);
}

/// Adds a line to the root's table, so that only the edge itself is wrong.
fn with_library(line: &str) -> Tree {
    let tree = Tree::new();
    tree.append("Cargo.toml", line);
    tree
}

#[test]
fn nothing_is_wrong_where_nothing_is_wrong() {
    let report = Tree::new().examine();
    assert!(report.faults.is_empty() && report.warnings.is_empty(), "{report:#?}");
}

#[test]
fn the_rules_look_at_this_repository_and_not_at_what_is_built_from_it() {
    let names = super::files::all(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap());
    for expected in ["Cargo.toml", ".cargo/config.toml", "xtask/src/tidy/tests.rs"] {
        assert!(names.iter().any(|name| name == expected), "{expected} is not in {names:?}");
    }
    assert!(!names.iter().any(|name| name.starts_with("target/") || name.contains("/target/")), "{names:?}");
}

#[test]
fn siblings_never_depend_on_each_other() {
    for (name, other) in [
        ("vumi-transport", "vumi-broker"),
        ("vumi-transport", "vumi-sqlite"),
        ("vumi-host", "vumi-sqlite"),
        ("vumi-broker", "vumi-host"),
        ("vumi-message", "vumi-core"),
    ] {
        let place = format!("host/{name}/Cargo.toml");
        for (table, section, key) in [
            (format!("{other} = {{ path = \"x\" }}\n"), "build-dependencies", other),
            (format!("{other} = {{ path = \"x\" }}\n"), "target.'cfg(unix)'.dependencies", other),
            (format!("new = {{ path = \"x\", package = \"{other}\" }}\n"), "build-dependencies", "new"),
        ] {
            let tree = with_library(&table);
            tree.append(&place, &format!("[{section}]\n{key}.workspace = true\n"));
            expect(&tree, &place, &format!("{name} must not depend on {other};"));
        }
    }
    let tree = with_library("vumi-sqlite = { path = \"x\" }\n");
    tree.append("host/vumi-broker/Cargo.toml", "[dependencies]\nvumi-sqlite.workspace = true\n");
    assert!(tree.examine().faults.is_empty(), "this edge is in the table");
    tree.append("xtask/Cargo.toml", "[dependencies]\nvumi-sqlite.workspace = true\n");
    expect(&tree, "xtask/Cargo.toml", "xtask must not depend on vumi-sqlite;");
}

/// A repository with the servers of the tests.
fn with_servers() -> Tree {
    let tree = with_library("vumi-test-servers = { path = \"tests/servers\" }\n");
    let root = fs::read_to_string(tree.0.path().join("Cargo.toml")).unwrap();
    tree.write("Cargo.toml", &root.replace("\"tests\"", "\"tests\", \"tests/servers\""));
    tree.manifest("tests/servers", "vumi-test-servers");
    tree.write("tests/servers/src/lib.rs", "//! What this is for.\n");
    tree
}

#[test]
fn the_servers_of_the_tests_are_for_tests_and_the_chores_and_need_nothing() {
    let tree = with_servers();
    tree.append("xtask/Cargo.toml", "[dependencies]\nvumi-test-servers.workspace = true\n");
    tree.append("host/vumi-broker/Cargo.toml", "[dev-dependencies]\nvumi-test-servers.workspace = true\n");
    assert!(tree.examine().faults.is_empty(), "{:#?}", tree.examine().faults);
    tree.append("host/vumi-broker/Cargo.toml", "[dependencies]\nvumi-test-servers.workspace = true\n");
    expect(&tree, "host/vumi-broker/Cargo.toml", "vumi-broker must not depend on vumi-test-servers;");

    let tree = with_servers();
    tree.append("xtask/Cargo.toml", "[dependencies]\nvumi-test-servers.workspace = true\n");
    tree.append("tests/servers/Cargo.toml", "[dependencies]\nvumi-message.workspace = true\n");
    expect(&tree, "tests/servers/Cargo.toml", "vumi-test-servers must not depend on vumi-message;");
}

#[test]
fn a_crate_may_use_what_it_likes_for_its_own_tests() {
    let tree = with_library("vumi-broker = { path = \"x\" }\nwasmtime = \"48\"\n");
    tree.append(TRANSPORT, "[dev-dependencies]\nvumi-broker.workspace = true\nwasmtime.workspace = true\n");
    tree.append("tests/Cargo.toml", "[dependencies]\nvumi-broker.workspace = true\nwasmtime.workspace = true\n");
    assert!(tree.examine().faults.is_empty());
}

#[test]
fn nobody_depends_on_tests_and_chores() {
    for other in ["vumi-tests", "xtask"] {
        for section in ["dependencies", "dev-dependencies"] {
            let tree = with_library(&format!("{other} = {{ path = \"x\" }}\n"));
            tree.append(TRANSPORT, &format!("[{section}]\n{other}.workspace = true\n"));
            expect(&tree, TRANSPORT, &format!("nobody may depend on {other}"));
        }
    }
}

#[test]
fn a_new_crate_has_its_place_in_the_table() {
    let tree = Tree::new();
    tree.manifest("host/vumi-new", "vumi-new");
    expect(&tree, "host/vumi-new/Cargo.toml", "vumi-new is a new crate");
}

#[test]
fn libraries_are_seen_by_their_owners_alone() {
    for (library, owner, stranger) in [
        ("wasmtime", "vumi-sandbox", "vumi-host"),
        ("wasmtime-wasi", "vumi-bindings", "vumi-transport"),
        ("lapin", "vumi-broker", "vumi-host"),
        ("axum", "vumi-transport", "vumi-host"),
        ("axum-extra", "vumi-admin", "vumi-core"),
        ("rusqlite", "vumi-sqlite", "vumi-transport"),
    ] {
        let lines = format!("{library} = \"1\"\n");
        let uses = format!("[dependencies]\n{library}.workspace = true\n");
        let tree = with_library(&lines);
        tree.manifest(&format!("host/{owner}"), owner);
        tree.append(&format!("host/{owner}/Cargo.toml"), &uses);
        let faults = tree.examine().faults;
        assert!(faults.is_empty(), "{faults:#?}");
        tree.manifest(&format!("host/{stranger}"), stranger);
        tree.append(&format!("host/{stranger}/Cargo.toml"), &uses);
        let faults = tree.examine().faults;
        let expected = format!("host/{stranger}/Cargo.toml: {stranger} must not see {library}; only ");
        assert!(faults.iter().any(|fault| fault.starts_with(&expected)), "{library}: {faults:#?}");
    }
    let tree = with_library("utoipa-axum = \"1\"\n");
    tree.append("host/vumi-host/Cargo.toml", "[dependencies]\nutoipa-axum.workspace = true\n");
    assert!(tree.examine().faults.is_empty(), "another library that only mentions it");
}

#[test]
fn messages_never_see_an_async_runtime() {
    for section in ["build-dependencies", "dev-dependencies"] {
        for library in ["tokio", "tokio-util"] {
            let tree = with_library(&format!("{library} = \"1\"\n"));
            tree.append(MESSAGE, &format!("[{section}]\n{library}.workspace = true\n"));
            expect(&tree, MESSAGE, "vumi-message must never see an async runtime");
        }
    }
}

#[test]
fn manifests_say_what_they_must() {
    let package = "[package]\nname = \"vumi-host\"\n";
    let (described, licensed) = ("description = \"d\"\n", "license = \"l\"\n");
    let lints = "[lints]\nworkspace = true\n";
    let place = "host/vumi-host/Cargo.toml";
    for (text, words) in [
        (format!("{package}{licensed}{lints}"), "no `description`"),
        (format!("{package}description = \" \"\n{licensed}{lints}"), "no `description`"),
        (format!("{package}{described}{lints}"), "no `license`"),
        (format!("{package}{described}{licensed}"), "add `[lints] workspace = true`"),
        (format!("{package}{described}{licensed}[lints]\nworkspace = false\n"), "add `[lints] workspace = true`"),
        (format!("{described}{licensed}[package.x]\n"), "the package has no name"),
        ("[package]\nname\n".to_owned(), ":2: is not TOML: "),
    ] {
        let tree = Tree::new();
        tree.write(place, &text);
        let faults = tree.examine().faults;
        assert!(faults.iter().any(|fault| fault.starts_with(place) && fault.contains(words)), "{words}: {faults:#?}");
    }
    let tree = Tree::new();
    tree.write("guest-examples/echo/Cargo.toml", "[package]\nname = \"echo\"\nlicense = \"l\"\n");
    expect(&tree, "guest-examples/echo/Cargo.toml", "no `description`");
}

#[test]
fn versions_stand_in_the_root_alone() {
    let own = "has a version or path of its own";
    planted(TRANSPORT, "[dependencies]\nserde = \"1\"\n", TRANSPORT, own);
    planted(TRANSPORT, "[dev-dependencies]\nserde = { version = \"1\" }\n", TRANSPORT, own);
    planted(TRANSPORT, "[target.'cfg(unix)'.dependencies]\nserde = { path = \"x\" }\n", TRANSPORT, own);
    planted(TRANSPORT, "[dependencies]\nserde = { workspace = false, version = \"1\" }\n", TRANSPORT, own);
    allowed(TRANSPORT, "[dependencies]\nserde = { workspace = true, features = [\"derive\"] }\n");
}

#[test]
fn the_table_lists_only_what_is_used() {
    planted("Cargo.toml", "bytes = \"1\"\n", "Cargo.toml", "nobody uses `bytes`");
    let tree = with_library("bytes = \"1\"\n");
    tree.append("tests/Cargo.toml", "[dev-dependencies]\nbytes.workspace = true\n");
    assert!(tree.examine().faults.is_empty());
}

#[test]
fn only_the_host_reads_the_environment() {
    let reads = "fn f() { std::env::var(\"A\"); }\n";
    for text in [reads, "fn f() { for _ in env::vars() {} }\n", "use std::env::{self, var_os};\n"] {
        planted(SOURCE, text, &format!("{SOURCE}:2"), "only vumi-host reads the environment");
    }
    allowed("host/vumi-host/src/lib.rs", reads);
    allowed(SOURCE, "/// Not `std::env::var`.\n// env::var\nuse std::env::{args, temp_dir};\n");
    for place in ["tests/src/kit.rs", "xtask/src/run.rs", "host/vumi-broker/tests/crash.rs"] {
        allowed(place, &format!("//! A program of its own.\n{reads}"));
    }
}

#[test]
fn lifting_that_lint_has_named_places() {
    for text in [
        format!("#[allow({UNSAFE_LINT})]\n"),
        format!("#![expect(clippy::all, {UNSAFE_LINT}, reason = \"x\")]\n"),
        format!("    {UNSAFE_LINT},\n"),
    ] {
        planted(SOURCE, &text, &format!("{SOURCE}:2"), "unsafe code stands only in the places");
    }
    allowed(SOURCE, &format!("#![forbid({UNSAFE_LINT})]\n// allow({UNSAFE_LINT})\n"));
    let tree = Tree::new();
    tree.write("host/vumi-sandbox/src/cache.rs", "//! Safe now.\n");
    expect(&tree, "host/vumi-sandbox/src/cache.rs", "has no unsafe code any more");
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    planted(SOURCE, &"fn f() {}\n".repeat(600), SOURCE, "has 601 lines, more than 600");
    planted("host/vumi-admin/assets/a.js", &"f();\n".repeat(601), "host/vumi-admin/assets/a.js", "has 601 lines");
    allowed("README.md", &"text\n".repeat(700));
    let tree = Tree::new();
    tree.append(SOURCE, &"fn f() {}\n".repeat(400));
    let report = tree.examine();
    assert_eq!(report.warnings, [format!("{SOURCE}: has 401 lines; beyond 600 it must be split")]);
    assert!(report.faults.is_empty(), "{report:#?}");
    for text in ["fn f() {}\n", "\n//! Late.\n", "// Not this.\n", "//!\n", "/// Nor this.\n"] {
        planted("tests/e2e/a.rs", text, "tests/e2e/a.rs", "must begin with a `//!` text");
    }
}

#[test]
fn text_has_no_invisible_marks() {
    planted(SOURCE, "\tfn f() {}\n", &format!("{SOURCE}:2"), "holds a tab");
    planted(SOURCE, "fn f() {} \n", &format!("{SOURCE}:2"), "ends with white space");
    planted("docs/b.md", "a\r\n", "docs/b.md:1", "ends with white space");
    planted(".ci/run", "exec x", ".ci/run", "does not end with a line break");
    planted("wit/a.wit", "", "wit/a.wit", "does not end with a line break");
    let tree = Tree::new();
    fs::write(tree.0.path().join("docs/c.md"), [b'a', 0xff, b'\n']).unwrap();
    expect(&tree, "docs/c.md", "is not readable as UTF-8 text");
    for place in [
        "target/a.rs",
        "tests/fixtures/a.json",
        "data/a.rs",
        ".git/a",
        ".idea/a.rs",
        "sdk/js/node_modules/a.js",
        "guest-examples/js/shop/dist/shop.mjs",
    ] {
        allowed(place, "\tno rule of ours ");
    }
}

#[test]
fn links_lead_somewhere() {
    for (text, words) in [
        ("[a](gone.md)\n", "`gone.md` leads nowhere: there is no gone.md"),
        ("![a](docs/gone.png)\n", "there is no docs/gone.png"),
        ("[a]: docs/gone.md\n", "there is no docs/gone.md"),
        ("<a href=\"gone.html\">x</a>\n", "there is no gone.html"),
        ("[a](#gone)\n", "names the heading `#gone`, which is not there"),
        ("[a](docs/guide.md#gone)\n", "names the heading `#gone`"),
        ("[a](docs#x)\n", "docs has no headings"),
        ("[a](Cargo.toml#x)\n", "Cargo.toml has no headings"),
        ("[a](../outside.md)\n", "leaves the repository"),
        ("[a](/README.md)\n", "is absolute"),
    ] {
        planted("README.md", text, "README.md:4", words);
    }
    planted("sdk/rust/README.md", "[a](../gone)\n", "sdk/rust/README.md:1", "there is no sdk/gone");
    for text in [
        "[a](https://example.org/x.md#y) <https://example.org> [m](mailto:a@example.org)\n",
        "[a](docs) [b](docs/guide.md) [c](./docs/../README.md#one-thing) [d](%52EADME.md)\n",
        "```\n[a](gone.md)\n```\n`[a](gone.md)`\n",
    ] {
        allowed("README.md", text);
    }
}
