//! The project's own chores.
//!
//! `cargo xtask test` is the whole test command, the one that CI runs; `guests` and `tidy` are steps of it that are also
//! useful alone.

mod examples;
mod guests;
mod run;
mod steps;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
The project's chores.

  cargo xtask test [--only STEP]… [--skip STEP]… [--list]
                          everything that must pass; --list names the steps
  cargo xtask guests      builds the guests that the tests use, into target/guests
  cargo xtask tidy        checks the rules that a compiler does not
  cargo xtask examples    checks the configuration files in the documentation

Example: cargo xtask test --only clippy";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut words = arguments.iter().map(String::as_str);
    let outcome = match words.next() {
        Some("test") => steps::test(&words.collect::<Vec<_>>()),
        Some("guests") => guests::build(),
        Some("tidy") => tidy::check(),
        Some("examples") => examples::check(),
        Some("help" | "--help" | "-h") | None => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some(other) => Err(format!("there is no chore `{other}`; see `cargo xtask --help`")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}
