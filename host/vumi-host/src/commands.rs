//! What each command does.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::CommandFactory;
use tokio::signal::unix::{SignalKind, signal};
use vumi_core::Error;
use vumi_sandbox::{CompileLimits, serve_one_compilation};

use crate::cli::{self, Cli, Command, Common, ConfigCommand, Solo};
use crate::config::{self, ConfigError, Quick, SystemConfig, WorkerOptions};
use crate::project::Source;
use crate::system::{Extras, System};
use crate::telemetry::Otlp;
use crate::{banner, reload, telemetry};

/// How long the workers may take to come up before that is said.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a command failed, for a person.
#[derive(Debug)]
pub enum Failure {
    /// The configuration or the command line is wrong; nothing was started.
    Usage(String),
    /// Something went wrong at work.
    Work(Error),
}

impl Failure {
    /// 64 (`EX_USAGE`) for what a person has to mend before trying again, else 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(64),
            Self::Work(_) => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => f.write_str(text),
            Self::Work(error) => f.write_str(&error.report()),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Work(error)
    }
}

/// Does what the command line says.
///
/// # Errors
/// One report for a person.
pub fn execute(cli: Cli) -> Result<(), Failure> {
    match (&cli.app, &cli.command) {
        (Some(_), Some(_)) => Err(Failure::Usage("--app is a command of its own: leave it out, or leave out the other command".into())),
        (Some(app), None) => serve(for_app(app, &cli.solo)?, &cli.common, true),
        (None, Some(_)) if !(cli.solo.allow_http.is_empty() && cli.solo.set.is_empty()) => {
            Err(Failure::Usage("--allow-http and --set belong to --app, or stand behind `dev`".into()))
        }
        (None, Some(Command::New(given))) => crate::create::execute(given),
        (None, Some(Command::Build(given))) => crate::make::execute(given),
        (None, Some(Command::Dev(given))) => develop(given, &cli.common),
        (None, Some(Command::Completions(given))) => {
            clap_complete::generate(given.shell, &mut Cli::command(), "vumi-host", &mut std::io::stdout());
            Ok(())
        }
        (None, Some(Command::Run { file })) => serve(config::load(file, cli.common.confine_includes, &environment)?, &cli.common, false),
        (None, Some(Command::Config(command))) => configuration(command, cli.common.confine_includes),
        (None, Some(Command::Worker(options))) => worker(options, &cli.common),
        (None, Some(Command::CompileComponent { cpu, memory })) => compile(*cpu, *memory),
        (None, Some(Command::Dead(given))) => threads()?.block_on(crate::dead::execute(given)),
        (None, Some(Command::Deploy(given))) => threads()?.block_on(crate::remote::deploy(given)),
        (None, Some(Command::Apps(given))) => threads()?.block_on(crate::remote::apps::execute(given)),
        (None, Some(Command::Replay(given))) => threads()?.block_on(crate::replay::execute(given)),
        (None, Some(Command::Test(given))) => threads()?.block_on(crate::rehearse::execute(given)),
        (None, Some(Command::Recordings(given))) => threads()?.block_on(crate::remote::recordings(given)),
        (None, Some(Command::Token(given))) => threads()?.block_on(crate::remote::token(given)),
        (None, Some(Command::Audit(given))) => threads()?.block_on(crate::remote::audit(given)),
        (None, Some(Command::Push(given))) => threads()?.block_on(crate::oci::push(given)),
        (None, Some(Command::Pull(given))) => threads()?.block_on(crate::oci::pull(given)),
        (None, None) => Err(Failure::Usage(
            "nothing to run: name an app with --app, or a command\n= help: for a first look: vumi-host --app guest-examples/echo; for everything else: vumi-host --help".into(),
        )),
    }
}

/// The short form for a project, begun as soon as the project builds.
fn develop(given: &cli::Dev, common: &Common) -> Result<(), Failure> {
    let folder = std::path::absolute(&given.folder)
        .map_err(|error| Error::permanent(format!("{} cannot be found", given.folder.display())).because(error))?;
    // Looked at first: a wrong option is said before anything is built.
    let config = for_app(&folder, &given.solo)?;
    reload::until_built(&Source::of(&folder)?);
    serve(config, common, true)
}

/// The short form, with what the command line changes of it.
fn for_app(app: &Path, solo: &Solo) -> Result<SystemConfig, Failure> {
    let quick = Quick { telnet_port: solo.telnet_port, listen: solo.admin, data_dir: None };
    let mut config = config::for_app(app, &quick)?;
    for app in config.apps.iter_mut().filter_map(|(_, app)| app.guest_mut()) {
        app.http.allow.clone_from(&solo.allow_http);
        app.config.extend(solo.set.iter().cloned());
    }
    Ok(config)
}

/// One worker of a Vumi deployment.
fn worker(given: &cli::Worker, common: &Common) -> Result<(), Failure> {
    if given.worker_help {
        let class = given.worker_class.as_ref().or(given.old_worker_class.as_ref());
        let Some(text) = class.and_then(|class| config::describe_worker(class)) else {
            return Err(Failure::Usage("please specify --worker-class, with the name of a class that exists".into()));
        };
        return say(&text);
    }
    let ignored = [
        ("--specfile", given.specfile.is_some()),
        ("--sentry", given.sentry.is_some()),
        ("--maxthreads", given.maxthreads.is_some()),
    ];
    let options = WorkerOptions {
        worker_class: given.worker_class.clone(),
        old_worker_class: given.old_worker_class.clone(),
        config: given.config.clone(),
        set_options: given.set_option.clone(),
        vumi_config: given.vumi_config.clone(),
        hostname: given.hostname.clone(),
        port: given.port,
        username: given.username.clone(),
        password: given.password.clone(),
        vhost: given.vhost.clone(),
        system_id: given.system_id.clone(),
        kv: given.kv.clone(),
        admin: given.admin,
        confined: common.confine_includes,
        ignored: ignored.iter().filter(|(_, given)| *given).map(|(option, _)| *option).collect(),
    };
    let config = config::for_worker(&options, &environment)?;
    for warning in &config.warnings {
        eprintln!("warning: {warning}");
    }
    serve(config, common, false)
}

/// Compiles one component from standard input, for a host that has started this process to do so.
fn compile(cpu_s: u64, memory: u64) -> Result<(), Failure> {
    let limits = CompileLimits { cpu_s, memory, ..CompileLimits::default() };
    match serve_one_compilation(limits) {
        0 => Ok(()),
        code => std::process::exit(i32::from(code)),
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn configuration(command: &ConfigCommand, confined: bool) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check { file } => {
            let config = config::load(file, confined, &environment)?;
            for warning in &config.warnings {
                say(&format!("warning: {warning}"))?;
            }
            say(&format!("{}: {}", file.display(), summary(&config)))?;
        }
        ConfigCommand::Schema => {
            let text = serde_json::to_string_pretty(&config::schema());
            say(&text.map_err(|error| Error::permanent("the schema cannot be written").because(error))?)?;
        }
        ConfigCommand::Reference { folder } => {
            let pages = config::reference();
            for (path, text) in &pages {
                write_page(&folder.join(path), text)?;
            }
            say(&format!("{}: {} pages", folder.display(), pages.len()))?;
        }
        ConfigCommand::Explain { path } => {
            let path = path.as_deref().unwrap_or_default();
            match config::explain(path) {
                Some(text) => say(&text)?,
                None => {
                    return Err(Failure::Usage(format!(
                        "there is no key and no class called `{path}`\n= help: `vumi-host config explain` alone lists what there is"
                    )));
                }
            }
        }
    }
    Ok(())
}

fn write_page(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text));
    Ok(written.map_err(|error| Error::permanent(format!("{} cannot be written", path.display())).because(error))?)
}

/// Writes a line to standard output. Whoever reads it may stop doing so (`| head`): then that was enough.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::permanent("standard output cannot be written").because(error).into())
        }
        _ => Ok(()),
    }
}

fn summary(config: &SystemConfig) -> String {
    let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    format!(
        "right: {}, {}, {}",
        count(config.transports.len(), "transport"),
        count(config.dispatchers.len(), "dispatcher"),
        count(config.apps.len(), "app")
    )
}

/// Runs a system until it is told to stop.
fn serve(mut config: SystemConfig, common: &Common, watch: bool) -> Result<(), Failure> {
    if let Some(folder) = &common.data_dir {
        config.data_dir = Some(folder.clone());
    }
    let component_cache = match &config.data_dir {
        Some(folder) => Some(folder.join("components")),
        None => user_cache(),
    };
    let otlp = Otlp::start(&config.telemetry)?;
    telemetry::start_log(common.log_format, common.log.as_deref().unwrap_or(&config.log), otlp.as_ref())?;
    let metrics = telemetry::start_metrics(otlp.as_ref())?;
    let ended = threads()?.block_on(async {
        let mut stop = Stop::listen()?;
        let extras = Extras { component_cache, watch, compiler: std::env::current_exe().ok() };
        let system = System::start(config, extras, metrics, telemetry::app_metrics()).await?;
        tokio::select! {
            () = run(&system) => {}
            () = stop.wait() => {}
        }
        eprintln!("stopping: finishing what is on its way (once more stops at once)");
        tokio::select! {
            () = system.stop() => {}
            () = stop.wait() => eprintln!("stopped at once"),
        }
        Ok(())
    });
    if let Some(otlp) = otlp {
        otlp.stop();
    }
    ended
}

pub(crate) fn threads() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::permanent("no threads to run on").because(error))
}

/// Shows the banner once all workers are up, and lets them work.
async fn run(system: &System) {
    if !system.up(PATIENCE).await {
        tracing::warn!("not every worker has come up yet; see the log above");
    }
    banner::print(system).await;
    std::future::pending().await
}

/// SIGTERM and SIGINT.
struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    fn listen() -> Result<Self, Error> {
        let listen = |kind| -> Result<_, Error> {
            signal(kind).map_err(|error| Error::permanent("signals cannot be received").because(error))
        };
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Where compiled components go when there is no `data_dir`.
pub(crate) fn user_cache() -> Option<PathBuf> {
    let base = environment("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    base.or_else(|| environment("HOME").map(|home| Path::new(&home).join(".cache")))
        .map(|base| base.join("vumi-host/components"))
}
