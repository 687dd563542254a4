//! Options that the commands about a running host share.

use std::path::PathBuf;

use clap::Args;
use vumi_admin::Secret;

/// Which host a command speaks to.
#[derive(Args, Debug, Clone)]
pub struct Host {
    /// Where the host's admin API is.
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:8080", env = "VUMI_ADMIN_URL")]
    pub url: String,
    /// The API's token, where the host wants one.
    #[arg(long, global = true, value_name = "TOKEN", env = "VUMI_ADMIN_TOKEN", hide_env_values = true)]
    pub token: Option<Secret>,
}

/// How an answer is shown.
#[derive(Args, Debug, Clone, Copy, Default)]
pub struct Format {
    /// Prints the answer of the API as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Which entries of a list are shown.
#[derive(Args, Debug, Clone, Copy)]
pub struct Slice {
    /// How many at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Only those that are older: the number that stands below a list that goes on.
    #[arg(long, value_name = "CURSOR")]
    pub before: Option<u64>,
}

/// How a registry is reached.
#[derive(Args, Debug, Clone, Copy, Default)]
pub struct RegistryOptions {
    /// Speaks to the registry without TLS. On this very machine (127.0.0.1, localhost) that needs no option.
    #[arg(long)]
    pub plain_http: bool,
}

/// Changes of an app's settings.
#[derive(Args, Debug, Clone, Default)]
pub struct SettingsOptions {
    /// How the app is reached: an address, or `transport=NAME`, `to=ADDRESS` and `keyword=WORD`, combined with commas.
    /// May be given several times; those given replace those that there were.
    #[arg(long, value_name = "BINDING")]
    pub to: Vec<String>,
    /// A text for the app's `config.get`; may be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = super::key_value)]
    pub set: Vec<(String, String)>,
    /// Lets the app reach a place on the web; may be given several times. Those given replace those that there were.
    #[arg(long, value_name = "URL")]
    pub allow_http: Vec<String>,
}

/// Options of `deploy`.
#[derive(Args, Debug, Clone)]
pub struct Deploy {
    /// The app's name; a new name is a new app.
    pub name: String,
    /// A `.wasm` component, the folder of a guest project (built first), or `oci://REGISTRY/REPOSITORY:TAG`.
    pub what: String,
    /// The host.
    #[command(flatten)]
    pub host: Host,
    /// The settings that change.
    #[command(flatten)]
    pub settings: SettingsOptions,
    /// A YAML file with settings. They are laid over those that the app has, and the options over both; `null` removes
    /// a key.
    #[arg(long = "settings", value_name = "FILE")]
    pub settings_file: Option<PathBuf>,
    /// A secret for the app: `KEY=@FILE` takes it from a file, `KEY=-` from standard input, `KEY` from the environment
    /// variable of that name or else from the prompt. May be given several times.
    #[arg(long = "secret", value_name = "SECRET")]
    pub secrets: Vec<String>,
    /// What there is to say about this version.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Only uploads the version; it answers nobody yet.
    #[arg(long, conflicts_with_all = ["canary", "shadow"])]
    pub no_activate: bool,
    /// Lets the version answer this share of the conversations, beside the one that answers now.
    #[arg(long, value_name = "PERCENT", value_parser = super::values::percent, conflicts_with = "shadow")]
    pub canary: Option<f64>,
    /// Runs the version beside the one that answers; what it sends is compared and goes nowhere.
    #[arg(long)]
    pub shadow: bool,
    /// The registry, for `oci://`.
    #[command(flatten)]
    pub registry: RegistryOptions,
    /// How the answer is shown.
    #[command(flatten)]
    pub format: Format,
}
