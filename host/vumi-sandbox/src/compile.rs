//! Compiling what somebody uploaded: the engine does not bound that work, so a process of its own does it.
//!
//! A component can be made so that compiling it takes minutes or gigabytes. The process that compiles one is this very
//! program, started with limits on its processor time and memory; it gets the component on standard input and writes
//! machine code to standard output. When it is stopped by a limit, the upload is refused and nothing else happens. One
//! component is compiled at a time, on one processor, so that messages keep the others.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::Semaphore;
use wasmtime::{Config, Engine};

use crate::cache::{LoadError, MAX_COMPONENT, one_line, shown};
use crate::engine;

/// Numbers of signals that a limit ends a process with: SIGABRT, SIGKILL, SIGSEGV, SIGXCPU.
const ABORTED: i32 = 6;
const KILLED: i32 = 9;
const SEGFAULT: i32 = 11;
const OUT_OF_CPU: i32 = 24;

/// What compiling one component may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Processor time, in seconds.
    pub cpu_s: u64,
    /// Memory, in bytes.
    pub memory: u64,
    /// Time from start to end.
    pub wall: Duration,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self { cpu_s: 60, memory: 2 << 30, wall: Duration::from_secs(180) }
    }
}

/// Who compiles.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: Option<(PathBuf, Vec<String>)>,
    limits: CompileLimits,
    turn: Arc<Semaphore>,
}

impl Compiler {
    /// This process, without limits: for components that the host's own owner wrote, and for tests.
    pub fn here() -> Self {
        Self { program: None, limits: CompileLimits::default(), turn: Arc::new(Semaphore::new(1)) }
    }

    /// A process of its own for each component: `program` with `arguments`, which must end up in
    /// [`serve_one_compilation`] with the same limits.
    pub fn in_child(program: PathBuf, arguments: Vec<String>, limits: CompileLimits) -> Self {
        Self { program: Some((program, arguments)), limits, turn: Arc::new(Semaphore::new(1)) }
    }

    pub(crate) async fn compile(&self, engine: &Engine, component: &[u8], what: &str) -> Result<Vec<u8>, LoadError> {
        let _turn = self.turn.acquire().await;
        match &self.program {
            None => {
                let (engine, component, name) = (engine.clone(), component.to_vec(), what.to_owned());
                let work = tokio::task::spawn_blocking(move || precompile(&engine, &component, &name));
                work.await.map_err(|error| failed(what, &format!("the compiler failed: {error}")))?
            }
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments);
                self.compile_in(command, component, what).await
            }
        }
    }

    async fn compile_in(&self, mut command: Command, component: &[u8], what: &str) -> Result<Vec<u8>, LoadError> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env_clear()
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(what, &format!("the compiler could not be started: {error}")))?;
        let input = child.stdin.take();
        let work = async {
            let feed = async {
                if let Some(mut input) = input {
                    // A compiler that ended early says why by itself.
                    let _ = input.write_all(component).await;
                    let _ = input.shutdown().await;
                }
            };
            tokio::join!(feed, child.wait_with_output()).1
        };
        match tokio::time::timeout(self.limits.wall, work).await {
            Ok(Ok(output)) => self.judge(output, what),
            Ok(Err(error)) => Err(failed(what, &format!("the compiler could not be followed: {error}"))),
            Err(_) => Err(refused(what, &format!("compiling it took more than {} s", self.limits.wall.as_secs()))),
        }
    }

    fn judge(&self, output: Output, what: &str) -> Result<Vec<u8>, LoadError> {
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(match (output.status.code(), output.status.signal()) {
            (Some(code), _) if code == i32::from(INVALID) => {
                LoadError::Invalid { what: what.to_owned(), reason: shown(&said) }
            }
            (_, Some(OUT_OF_CPU | KILLED)) => {
                refused(what, &format!("compiling it took more than {} s of CPU time", self.limits.cpu_s))
            }
            (_, Some(ABORTED | SEGFAULT)) if said.contains("overflowed its stack") => {
                refused(what, "it is nested too deeply")
            }
            (_, Some(ABORTED)) if said.contains("memory allocation") => {
                refused(what, &format!("compiling it took more than {} MiB of memory", self.limits.memory >> 20))
            }
            _ => failed(what, &format!("the compiler failed ({}): {}", ended(output.status), first_line(&said))),
        })
    }
}

/// Exit code of a compiler that found the component to be wrong.
const INVALID: u8 = 65;

fn refused(what: &str, reason: &str) -> LoadError {
    LoadError::TooCostly { what: what.to_owned(), reason: reason.to_owned() }
}

fn failed(what: &str, reason: &str) -> LoadError {
    LoadError::Unavailable { what: what.to_owned(), reason: reason.to_owned() }
}

fn ended(status: ExitStatus) -> String {
    status.to_string()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("it said nothing").chars().take(500).collect()
}

fn precompile(engine: &Engine, component: &[u8], what: &str) -> Result<Vec<u8>, LoadError> {
    engine
        .precompile_component(component)
        .map_err(|error| LoadError::Invalid { what: what.to_owned(), reason: one_line(&error) })
}

/// The other side of [`Compiler::in_child`]: limits this process, reads one component from standard input, writes its
/// code to standard output, and answers with the exit code.
pub fn serve_one_compilation(limits: CompileLimits) -> u8 {
    match compile_once(limits) {
        Ok(()) => 0,
        Err((code, reason)) => {
            eprintln!("{reason}");
            code
        }
    }
}

fn compile_once(limits: CompileLimits) -> Result<(), (u8, String)> {
    let broken = |reason: String| (1, reason);
    limit(Resource::Cpu, limits.cpu_s).map_err(broken)?;
    limit(Resource::Data, limits.memory).map_err(broken)?;
    limit(Resource::Core, 0).map_err(broken)?;
    let mut component = Vec::new();
    std::io::stdin()
        .take(MAX_COMPONENT + 1)
        .read_to_end(&mut component)
        .map_err(|error| (1, format!("the component could not be read: {error}")))?;
    let engine = Engine::new(&config()).map_err(|error| (1, one_line(&error)))?;
    let code = engine.precompile_component(&component).map_err(|error| (INVALID, one_line(&error)))?;
    std::io::stdout().write_all(&code).map_err(|error| (1, format!("the code could not be written: {error}")))
}

/// The engine's settings as far as code depends on them, and one thread.
fn config() -> Config {
    let mut config = engine::code_config();
    config.parallel_compilation(false);
    config
}

fn limit(resource: Resource, most: u64) -> Result<(), String> {
    let hard = getrlimit(resource).maximum;
    let most = hard.map_or(most, |hard| hard.min(most));
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
        .map_err(|error| format!("the limits of the compiler could not be set: {error}"))
}
