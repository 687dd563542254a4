//! The test command: step by step, the first failure ends it.

use std::process::Command;
use std::time::Instant;

use crate::run::{cargo, guest_target, has, root, run};
use crate::{examples, guests, tidy};

/// One step.
struct Step {
    name: &'static str,
    what: &'static str,
    work: fn() -> Result<(), String>,
}

/// All of them, in order.
const STEPS: &[Step] = &[
    Step { name: "prerequisites", what: "installs what is missing", work: prerequisites },
    Step { name: "fmt", what: "formatting", work: fmt },
    Step { name: "tidy", what: "crate edges, file heads, links", work: tidy::check },
    Step { name: "guests", what: "builds the guests", work: guests::build },
    Step { name: "build", what: "builds the host", work: build },
    Step { name: "clippy", what: "lints, warnings are errors", work: clippy },
    Step { name: "unit", what: "unit and contract tests of every crate", work: unit },
    Step { name: "conformance", what: "Vumi's formats and behaviour", work: || suite("conformance") },
    Step { name: "e2e", what: "the built host, over sockets and in a browser", work: || suite("e2e") },
    Step { name: "hostile", what: "bad guests, bad input, faults", work: || suite("hostile") },
    Step { name: "doc", what: "documentation builds without warnings", work: doc },
    Step { name: "examples", what: "configuration files in the documentation", work: examples::check },
];

/// `cargo xtask test`.
pub(crate) fn test(arguments: &[&str]) -> Result<(), String> {
    let (mut only, mut skip) = (Vec::new(), Vec::new());
    let mut words = arguments.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "--list" => {
                for step in STEPS {
                    println!("{:<14} {}", step.name, step.what);
                }
                return Ok(());
            }
            "--only" => only.push(named(words.next())?),
            "--skip" => skip.push(named(words.next())?),
            other => return Err(format!("`cargo xtask test` does not know `{other}`; see `cargo xtask --help`")),
        }
    }
    let began = Instant::now();
    let mut passed = 0;
    for step in STEPS {
        if skip.contains(&step.name) || !(only.is_empty() || only.contains(&step.name)) {
            continue;
        }
        println!("==> {}: {}", step.name, step.what);
        let step_began = Instant::now();
        (step.work)().map_err(|reason| {
            format!("step `{0}` failed: {reason}\nrepeat it with: cargo xtask test --only {0}", step.name)
        })?;
        println!("==> {} passed in {} s", step.name, step_began.elapsed().as_secs());
        passed += 1;
    }
    println!("all {passed} steps passed in {} s", began.elapsed().as_secs());
    Ok(())
}

fn named(name: Option<&str>) -> Result<&'static str, String> {
    let name = name.unwrap_or_default();
    let found = STEPS.iter().find(|step| step.name == name);
    found
        .map(|step| step.name)
        .ok_or_else(|| format!("there is no step `{name}`; `cargo xtask test --list` names them"))
}

/// rust-toolchain.toml brings target and components where rustup is; the browser comes from Debian.
fn prerequisites() -> Result<(), String> {
    if !has("rustup") {
        println!("  no rustup: the target wasm32-wasip2 must have been installed by other means");
    }
    if !has("python3") {
        return Err("python3 is missing; install it (Debian: apt-get install python3)".into());
    }
    if has("chromedriver") && (has("chromium") || has("google-chrome")) {
        return Ok(());
    }
    let packages = ["chromium", "chromium-driver"];
    let sudo: &[&str] = if has("sudo") && !is_root() { &["sudo", "-n"] } else { &[] };
    if !has("apt-get") || (sudo.is_empty() && !is_root()) {
        return Err(format!("a browser for the tests is missing; install {}", packages.join(" and ")));
    }
    let apt = |words: &[&str]| {
        let all: Vec<&str> = sudo.iter().copied().chain(["apt-get"]).chain(words.iter().copied()).collect();
        let (program, rest) = all.split_first().ok_or("nothing to run")?;
        run(Command::new(program).args(rest).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "-qq"])?;
    apt(&["install", "-y", "-qq", "--no-install-recommends", "chromium", "chromium-driver"])
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0"))
}

fn fmt() -> Result<(), String> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    for folder in guests::folders().into_iter().chain([root().join("sdk/rust")]) {
        run(cargo().args(["fmt", "--check"]).current_dir(folder))?;
    }
    Ok(())
}

fn build() -> Result<(), String> {
    run(cargo().args(["build", "--locked", "-p", "vumi-host"]))
}

fn clippy() -> Result<(), String> {
    run(cargo().args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    for folder in guests::folders().into_iter().chain([root().join("sdk/rust")]) {
        let mut command = cargo();
        command.current_dir(folder).env("CARGO_TARGET_DIR", guest_target());
        command.args(["clippy", "--quiet", "--release", "--target", "wasm32-wasip2", "--", "-D", "warnings"]);
        run(&mut command)?;
    }
    Ok(())
}

fn unit() -> Result<(), String> {
    run(cargo().args(["test", "--locked", "--workspace", "--exclude", "vumi-tests"]))
}

fn suite(name: &str) -> Result<(), String> {
    run(cargo().args(["test", "--locked", "-p", "vumi-tests", "--test", name]))
}

fn doc() -> Result<(), String> {
    run(cargo().args(["doc", "--locked", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    let mut sdk = cargo();
    sdk.current_dir(root().join("sdk/rust")).env("CARGO_TARGET_DIR", guest_target()).env("RUSTDOCFLAGS", "-D warnings");
    run(sdk.args(["doc", "--no-deps"]))
}
