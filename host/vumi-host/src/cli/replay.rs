//! The options of `replay`.

use std::path::PathBuf;

use clap::Args;

use super::host::{Format, Host};

/// Options of `replay`.
#[derive(Args, Debug, Clone)]
pub struct Replay {
    /// The recording's id, as `vumi-host recordings` lists it, or a file that `recordings show --json` wrote.
    pub run: String,
    /// The host.
    #[command(flatten)]
    pub host: Host,
    /// Runs this component instead of the one that ran: a `.wasm`, or the folder of a guest project, which is built
    /// first.
    #[arg(long, value_name = "FILE OR FOLDER", conflicts_with = "app_version")]
    pub component: Option<PathBuf>,
    /// Runs this version of the app instead of the one that ran.
    #[arg(long, value_name = "VERSION")]
    pub app_version: Option<u32>,
    /// How the result is shown.
    #[command(flatten)]
    pub format: Format,
}
