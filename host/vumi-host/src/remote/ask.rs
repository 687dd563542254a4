//! Questions to the person at the terminal.

use std::io::{IsTerminal, Write};

use console::Term;
use vumi_admin::Secret;
use vumi_core::Error;

use crate::commands::Failure;

/// Whether there is anybody to ask.
pub(crate) fn somebody() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A secret, typed without being shown.
pub(crate) fn secret(name: &str) -> Result<Secret, Failure> {
    let mut term = Term::stderr();
    let read = write!(term, "{name}: ").and_then(|()| term.read_secure_line());
    read.map(Secret::new).map_err(unreadable)
}

/// Whether it is meant.
pub(crate) fn sure(question: &str) -> Result<bool, Failure> {
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(unreadable)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn unreadable(error: std::io::Error) -> Failure {
    Error::permanent("the terminal cannot be read").because(error).into()
}
