//! A running host: the real binary, on free ports of 127.0.0.1, ended by its pid.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

use crate::guests::target;
use crate::http;
use crate::wait::{PATIENCE, until};

/// How a host is started.
pub struct HostBuilder {
    command: Command,
}

/// A running host.
pub struct Host {
    child: Child,
    /// Where telnet listens, if it does.
    pub telnet: Option<SocketAddr>,
    /// Where the admin server listens.
    pub admin: SocketAddr,
    /// What it printed before it was ready.
    pub banner: String,
    log: Arc<Mutex<String>>,
}

/// The binary under test.
///
/// # Panics
/// When it has not been built.
pub fn binary() -> PathBuf {
    let path = std::env::var_os("VUMI_HOST_BIN").map_or_else(|| target().join("debug/vumi-host"), PathBuf::from);
    assert!(path.is_file(), "{} is missing; run `cargo build -p vumi-host` first", path.display());
    path
}

impl HostBuilder {
    /// `vumi-host --app COMPONENT`, on free ports.
    pub fn app(component: &Path) -> Self {
        let mut command = Command::new(binary());
        command.arg("--app").arg(component).args(["--telnet-port", "0", "--admin", "127.0.0.1:0"]);
        Self { command }
    }

    /// `vumi-host dev FOLDER`, on free ports.
    pub fn dev(folder: &Path) -> Self {
        let mut command = Command::new(binary());
        command.arg("dev").arg(folder).args(["--telnet-port", "0", "--admin", "127.0.0.1:0"]);
        Self { command }
    }

    /// `vumi-host run FILE`.
    pub fn run(file: &Path) -> Self {
        let mut command = Command::new(binary());
        command.arg("run").arg(file);
        Self { command }
    }

    /// `vumi-host worker --worker-class CLASS`, with an admin server on a free port.
    pub fn worker(class: &str) -> Self {
        let mut command = Command::new(binary());
        command.args(["worker", "--worker-class", class, "--admin", "127.0.0.1:0"]);
        Self { command }
    }

    /// Adds an option whose value is a path.
    #[must_use]
    pub fn arg_file(self, option: &str, path: &Path) -> Self {
        self.args([std::ffi::OsStr::new(option), path.as_os_str()])
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(mut self, args: I) -> Self {
        self.command.args(args);
        self
    }

    /// Keeps everything in a folder.
    #[must_use]
    pub fn data_dir(self, folder: &Path) -> Self {
        self.args([std::ffi::OsStr::new("--data-dir"), folder.as_os_str()])
    }

    /// Starts it and waits until it says that it runs.
    ///
    /// # Panics
    /// When it ends instead, or says nothing in time; its log is shown.
    pub fn start(mut self) -> Host {
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary can be started");
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let keep = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = keep.lock().expect("no panic while the log was held");
                log.push_str(&line);
                log.push('\n');
            }
        });
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut banner = String::new();
            let mut lines = BufReader::new(stdout);
            loop {
                let mut line = String::new();
                if lines.read_line(&mut line).unwrap_or(0) == 0 {
                    break;
                }
                let last = line.starts_with("Ctrl-C stops it.");
                banner.push_str(&line);
                if last {
                    let _ = sender.send(banner.clone());
                    break;
                }
            }
            // Goes on reading, so that the host never waits for a full pipe.
            let _ = std::io::copy(&mut lines, &mut std::io::sink());
        });
        let Ok(banner) = receiver.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            let ended = child.wait();
            let log = log.lock().expect("no panic while the log was held");
            panic!("the host did not start ({ended:?}):\n{log}");
        };
        let admin = address_after(&banner, "  phones     http://").expect("the banner names the admin address");
        let telnet = address_after(&banner, "telnet     ");
        Host { child, telnet, admin, banner, log }
    }

    /// Runs it to its end, for commands that end by themselves.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn output(mut self) -> (ExitStatus, String, String) {
        let output = self.command.stdin(Stdio::null()).output().expect("the binary can be started");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status, text(&output.stdout), text(&output.stderr))
    }
}

/// Runs the binary with arguments, to its end.
pub fn run_binary(args: &[&str]) -> (ExitStatus, String, String) {
    HostBuilder { command: Command::new(binary()) }.args(args).output()
}

fn address_after(banner: &str, label: &str) -> Option<SocketAddr> {
    let rest = banner.get(banner.find(label)? + label.len()..)?;
    let end = rest.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

impl Host {
    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    ///
    /// # Panics
    /// When a reader of the log panicked.
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic while the log was held").clone()
    }

    /// A question to the API.
    pub fn get(&self, path: &str) -> Value {
        http::get(self.admin, path).json()
    }

    /// Where a transport listens, by its name.
    ///
    /// # Panics
    /// When there is no such transport, or it listens nowhere.
    pub fn listening(&self, name: &str) -> SocketAddr {
        let system = self.get("/api/v1/system");
        let places = system.get("listening").and_then(Value::as_array).into_iter().flatten();
        // That of an HTTP transport is a URL.
        let bare = |text: &str| text.trim_start_matches("http://").split('/').next()?.parse().ok();
        let address = places.filter(|place| place["name"] == name).find_map(|place| bare(place["address"].as_str()?));
        address.unwrap_or_else(|| panic!("`{name}` does not listen: {system}"))
    }

    /// All records of a transport in the store, oldest first.
    ///
    /// # Panics
    /// When the API refuses.
    pub fn messages(&self, transport_name: &str) -> Vec<Value> {
        let (mut all, mut before) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/messages?transport_name={transport_name}&limit=1000{before}");
            let page = self.get(&path);
            all.extend(page["items"].as_array().expect("a page has items").iter().cloned());
            let Some(next) = page.get("next").and_then(Value::as_u64) else { break };
            before = format!("&before={next}");
        }
        all.reverse();
        all
    }

    /// The newest runs of an app, newest first.
    ///
    /// # Panics
    /// When the API refuses.
    pub fn runs(&self, app: &str) -> Vec<Value> {
        self.get(&format!("/api/v1/apps/{app}/runs"))["items"].as_array().expect("a page has items").clone()
    }

    /// The newest log lines of an app, newest first.
    ///
    /// # Panics
    /// When the API refuses.
    pub fn logs(&self, app: &str) -> Vec<Value> {
        self.get(&format!("/api/v1/apps/{app}/logs"))["items"].as_array().expect("a page has items").clone()
    }

    /// The telnet address.
    ///
    /// # Panics
    /// When it has no telnet transport.
    pub fn telnet(&self) -> SocketAddr {
        self.telnet.expect("this host has a telnet transport")
    }

    /// Sends an SMS from a simulated phone; the id when the host accepted it.
    pub fn sms(&self, phone: &str, text: &str) -> Option<String> {
        let path = format!("/api/v1/simulator/phones/{}/messages", phone.replace('+', "%2B"));
        let body = json!({"kind": "sms", "content": text, "to_addr": "8007"});
        let answer = http::request(self.admin, "POST", &path, Some(&body)).ok()?;
        (answer.status == 202)
            .then(|| answer.json().get("message_id").and_then(Value::as_str).map(str::to_owned))
            .flatten()
    }

    /// The thread of a simulated phone.
    pub fn phone(&self, phone: &str) -> Vec<Value> {
        let path = format!("/api/v1/simulator/phones/{}", phone.replace('+', "%2B"));
        let thread = self.get(&path);
        thread.get("messages").and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// Ends it as `kill -9` does.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn kill(mut self) {
        self.child.kill().expect("the host can be killed");
        self.child.wait().expect("the host can be waited for");
    }

    /// Sends it SIGTERM and goes on.
    ///
    /// # Panics
    /// When that fails.
    pub fn signal_term(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIGTERM can be sent");
    }

    /// Ends it as an operator does, with SIGTERM; the answer is its exit status and how long it took.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn terminate(self) -> (ExitStatus, std::time::Duration, String) {
        self.signal_term();
        self.wait()
    }

    /// Waits for its end; the answer is its exit status, how long that took from now, and its log.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn wait(mut self) -> (ExitStatus, std::time::Duration, String) {
        let began = Instant::now();
        let status = until("the host ends after SIGTERM", || self.child.try_wait().ok().flatten());
        (status, began.elapsed(), self.log())
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log.lock().map(|log| log.clone()).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(60).collect();
            eprintln!("--- the host's log (end) ---");
            for line in tail.into_iter().rev() {
                eprintln!("{line}");
            }
        }
    }
}

/// A text file that a test reads whole.
///
/// # Panics
/// When it cannot be read.
pub fn read(path: &Path) -> String {
    let mut text = String::new();
    std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text)).expect("the file can be read");
    text
}
