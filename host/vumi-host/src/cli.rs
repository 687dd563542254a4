//! The command line.

mod apps;
mod host;
mod oci;
mod project;
mod replay;
mod test;
mod token;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use apps::{Apps, AppsCommand, Audit, Recordings, RecordingsCommand};
pub use host::{Deploy, Format, Host, RegistryOptions, SettingsOptions, Slice};
pub use oci::{Pull, Push};
pub use project::{BuildOptions, Completions, Dev, New, Template};
pub use replay::Replay;
pub use test::{Test, TestFormat};
pub use token::{ScopeChoice, Token, TokenCommand};
pub use values::Switch;

/// Run messaging applications: SMS, USSD and chat, as WebAssembly components.
#[derive(Parser, Debug)]
#[command(
    name = "vumi-host",
    version,
    after_help = "Examples:\n  vumi-host --app echo.wasm            one app, telnet on 127.0.0.1:9010, phones on http://127.0.0.1:8080\n  vumi-host --app my-app/              the same for a project, built first and rebuilt when it changes\n  vumi-host new shop --template ts     a new project; then: vumi-host dev shop\n  vumi-host run vumi.yaml              the whole system of a file\n  vumi-host worker --worker-class …    one worker of a Vumi deployment\n  vumi-host deploy shop my-app/        a new version of an app, to a running host\n  vumi-host dead list                  messages that were given up\n  vumi-host config check vumi.yaml     only look whether the file is right"
)]
pub struct Cli {
    /// Runs one app: a `.wasm` component, or the folder of a project (with a Cargo.toml or a package.json).
    #[arg(long, value_name = "FILE OR FOLDER")]
    pub app: Option<PathBuf>,

    /// What `--app` runs with.
    #[command(flatten)]
    pub solo: Solo,

    /// What applies to every command that runs something.
    #[command(flatten)]
    pub common: Common,

    /// The command.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of `--app` and `dev`.
#[derive(Args, Debug, Clone)]
pub struct Solo {
    /// The telnet port on 127.0.0.1, with `--app` and `dev`; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 9010)]
    pub telnet_port: u16,

    /// Where the phones and the API listen, with `--app` and `dev`. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub admin: SocketAddr,

    /// Lets the app reach a place on the web, with `--app` and `dev`; may be given several times.
    #[arg(long, value_name = "URL")]
    pub allow_http: Vec<String>,

    /// A text for the app's `config.get`, with `--app` and `dev`; may be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
}

/// Options of every command that runs something.
#[derive(Args, Debug, Clone)]
pub struct Common {
    /// Keeps queues, keys and records in this folder; without it everything is in memory.
    #[arg(long, global = true, value_name = "FOLDER", env = "VUMI_DATA_DIR")]
    pub data_dir: Option<PathBuf>,

    /// How log lines are written.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = "VUMI_LOG_FORMAT")]
    pub log_format: LogFormat,

    /// Refuses `!include` of files outside of the configuration's folder.
    #[arg(long, global = true)]
    pub confine_includes: bool,

    /// Which log lines are written, e.g. `warn`, `info,run=warn`, `debug`.
    #[arg(long, global = true, value_name = "FILTER", env = "VUMI_LOG")]
    pub log: Option<String>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Runs the whole system of a configuration file until it is told to stop.
    #[command(after_help = "Example:\n  vumi-host run vumi.yaml --data-dir ./data")]
    Run {
        /// The configuration file.
        file: PathBuf,
    },
    /// Makes a small, complete project: an app with its tests, in the language that you like.
    New(New),
    /// Builds a project, draws its dialogue, and says what was made.
    Build(BuildOptions),
    /// Runs a project with phones in the browser, and puts each change in place while the conversation goes on.
    ///
    /// A change that does not build leaves the old version running; what the compiler says stands in the terminal and in
    /// the page. Stored values and sessions stay.
    Dev(Dev),
    /// Runs one worker of a Vumi deployment: the options and files are those of `twistd -n vumi_worker`.
    #[command(
        alias = "vumi_worker",
        alias = "start_worker",
        after_help = "Examples:\n  vumi-host worker --worker-class vumi.transports.telnet.TelnetServerTransport --set-option transport_name:telnet --set-option telnet_port:9010\n  vumi-host worker --worker-class vumi.dispatchers.BaseDispatchWorker --config dispatcher.yaml --vhost /develop\n  vumi-host worker --worker-class vumi.multiworker.MultiWorker --config all.yaml --vumi-config vumi.yaml"
    )]
    Worker(Box<Worker>),
    /// Compiles a component from standard input to machine code on standard output; the host starts this by itself.
    #[command(hide = true, after_help = "Example:\n  vumi-host compile-component < app.wasm > app.cwasm")]
    CompileComponent {
        /// Processor time, in seconds.
        #[arg(long, default_value_t = 60)]
        cpu: u64,
        /// Memory, in bytes.
        #[arg(long, default_value_t = 2 << 30)]
        memory: u64,
    },
    /// Brings an app, or a new version of it, to a running host.
    #[command(
        after_help = "Examples:\n  vumi-host deploy shop my-app/ --to '*120*7#'\n  vumi-host deploy shop shop.wasm --to transport=sms,keyword=shop --secret api_key=@key.txt\n  vumi-host deploy shop oci://registry.example.org/shop:1.4 --canary 10"
    )]
    Deploy(Box<Deploy>),
    /// Lists deployed apps; switches versions, changes settings and secrets, removes.
    #[command(after_help = "Examples:\n  vumi-host apps\n  vumi-host apps show shop\n  vumi-host apps rollback shop")]
    Apps(Apps),
    /// Lists the runs that a host recorded, and shows them.
    #[command(
        after_help = "Examples:\n  vumi-host recordings --app shop --user +27820001001\n  vumi-host recordings show 0f3a…"
    )]
    Recordings(Recordings),
    /// Runs a recorded run again on this machine, from the recording alone, and shows where it departs.
    #[command(
        after_help = "Examples:\n  vumi-host replay 0f3a5c…\n  vumi-host replay 0f3a5c… --component my-app/\n  vumi-host replay run.json --component shop.wasm"
    )]
    Replay(Replay),
    /// Plays the conversation tests of an app, in the real sandbox.
    #[command(
        after_help = "Examples:\n  vumi-host test                              the project in this folder\n  vumi-host test my-app --filter swahili\n  vumi-host test --app shop.wasm menu.yaml\n  vumi-host test my-app --format junit > report.xml"
    )]
    Test(Test),
    /// Makes, lists and takes back tokens of a host's admin API.
    Token(Token),
    /// Lists who changed what on a host.
    #[command(after_help = "Example:\n  vumi-host audit --limit 20")]
    Audit(Audit),
    /// Puts a component into an OCI registry.
    #[command(after_help = "Example:\n  vumi-host push my-app/ oci://registry.example.org/shop:1.4")]
    Push(Push),
    /// Gets a component from an OCI registry.
    #[command(after_help = "Example:\n  vumi-host pull oci://registry.example.org/shop:1.4 -o shop.wasm")]
    Pull(Pull),
    /// Lists the dead letters of a running host, shows them, sends them again or drops them.
    Dead(Dead),
    /// Looks at configuration files without running anything.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints what a shell needs to complete the words of this command line.
    Completions(Completions),
}

/// Options of `worker`. Their names and defaults are Vumi's.
#[derive(Args, Debug, Clone)]
pub struct Worker {
    /// The worker's class: a short name, or Vumi's class path.
    #[arg(long, value_name = "CLASS")]
    pub worker_class: Option<String>,
    /// The old spelling of --worker-class.
    #[arg(long = "worker_class", value_name = "CLASS", hide = true)]
    pub old_worker_class: Option<String>,
    /// A YAML file with the worker's keys.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One of the worker's keys, over those of the file; may be given several times.
    #[arg(long, value_name = "KEY:VALUE", value_parser = split_option)]
    pub set_option: Vec<(String, String)>,
    /// A YAML file with the options of the broker.
    #[arg(long, value_name = "FILE")]
    pub vumi_config: Option<PathBuf>,
    /// The broker's host; 127.0.0.1 unless given.
    #[arg(long, value_name = "HOST")]
    pub hostname: Option<String>,
    /// The broker's port; 5672 unless given.
    #[arg(long)]
    pub port: Option<u16>,
    /// User at the broker; `vumi` unless given.
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Password at the broker; `vumi` unless given. On a shared machine better written into the file of --vumi-config.
    #[arg(long, env = "VUMI_BROKER_PASSWORD", hide_env_values = true)]
    pub password: Option<vumi_admin::Secret>,
    /// Virtual host of the broker; `/develop` unless given.
    #[arg(long, value_name = "NAME")]
    pub vhost: Option<String>,
    /// Groups workers in heartbeats; `global` unless given.
    #[arg(long, value_name = "ID")]
    pub system_id: Option<String>,
    /// Where keys are kept; what the worker's `redis_manager` says unless given, and else in memory.
    #[arg(long, value_name = "URL")]
    pub kv: Option<String>,
    /// Where dashboard and API listen; nowhere unless given.
    #[arg(long, value_name = "ADDRESS:PORT", id = "worker-admin")]
    pub admin: Option<SocketAddr>,
    /// Prints what the class does and which keys it has.
    #[arg(long)]
    pub worker_help: bool,
    /// Taken for Vumi's sake, and ignored.
    #[arg(long, hide = true)]
    pub specfile: Option<String>,
    /// Taken for Vumi's sake, and ignored.
    #[arg(long, hide = true)]
    pub sentry: Option<String>,
    /// Taken for Vumi's sake, and ignored.
    #[arg(long, hide = true)]
    pub maxthreads: Option<String>,
}

/// Split at the first colon; without one the value is an empty text.
fn split_option(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once(':').unwrap_or((text, ""));
    if key.is_empty() {
        return Err(format!("`{text}` names no key: write KEY:VALUE"));
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// Options of `dead`.
#[derive(Args, Debug, Clone)]
pub struct Dead {
    /// The host.
    #[command(flatten)]
    pub host: Host,
    /// What to do.
    #[command(subcommand)]
    pub command: DeadCommand,
}

/// Commands about dead letters.
#[derive(Subcommand, Debug, Clone)]
pub enum DeadCommand {
    /// Lists the queues that have dead letters, or the letters of one queue.
    #[command(after_help = "Examples:\n  vumi-host dead list\n  vumi-host dead list sms.inbound")]
    List {
        /// The queue's name, without `.dead`.
        queue: Option<String>,
        /// How they are shown.
        #[command(flatten)]
        format: Format,
    },
    /// Shows one letter with its message.
    #[command(after_help = "Example:\n  vumi-host dead show sms.inbound 17")]
    Show {
        /// The queue's name.
        queue: String,
        /// The letter's number, as `list` shows it.
        id: String,
    },
    /// Sends a letter again: it goes back to its queue.
    #[command(after_help = "Examples:\n  vumi-host dead send sms.inbound 17\n  vumi-host dead send sms.inbound --all")]
    Send {
        /// The queue's name.
        queue: String,
        /// The letter's number, as `list` shows it.
        #[arg(conflicts_with = "all")]
        id: Option<String>,
        /// All letters of the queue.
        #[arg(long)]
        all: bool,
    },
    /// Drops a letter for good.
    #[command(after_help = "Example:\n  vumi-host dead drop sms.inbound 17")]
    Drop {
        /// The queue's name.
        queue: String,
        /// The letter's number, as `list` shows it.
        id: String,
    },
}

/// Commands about configuration.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Says whether a file is right, and if not, where and how to mend it.
    #[command(after_help = "Example:\n  vumi-host config check vumi.yaml")]
    Check {
        /// The configuration file.
        file: PathBuf,
    },
    /// Prints the JSON schema of the configuration file, for editors.
    #[command(after_help = "Example:\n  vumi-host config schema > vumi.schema.json")]
    Schema,
    /// Explains a key or a class.
    #[command(
        after_help = "Examples:\n  vumi-host config explain transports.telnet.telnet_port\n  vumi-host config explain apps.limits.memory"
    )]
    Explain {
        /// A path of keys, or the name of a class. Without it: an overview.
        path: Option<String>,
    },
    /// Writes the reference of all classes as Markdown pages.
    #[command(after_help = "Example:\n  vumi-host config reference docs/reference")]
    Reference {
        /// The folder; what pages it holds of earlier times is overwritten.
        folder: PathBuf,
    },
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not KEY=VALUE")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn walk(command: &clap::Command) {
            let is_leaf = command.get_subcommands().next().is_none();
            if is_leaf {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("Example"), "`{}` has no example", command.get_name());
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&Cli::command());
    }
}
