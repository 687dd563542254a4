//! The steps of the test command, in the order in which they run: what is quick and often wrong comes first.

use std::path::PathBuf;
use std::process::Command;

use crate::plan::Step;
use crate::run::{cargo, cargo_apart, guest_cargo, root, run};
use crate::{engine, examples, guests, js, prerequisites, rehearsal, servers, tidy};

/// All of them, in order.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "prerequisites", what: "installs what is missing", work: prerequisites::ensure },
    Step { name: "fmt", what: "formatting", work: fmt },
    Step { name: "tidy", what: "crate edges, file heads, links", work: tidy::check },
    Step { name: "guests", what: "builds the guests", work: guests::build },
    Step { name: "build", what: "builds the host", work: build },
    Step { name: "servers", what: "starts RabbitMQ and Redis for the tests", work: servers::start },
    Step { name: "clippy", what: "lints, warnings are errors", work: clippy },
    Step { name: "unit", what: "unit and contract tests of every crate", work: unit },
    Step { name: "js", what: "the JavaScript SDK and its examples", work: js::check },
    Step { name: "conformance", what: "Vumi's formats and behaviour", work: || suite("conformance") },
    Step { name: "e2e", what: "the built host, over sockets and in a browser", work: || suite("e2e") },
    Step { name: "toolkit", what: "existing Vumi apps and their toolkit, from npm", work: || suite("toolkit") },
    Step { name: "hostile", what: "bad guests, bad input, faults", work: || suite("hostile") },
    Step { name: "guest-tests", what: "conversation tests of the guests", work: rehearsal::play },
    Step { name: "doc", what: "documentation builds without warnings", work: doc },
    Step { name: "examples", what: "configuration files in the documentation", work: examples::check },
];

/// `cargo VERB` for the workspace, with the versions of the lock file.
fn workspace(verb: &str) -> Command {
    let mut command = cargo();
    command.args([verb, "--locked"]);
    command
}

fn sdk() -> PathBuf {
    root().join("sdk/rust")
}

/// What is compiled for guests: each is a workspace of its own.
fn sdk_and_guests() -> Vec<PathBuf> {
    std::iter::once(sdk()).chain(guests::folders()).collect()
}

fn fmt() -> Result<(), String> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    for folder in sdk_and_guests().into_iter().chain([engine::folder()]) {
        run(cargo().args(["fmt", "--check"]).current_dir(folder))?;
    }
    Ok(())
}

fn build() -> Result<(), String> {
    run(workspace("build").args(["-p", "vumi-host"]))
}

fn clippy() -> Result<(), String> {
    run(workspace("clippy").args(["--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    for folder in sdk_and_guests() {
        run(guest_cargo(&folder, "clippy").args(["--all-targets", "--", "-D", "warnings"]))?;
    }
    engine::clippy()
}

fn unit() -> Result<(), String> {
    run(workspace("test").args(["--workspace", "--exclude", "vumi-tests"]))?;
    // What the SDK's documentation shows compiles; on this machine, where test programs can run.
    run(&mut cargo_apart(&sdk(), "test"))?;
    // What of the examples is no conversation: their rules and checks.
    for folder in guests::with_unit_tests() {
        run(&mut cargo_apart(&folder, "test"))?;
    }
    Ok(())
}

fn suite(name: &str) -> Result<(), String> {
    run(workspace("test").args(["-p", "vumi-tests", "--test", name]))
}

fn doc() -> Result<(), String> {
    run(workspace("doc").args(["--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    run(guest_cargo(&sdk(), "doc").arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings"))
}

#[cfg(test)]
mod tests {
    use toml::{Table, Value};

    use super::*;

    /// A suite that is no step would never run.
    #[test]
    fn every_suite_of_the_tests_package_is_a_step() {
        let manifest: Table = std::fs::read_to_string(root().join("tests/Cargo.toml")).unwrap().parse().unwrap();
        let suites: Vec<&str> =
            manifest["test"].as_array().unwrap().iter().map(|suite| suite["name"].as_str().unwrap()).collect();
        let steps: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        assert!(!suites.is_empty() && suites.iter().all(|suite| steps.contains(suite)), "{suites:?} of {steps:?}");
        assert_eq!(manifest["package"]["autotests"], Value::Boolean(false), "suites are listed by hand");
    }

    #[test]
    fn no_two_steps_share_a_name() {
        let mut names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
