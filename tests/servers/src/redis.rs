//! One Redis server. It writes every change to disk before it answers, so that what a test stored is there after a
//! restart and after a kill.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use crate::must;
use crate::process::{Home, PATIENCE, connect, find, free_port, released, tail, until};

const NAME: &str = "redis";

/// The Debian package.
pub(crate) const PACKAGE: &str = "redis-server";

pub(crate) fn find_server() -> Result<PathBuf, String> {
    find("redis-server", &[], PACKAGE)
}

/// A private Redis server; it ends, and its data goes, when this is dropped.
#[derive(Debug)]
pub struct Redis {
    home: Home,
    port: u16,
    args: Vec<String>,
    password: Option<String>,
}

impl Redis {
    /// Starts one and waits until it answers.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The same with more arguments for `redis-server`, such as `&["--maxmemory", "2mb"]`. A password given with
    /// `--requirepass` becomes a part of [`Redis::url`].
    #[track_caller]
    pub fn with(args: &[&str]) -> Self {
        must(Self::try_with(args))
    }

    /// The same; the error is a sentence that says what is missing.
    pub fn try_start() -> Result<Self, String> {
        Self::try_with(&[])
    }

    pub(crate) fn try_with(args: &[&str]) -> Result<Self, String> {
        let mut last = String::new();
        // Another program may take the port before Redis does.
        for _ in 0..5 {
            let password = args.iter().position(|arg| *arg == "--requirepass").and_then(|place| args.get(place + 1));
            let mut redis = Self {
                home: Home::new(NAME)?,
                port: free_port()?,
                args: args.iter().map(ToString::to_string).collect(),
                password: password.map(ToString::to_string),
            };
            match redis.launch() {
                Ok(()) => return Ok(redis),
                Err(reason) if reason.contains("Address already in use") => last = reason,
                Err(reason) => return Err(reason),
            }
        }
        Err(last)
    }

    fn launch(&mut self) -> Result<(), String> {
        let mut command = Command::new(find_server()?);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no", "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--databases", "1024"]);
        command.arg("--dir").arg(self.home.path()).args(&self.args);
        self.home.spawn(NAME, &command)?;
        let ready = until(PATIENCE, || match self.try_command(&["PING"]) {
            Ok(reply) if reply == "PONG" => Some(true),
            _ => self.home.ended(NAME).map(|_| false),
        });
        match ready {
            Some(true) => Ok(()),
            _ => Err(format!("Redis does not start; it says:\n{}", tail(&self.home.output(NAME)))),
        }
    }

    /// The port, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of one of its databases, 0 to 1023.
    pub fn url(&self, db: u32) -> String {
        let password = self.password.as_deref().map_or_else(String::new, |password| format!(":{}@", encode(password)));
        format!("redis://{password}127.0.0.1:{}/{db}", self.port)
    }

    /// Sends a command to database 0 and gives the reply as text: strings and numbers as they are, the members of an
    /// array in lines, nil as nothing. An error reply fails the test.
    #[track_caller]
    pub fn command(&self, words: &[&str]) -> String {
        must(self.try_command(words))
    }

    pub(crate) fn try_command(&self, words: &[&str]) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("Redis does not answer: {error}");
        let mut stream = BufReader::new(connect(self.port).map_err(failed)?);
        if let Some(password) = &self.password {
            stream.get_mut().write_all(&request(&["AUTH", password])).map_err(failed)?;
            reply(&mut stream).map_err(failed)??;
        }
        stream.get_mut().write_all(&request(words)).map_err(failed)?;
        reply(&mut stream).map_err(failed)?
    }

    /// Ends it in good order; the data stays for [`Redis::start_again`].
    #[track_caller]
    pub fn stop(&mut self) {
        must(self.home.stop(NAME).and_then(|()| released(self.port)));
    }

    /// Kills it, as a power cut would; the data stays for [`Redis::start_again`].
    #[track_caller]
    pub fn kill(&mut self) {
        must(self.home.kill(NAME).and_then(|()| released(self.port)));
    }

    /// Starts it after [`Redis::stop`] or [`Redis::kill`], on the same port with the same data.
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

    /// Halts the process: connections stay open and nothing answers, until [`Redis::resume`].
    #[track_caller]
    pub fn pause(&mut self) {
        must(self.home.signal(NAME, Signal::STOP));
    }

    /// Lets it run on after [`Redis::pause`].
    #[track_caller]
    pub fn resume(&mut self) {
        must(self.home.signal(NAME, Signal::CONT));
    }

    #[cfg(test)]
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.home.path()
    }
}

/// Percent-encodes what may not stand in a part of a URL.
pub(crate) fn encode(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") }).collect()
}

/// A command in the protocol of Redis.
fn request(words: &[&str]) -> Vec<u8> {
    let words = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    let (count, words) = (words.len(), words.collect::<String>());
    format!("*{count}\r\n{words}").into_bytes()
}

/// One reply; the inner error is what the server complains about.
fn reply(stream: &mut impl BufRead) -> std::io::Result<Result<String, String>> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let line = line.trim_end();
    let wrong = || std::io::Error::other(format!("`{line}` is no reply of Redis"));
    let (kind, rest) = line.split_at_checked(1).ok_or_else(wrong)?;
    let length = || rest.parse::<i64>().map_err(|_| wrong());
    match kind {
        "+" | ":" => Ok(Ok(rest.to_owned())),
        "-" => Ok(Err(format!("Redis refuses: {rest}"))),
        "$" => {
            let Ok(length) = u64::try_from(length()?) else { return Ok(Ok(String::new())) };
            let mut bytes = Vec::new();
            stream.take(length + 2).read_to_end(&mut bytes)?;
            bytes.truncate(bytes.len().saturating_sub(2));
            Ok(Ok(String::from_utf8_lossy(&bytes).into_owned()))
        }
        "*" => {
            let (mut members, mut refused) = (Vec::new(), None);
            for _ in 0..length()? {
                match reply(stream)? {
                    Ok(member) => members.push(member),
                    Err(reason) => refused = Some(reason),
                }
            }
            Ok(refused.map_or_else(|| Ok(members.join("\n")), Err))
        }
        _ => Err(wrong()),
    }
}
