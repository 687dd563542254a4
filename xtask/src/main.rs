//! The project's own chores.
//!
//! `cargo xtask test` is the whole test command, the one that CI runs. It is a list of steps (`steps.rs`) that are
//! chosen and run one after the other (`plan.rs`). `guests`, `tidy` and `examples` are steps of it that are also useful
//! alone; `engine` is a part of `guests`. Nothing here depends on the host's crates, so that the chores are ready in seconds on a fresh clone; the small
//! crate that starts servers for tests is the one exception among the house's own.

mod engine;
mod examples;
mod guests;
mod js;
mod plan;
mod prerequisites;
mod python;
mod rehearsal;
mod run;
mod servers;
mod steps;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
The project's chores.

  cargo xtask test [--only STEP]… [--skip STEP]… [--list]
                          everything that must pass; --list names the steps
  cargo xtask guests      builds the guests that the tests use and the script engine, into target/guests
  cargo xtask python      of those, builds the ones in Python
  cargo xtask engine      builds the script engine alone, which runs JavaScript apps
  cargo xtask tidy        checks the rules that a compiler does not
  cargo xtask examples    checks the configuration files in the documentation

Example: cargo xtask test --only fmt --only clippy";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match chore(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn chore(words: &[&str]) -> Result<(), String> {
    let (name, rest) = words.split_first().unwrap_or((&"help", &[]));
    if *name == "help" || words.iter().any(|word| matches!(*word, "--help" | "-h")) {
        println!("{HELP}");
        return Ok(());
    }
    let work: fn() -> Result<(), String> = match *name {
        "test" => {
            let result = plan::test(steps::STEPS, rest);
            servers::stop();
            return result;
        }
        "guests" => guests::build,
        "python" => python::build,
        "engine" => engine::build,
        "tidy" => tidy::check,
        "examples" => examples::check,
        other => return Err(format!("there is no chore `{other}`; see `cargo xtask --help`")),
    };
    match rest.first() {
        None => work(),
        Some(word) => Err(format!("`cargo xtask {name}` does not know `{word}`; see `cargo xtask --help`")),
    }
}
