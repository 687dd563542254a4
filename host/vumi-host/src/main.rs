//! `vumi-host`: runs messaging applications as WebAssembly components.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match vumi_host::commands::execute(vumi_host::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}
