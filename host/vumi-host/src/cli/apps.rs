//! The commands about apps that were deployed: what there is, which version answers, settings and secrets.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::host::{Format, Host, SettingsOptions, Slice};
use super::values::{Switch, percent_or_off, version_or_off};

/// Options of `apps`.
#[derive(Args, Debug, Clone)]
pub struct Apps {
    /// The host.
    #[command(flatten)]
    pub host: Host,
    /// Prints the answer of the API as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do; without it, the apps are listed.
    #[command(subcommand)]
    pub command: Option<AppsCommand>,
}

/// Commands about deployed apps.
#[derive(Subcommand, Debug, Clone)]
pub enum AppsCommand {
    /// Lists the deployed apps.
    #[command(after_help = "Example:\n  vumi-host apps list")]
    List,
    /// Shows an app: its versions, how it is reached, its settings and the names of its secrets.
    #[command(after_help = "Example:\n  vumi-host apps show shop")]
    Show {
        /// The app's name.
        name: String,
    },
    /// Makes a version the one that answers.
    #[command(after_help = "Example:\n  vumi-host apps activate shop 3")]
    Activate {
        /// The app's name.
        name: String,
        /// The version's number.
        #[arg(value_name = "VERSION")]
        version: u32,
    },
    /// Makes the version that answered before answer again.
    #[command(after_help = "Example:\n  vumi-host apps rollback shop")]
    Rollback {
        /// The app's name.
        name: String,
    },
    /// Lets a version answer a share of the conversations, or ends that.
    #[command(after_help = "Examples:\n  vumi-host apps canary shop 4 10\n  vumi-host apps canary shop off")]
    Canary {
        /// The app's name.
        name: String,
        /// The version's number, or `off`.
        #[arg(value_name = "VERSION", value_parser = version_or_off)]
        version: Switch<u32>,
        /// The share of the conversations, in percent, or `off`.
        #[arg(value_name = "PERCENT", value_parser = percent_or_off)]
        percent: Option<Switch<f64>>,
    },
    /// Runs a version beside the one that answers, without sending anything; or ends that.
    #[command(after_help = "Examples:\n  vumi-host apps shadow shop 4\n  vumi-host apps shadow shop off")]
    Shadow {
        /// The app's name.
        name: String,
        /// The version's number, or `off`.
        #[arg(value_name = "VERSION", value_parser = version_or_off)]
        version: Switch<u32>,
    },
    /// Lists where the version in the shadow did something else than the one that answers.
    #[command(after_help = "Example:\n  vumi-host apps differences shop")]
    Differences {
        /// The app's name.
        name: String,
        /// Which of them.
        #[command(flatten)]
        slice: Slice,
    },
    /// Shows the settings of an app, or changes them.
    #[command(
        after_help = "Examples:\n  vumi-host apps settings shop\n  vumi-host apps settings shop --to '*120*7#' --set shop_name=Kiosk\n  vumi-host apps settings shop settings.yaml"
    )]
    Settings {
        /// The app's name.
        name: String,
        /// A YAML file with settings. They are laid over those that the app has; `null` removes a key.
        file: Option<PathBuf>,
        /// The settings that change, laid over those of the file.
        #[command(flatten)]
        changes: SettingsOptions,
    },
    /// Sets a secret of an app, or removes it.
    #[command(
        after_help = "Examples:\n  vumi-host apps secret shop api_key                  asks for it, or reads standard input\n  vumi-host apps secret shop api_key @key.txt\n  vumi-host apps secret shop api_key --remove"
    )]
    Secret {
        /// The app's name.
        name: String,
        /// The secret's name.
        key: String,
        /// Where its value is: `@FILE`, or `-` for standard input.
        #[arg(value_name = "SOURCE", conflicts_with = "remove")]
        from: Option<String>,
        /// Removes the secret.
        #[arg(long)]
        remove: bool,
    },
    /// Removes an app with its versions, settings and secrets, or one version that is not in use.
    #[command(after_help = "Examples:\n  vumi-host apps remove shop\n  vumi-host apps remove shop 2 --yes")]
    Remove {
        /// The app's name.
        name: String,
        /// The version's number; without it, the whole app goes.
        #[arg(value_name = "VERSION")]
        version: Option<u32>,
        /// Does not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Saves the component of a version.
    #[command(after_help = "Example:\n  vumi-host apps pull shop 2 -o shop-2.wasm")]
    Pull {
        /// The app's name.
        name: String,
        /// The version's number; the one that answers unless given.
        #[arg(value_name = "VERSION")]
        version: Option<u32>,
        /// Where to.
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
}

/// Options of `recordings`.
#[derive(Args, Debug, Clone)]
pub struct Recordings {
    /// The host.
    #[command(flatten)]
    pub host: Host,
    /// Only runs of this app.
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// Only runs on messages of this user.
    #[arg(long, value_name = "ADDRESS")]
    pub user: Option<String>,
    /// Which of them.
    #[command(flatten)]
    pub slice: Slice,
    /// Prints the answer of the API as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do; without it, the newest are listed.
    #[command(subcommand)]
    pub command: Option<RecordingsCommand>,
}

/// Commands about recorded runs.
#[derive(Subcommand, Debug, Clone)]
pub enum RecordingsCommand {
    /// Shows a recorded run with everything that happened in it.
    #[command(
        after_help = "Examples:\n  vumi-host recordings show 0f3a…\n  vumi-host recordings show 0f3a… --json > run.json"
    )]
    Show {
        /// The recording, as the list names it.
        id: String,
    },
}

/// Options of `audit`.
#[derive(Args, Debug, Clone)]
pub struct Audit {
    /// The host.
    #[command(flatten)]
    pub host: Host,
    /// Which entries.
    #[command(flatten)]
    pub slice: Slice,
    /// How they are shown.
    #[command(flatten)]
    pub format: Format,
}
