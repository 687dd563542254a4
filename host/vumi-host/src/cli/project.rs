//! Options of the commands that make, build and try a guest's project.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Solo;

/// Options of `new`.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "Examples:\n  vumi-host new shop --template rust\n  vumi-host new shop --template ts\n  vumi-host new shop --template js --sdk ../vumi-host     with the SDK of a checkout"
)]
pub struct New {
    /// The folder to make; its last part is the app's name: small letters, digits and `-`, a letter first.
    #[arg(value_name = "NAME")]
    pub folder: PathBuf,
    /// The language that the app is written in.
    #[arg(long, value_enum)]
    pub template: Template,
    /// Uses the SDK of this checkout of vumi-host, where it lies, instead of the one that came with this program.
    #[arg(long, value_name = "FOLDER")]
    pub sdk: Option<PathBuf>,
}

/// Languages of a new project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Rust.
    Rust,
    /// JavaScript.
    Js,
    /// TypeScript.
    Ts,
}

/// Options of `build`.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "Examples:\n  vumi-host build                            the project in this folder, into dist/\n  vumi-host build shop\n  vumi-host build shop --out shop.wasm\n\nA Rust project becomes a component. A JavaScript or TypeScript project becomes a script, which a host runs on its script\nengine; making a component of its own of a script is not offered yet."
)]
pub struct BuildOptions {
    /// The project's folder.
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Where the app goes, instead of `dist/` in the project's folder. The drawing of its dialogue goes beside it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Options of `dev`.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "Examples:\n  vumi-host dev                              the project in this folder\n  vumi-host dev shop --allow-http https://api.example.org"
)]
pub struct Dev {
    /// The project's folder.
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// What it runs with.
    #[command(flatten)]
    pub solo: Solo,
}

/// Options of `completions`.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "Examples:\n  vumi-host completions bash > /etc/bash_completion.d/vumi-host\n  vumi-host completions zsh > ~/.zfunc/_vumi-host\n  vumi-host completions fish > ~/.config/fish/completions/vumi-host.fish"
)]
pub struct Completions {
    /// The shell.
    pub shell: clap_complete::Shell,
}
