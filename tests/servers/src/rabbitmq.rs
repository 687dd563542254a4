//! One RabbitMQ server: a node with a name, a cookie and a port mapper (epmd) of its own, all on loopback.
//!
//! Why no `rabbitmqctl` and no management plugin: see `control.rs`.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Write};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;

use crate::control::{Control, find_all, unique};
use crate::must;
use crate::process::{Home, PATIENCE, connect, free_port, released, tail, until};
use crate::redis::encode;

const NAME: &str = "rabbitmq";
const EPMD: &str = "epmd";

/// A private RabbitMQ server, with the consistent hash exchange; it ends, and its data goes, when this is dropped.
#[derive(Debug)]
pub struct RabbitMq {
    home: Home,
    node: String,
    port: u16,
    epmd: u16,
    control: Control,
}

impl RabbitMq {
    /// Starts one and waits until it serves clients, which takes some seconds.
    #[track_caller]
    pub fn start() -> Self {
        must(Self::try_start())
    }

    /// The same; the error is a sentence that says what is missing.
    pub fn try_start() -> Result<Self, String> {
        let mut last = String::new();
        // Another program may take one of the ports before RabbitMQ does.
        for _ in 0..3 {
            let mut server = Self::prepare()?;
            match server.launch_epmd().and_then(|()| server.launch()) {
                Ok(()) => return Ok(server),
                Err(reason) if reason.contains("eaddrinuse") || reason.contains("ddress already in use") => {
                    last = reason;
                }
                Err(reason) => return Err(reason),
            }
        }
        Err(last)
    }

    /// Writes the configuration.
    fn prepare() -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let node = format!("vumi-test-{}-{}@localhost", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let random = || RandomState::new().build_hasher().finish();
        let control = Control { port: free_port()?, cookie: format!("{:016x}{:016x}", random(), random()) };
        let (home, port) = (Home::new(NAME)?, free_port()?);
        for (file, text) in [
            // The alarms about memory and disk are the tests' to raise, not those of a full machine.
            (
                "rabbitmq.conf",
                format!(
                    "listeners.tcp.1 = 127.0.0.1:{port}\ndisk_free_limit.absolute = 1MB\n\
                     vm_memory_high_watermark.relative = {WATERMARK}\n"
                ),
            ),
            ("enabled_plugins", "[rabbitmq_consistent_hash_exchange].\n".to_owned()),
        ] {
            fs::write(home.path().join(file), text).map_err(|error| format!("{file} cannot be written: {error}"))?;
        }
        Ok(Self { home, node, port, epmd: free_port()?, control })
    }

    fn launch_epmd(&mut self) -> Result<(), String> {
        let [_, epmd, _] = find_all()?;
        let mut command = Command::new(epmd);
        command.args(["-port", &self.epmd.to_string(), "-address", "127.0.0.1"]);
        self.home.spawn(EPMD, &command)?;
        let ready = until(PATIENCE, || match self.home.ended(EPMD) {
            None => connect(self.epmd).is_ok().then_some(true),
            Some(_) => Some(false),
        });
        match ready {
            Some(true) => Ok(()),
            _ => Err(format!("epmd does not start; it says:\n{}", tail(&self.home.output(EPMD)))),
        }
    }

    fn launch(&mut self) -> Result<(), String> {
        let [server, ..] = find_all()?;
        let mut command = Command::new(server);
        for (key, _) in std::env::vars_os() {
            if key.to_str().is_some_and(|key| key.starts_with("RABBITMQ_") || key.starts_with("ERL_")) {
                command.env_remove(key);
            }
        }
        let folder = self.home.path();
        for (key, file) in [
            ("HOME", ""),
            ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
            ("RABBITMQ_CONFIG_FILES", "conf.d"),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "enabled_plugins"),
            ("RABBITMQ_GENERATED_CONFIG_DIR", "generated"),
            ("RABBITMQ_MNESIA_BASE", "mnesia"),
            ("RABBITMQ_QUORUM_DIR", "quorum"),
            ("RABBITMQ_STREAM_DIR", "stream"),
            ("RABBITMQ_FEATURE_FLAGS_FILE", "feature_flags"),
            ("RABBITMQ_PLUGINS_EXPAND_DIR", "plugins"),
            ("RABBITMQ_PID_FILE", "pid"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_LOGS", "log/rabbitmq.log"),
            ("ERL_CRASH_DUMP", "crash.dump"),
        ] {
            command.env(key, folder.join(file));
        }
        command.env("RABBITMQ_CONF_ENV_FILE", "/dev/null").env("LANG", "C.UTF-8");
        command.env("RABBITMQ_NODENAME", &self.node).env("RABBITMQ_DIST_PORT", self.control.port.to_string());
        command.env("ERL_EPMD_PORT", self.epmd.to_string()).env("ERL_EPMD_ADDRESS", "127.0.0.1");
        command.env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            format!("-setcookie {} -kernel inet_dist_use_interface {{127,0,0,1}}", self.control.cookie),
        );
        self.home.spawn(NAME, &command)?;
        let ready = until(PATIENCE, || match self.home.ended(NAME) {
            None => greets(self.port).then_some(true),
            Some(_) => Some(false),
        });
        match ready {
            Some(true) => Ok(()),
            _ => {
                let (printed, log) = (tail(&self.home.output(NAME)), tail(&self.home.path().join("log/rabbitmq.log")));
                Err(format!("RabbitMQ does not start; it says:\n{printed}\n{log}"))
            }
        }
    }

    /// The port for AMQP, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a vhost whose name is percent-encoded already; `%2f` is the one that is there from the start.
    pub fn url(&self, vhost_encoded: &str) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/{vhost_encoded}", self.port)
    }

    /// Makes a fresh vhost whose name begins so, and gives its URL. Takes milliseconds.
    #[track_caller]
    pub fn vhost(&self, name: &str) -> String {
        self.add_vhost(&unique(name))
    }

    /// Makes the vhost of exactly this name, such as `/develop`, and gives its URL.
    #[track_caller]
    pub fn add_vhost(&self, name: &str) -> String {
        must(self.control.add_vhost(name));
        self.url(&encode(name))
    }

    /// Evaluates Erlang in the server, expressions with commas between them and no final dot, and gives the last result
    /// as Erlang writes it; an exception fails the test.
    #[track_caller]
    pub fn eval(&self, expression: &str) -> String {
        must(self.control.eval(expression))
    }

    /// Raises or ends the memory alarm. While it is raised, RabbitMQ reads no more from connections that publish and
    /// sends `connection.blocked` to them.
    #[track_caller]
    pub fn memory_alarm(&self, on: bool) {
        let watermark = if on { "0.0" } else { WATERMARK };
        self.eval(&format!("vm_memory_monitor:set_vm_memory_high_watermark({watermark})"));
        let as_wanted = || (self.eval("rabbit_alarm:get_alarms()").contains("memory") == on).then_some(());
        must(until(PATIENCE, as_wanted).ok_or_else(|| format!("the memory alarm does not become {on}")));
    }

    /// Ends it in good order; the data stays for [`RabbitMq::start_again`].
    #[track_caller]
    pub fn stop(&mut self) {
        must(self.home.stop(NAME).and_then(|()| self.released()));
    }

    /// Kills it, as a power cut would; the data stays for [`RabbitMq::start_again`].
    #[track_caller]
    pub fn kill(&mut self) {
        must(self.home.kill(NAME).and_then(|()| self.released()));
    }

    /// Starts it after [`RabbitMq::stop`] or [`RabbitMq::kill`], on the same port with the same data.
    #[track_caller]
    pub fn start_again(&mut self) {
        must(self.launch());
    }

    /// Ends it in good order and starts it again.
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// Halts the process: connections stay open and nothing answers, until [`RabbitMq::resume`].
    #[track_caller]
    pub fn pause(&mut self) {
        must(self.home.signal(NAME, Signal::STOP));
    }

    /// Lets it run on after [`RabbitMq::pause`].
    #[track_caller]
    pub fn resume(&mut self) {
        must(self.home.signal(NAME, Signal::CONT));
    }

    /// What the environment variable `VUMI_TEST_AMQP_CONTROL` says to the tests that share this server: how to make
    /// vhosts on it.
    pub fn control(&self) -> String {
        format!("{}:{}", self.control.port, self.control.cookie)
    }

    fn released(&self) -> Result<(), String> {
        released(self.port).and_then(|()| released(self.control.port))
    }

    #[cfg(test)]
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.home.path()
    }
}

/// The share of the machine's memory above which RabbitMQ blocks publishers.
const WATERMARK: &str = "0.8";

/// True when a server of AMQP 0-9-1 greets with its first method. RabbitMQ opens the port as the last step of its start.
fn greets(port: u16) -> bool {
    let greeting = connect(port).and_then(|mut stream| {
        stream.write_all(b"AMQP\x00\x00\x09\x01")?;
        let mut first = [0; 1];
        stream.read_exact(&mut first)?;
        Ok(first)
    });
    greeting.is_ok_and(|first| first == [1])
}
