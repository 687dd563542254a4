//! The options of `test`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options of `test`.
#[derive(Args, Debug, Clone)]
pub struct Test {
    /// Projects, whose tests stand in `tests/*.yaml`, or test files; the project in this folder unless given.
    #[arg(value_name = "FOLDER OR FILE", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// The app that is tested: a component or script, or the folder of a project, which is built first. The folder above
    /// `tests` unless given.
    #[arg(long, value_name = "FILE OR FOLDER")]
    pub app: Option<PathBuf>,
    /// Only conversations with this text in their name, or in their file's.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Writes the texts that came into the files, in place of those that were expected.
    #[arg(long)]
    pub update: bool,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t = TestFormat::Text)]
    pub format: TestFormat,
}

/// How the result of `test` is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// JUnit XML, for build servers.
    Junit,
}
