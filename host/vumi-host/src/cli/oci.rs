//! The commands about OCI registries.

use std::path::PathBuf;

use clap::Args;

use super::host::RegistryOptions;

/// Options of `push`.
#[derive(Args, Debug, Clone)]
pub struct Push {
    /// A `.wasm` component, or the folder of a guest project, which is built first.
    pub what: PathBuf,
    /// Where to: `oci://REGISTRY/REPOSITORY:TAG`.
    pub to: String,
    /// The registry.
    #[command(flatten)]
    pub registry: RegistryOptions,
}

/// Options of `pull`.
#[derive(Args, Debug, Clone)]
pub struct Pull {
    /// Where from: `oci://REGISTRY/REPOSITORY:TAG`, or `…@sha256:DIGEST` for those very bytes.
    pub from: String,
    /// Where to; `REPOSITORY.wasm` in this folder unless given.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The registry.
    #[command(flatten)]
    pub registry: RegistryOptions,
}
