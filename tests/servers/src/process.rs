//! Starting a server as a process group of its own, ending it by its number, and the watch that ends it when the tests
//! cannot: a shell that reads from a pipe which only the tests hold open. However they end, the pipe closes.

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

/// How long a server may take to start, on a slow and busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// How long an orderly end may take before it becomes a kill.
const ORDERLY: Duration = Duration::from_secs(30);

/// Each line that it reads replaces the list of process groups that it has to kill; `$1` is the folder to remove. A
/// server's last thread may still write while the folder goes, so that takes a few tries.
const WATCH: &str = r#"trap '' HUP INT QUIT TERM
groups=
while read -r line; do groups=$line; done
for group in $groups; do kill -9 "-$group"; done
tries=0
until rm -rf -- "$1" || [ $tries = 50 ]; do tries=$((tries + 1)); sleep 0.1; done"#;

/// Waits for one line before it becomes the server, so that no server runs that the watch does not know of.
const LAUNCH: &str = r#"read -r go || exit 1; exec "$@" </dev/null"#;

/// A temporary folder and the process groups that live in it; all of it goes when this is dropped, or when this very
/// process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Home {
    folder: TempDir,
    watch: Child,
    running: Vec<(&'static str, Child)>,
}

impl Home {
    pub(crate) fn new(name: &str) -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("vumi-test-{name}-"))
            .tempdir()
            .map_err(|error| format!("a temporary folder for {name} cannot be made: {error}"))?;
        let watch = Command::new("sh")
            .args(["-c", WATCH, "vumi-test-watch"])
            .arg(folder.path())
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("`sh` could not be started: {error}"))?;
        Ok(Self { folder, watch, running: Vec::new() })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where a program prints to.
    pub(crate) fn output(&self, name: &str) -> PathBuf {
        self.path().join(format!("{name}.out"))
    }

    /// Starts a program as the leader of a new process group, in the folder.
    pub(crate) fn spawn(&mut self, name: &'static str, program: &Command) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{name} could not be started: {error}");
        let output = File::options().create(true).append(true).open(self.output(name)).map_err(failed)?;
        let mut launch = Command::new("sh");
        launch.args(["-c", LAUNCH, name]).arg(program.get_program()).args(program.get_args());
        for (key, value) in program.get_envs() {
            match value {
                Some(value) => launch.env(key, value),
                None => launch.env_remove(key),
            };
        }
        launch.process_group(0).current_dir(self.path()).stdin(Stdio::piped());
        launch.stdout(output.try_clone().map_err(failed)?).stderr(output);
        let mut child = launch.spawn().map_err(failed)?;
        let go = child.stdin.take();
        self.running.push((name, child));
        self.tell_watch().map_err(failed)?;
        go.map_or(Ok(()), |mut go| go.write_all(b"go\n")).map_err(failed)
    }

    /// How the program ended, if it did.
    pub(crate) fn ended(&mut self, name: &str) -> Option<ExitStatus> {
        self.running.iter_mut().find(|(known, _)| *known == name).and_then(|(_, child)| child.try_wait().ok().flatten())
    }

    /// Sends a signal to all processes of the program's group.
    pub(crate) fn signal(&mut self, name: &str, signal: Signal) -> Result<(), String> {
        let child = self.running.iter_mut().find(|(known, _)| *known == name).map(|(_, child)| child);
        // Its number belongs to it as long as nobody has asked how it ended.
        let child = child.and_then(|child| child.try_wait().is_ok_and(|ended| ended.is_none()).then_some(child));
        let group = child.map(|child| Pid::from_child(child)).ok_or_else(|| format!("{name} does not run"))?;
        kill_process_group(group, signal).map_err(|error| format!("{name} cannot be signalled: {error}"))
    }

    /// Asks the program to end, and waits until it has; one that takes too long is killed.
    pub(crate) fn stop(&mut self, name: &str) -> Result<(), String> {
        if let Some((_, child)) = self.running.iter_mut().find(|(known, _)| *known == name) {
            if child.try_wait().is_ok_and(|ended| ended.is_none()) {
                let _ = kill_process(Pid::from_child(child), Signal::TERM);
            }
            let _ = until(ORDERLY, || child.try_wait().is_ok_and(|ended| ended.is_some()).then_some(()));
        }
        self.kill(name)
    }

    /// Kills the program's group at once, as `kill -9` does.
    pub(crate) fn kill(&mut self, name: &str) -> Result<(), String> {
        while let Some(place) = self.running.iter().position(|(known, _)| *known == name) {
            let (_, mut child) = self.running.remove(place);
            if child.try_wait().is_ok_and(|ended| ended.is_none()) {
                let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
                child.wait().map_err(|error| format!("{name} does not end: {error}"))?;
            }
        }
        self.tell_watch().map_err(|error| format!("the watch over {name} has gone: {error}"))
    }

    fn tell_watch(&mut self) -> std::io::Result<()> {
        let groups: Vec<String> = self.running.iter().map(|(_, child)| child.id().to_string()).collect();
        self.watch.stdin.as_mut().map_or(Ok(()), |watch| watch.write_all((groups.join(" ") + "\n").as_bytes()))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        while let Some((name, _)) = self.running.first() {
            let _ = self.kill(name);
        }
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

/// Tries until there is an answer; none within the limit is `None`.
pub(crate) fn until<T>(limit: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        match attempt() {
            Some(answer) => return Some(answer),
            None if Instant::now() >= end => return None,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// A loopback port that nobody uses. It lies below the range from which Linux takes the ports of outgoing connections
/// (32768 and up): none of those can take it, neither before the server binds it nor while the server is down.
pub(crate) fn free_port() -> Result<u16, String> {
    const FIRST: u16 = 12_000;
    const COUNT: u16 = 20_000;
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    // Test programs that run side by side begin at different places.
    let next = NEXT.get_or_init(|| {
        let random = RandomState::new().build_hasher().finish();
        AtomicU16::new(u16::try_from(random % u64::from(COUNT)).unwrap_or(0))
    });
    let candidates = (0..COUNT).map(|_| FIRST + next.fetch_add(1, Ordering::Relaxed) % COUNT);
    candidates.into_iter().find(|port| is_free(*port)).ok_or_else(|| "no loopback port is free".into())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A new connection, with limits on how long it may block.
pub(crate) fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Waits until a port that a server had can be bound again.
pub(crate) fn released(port: u16) -> Result<(), String> {
    until(ORDERLY, || is_free(port).then_some(())).ok_or_else(|| format!("port {port} is still in use"))
}

/// The program, wherever it is installed; `places` are looked at before PATH.
pub(crate) fn find(program: &str, places: &[&str], package: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = places.iter().map(PathBuf::from).chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file()).ok_or_else(|| {
        format!("`{program}` is not installed; install the Debian package {package}, which `cargo xtask test` does")
    })
}

/// The last lines of a log, for the reason of a failed start.
pub(crate) fn tail(file: &Path) -> String {
    let text = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n")
}
