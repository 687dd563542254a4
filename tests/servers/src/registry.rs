//! One OCI registry: the reference implementation of the distribution project, with its blobs in a folder.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::must;
use crate::process::{Home, PATIENCE, connect, find, free_port, tail, until};

const NAME: &str = "docker-registry";

/// The Debian package.
pub(crate) const PACKAGE: &str = "docker-registry";

/// The line of an htpasswd file that lets [`OciRegistry::USER`] in; bcrypt is the only hash that the registry takes.
const LOGIN: &str = "somebody:$2b$05$abcdefghijklmnopqrstuuBO.kmgTJhdt40M5ZyHgFmcpBdUb9aS.\n";

pub(crate) fn find_server() -> Result<PathBuf, String> {
    find("docker-registry", &[], PACKAGE)
}

/// A private OCI registry; it ends, and what was pushed goes, when this is dropped.
#[derive(Debug)]
pub struct OciRegistry {
    home: Home,
    port: u16,
    closed: bool,
}

impl OciRegistry {
    /// Who may use a registry that was started [closed](Self::start_closed).
    pub const USER: &str = "somebody";

    /// That user's password.
    pub const PASSWORD: &str = "right-password";

    /// Starts one that lets everybody push and pull, and waits until it answers.
    #[track_caller]
    pub fn start() -> Self {
        must(Self::try_with(false))
    }

    /// Starts one that lets only [`USER`](Self::USER) in.
    #[track_caller]
    pub fn start_closed() -> Self {
        must(Self::try_with(true))
    }

    /// The same as [`start`](Self::start); the error is a sentence that says what is missing.
    pub fn try_start() -> Result<Self, String> {
        Self::try_with(false)
    }

    fn try_with(closed: bool) -> Result<Self, String> {
        let mut last = String::new();
        // Another program may take the port before the registry does.
        for _ in 0..5 {
            let mut registry = Self { home: Home::new(NAME)?, port: free_port()?, closed };
            match registry.launch() {
                Ok(()) => return Ok(registry),
                Err(reason) if reason.contains("address already in use") => last = reason,
                Err(reason) => return Err(reason),
            }
        }
        Err(last)
    }

    fn launch(&mut self) -> Result<(), String> {
        let folder = self.home.path();
        let quoted = |path: &Path| format!("'{}'", path.display());
        let (blobs, logins) = (quoted(&folder.join("blobs")), quoted(&folder.join("logins")));
        let auth =
            if self.closed { format!("auth: {{htpasswd: {{realm: test, path: {logins}}}}}\n") } else { String::new() };
        let config = format!(
            "version: 0.1\nlog: {{level: warn, accesslog: {{disabled: true}}}}\nstorage: {{filesystem: {{rootdirectory: {blobs}}}}}\n\
             http: {{addr: '127.0.0.1:{}', secret: test}}\n{auth}",
            self.port
        );
        for (file, text) in [("config.yml", config.as_str()), ("logins", LOGIN)] {
            fs::write(folder.join(file), text).map_err(|error| format!("{file} cannot be written: {error}"))?;
        }
        let mut command = Command::new(find_server()?);
        for (key, _) in std::env::vars_os() {
            if key.to_str().is_some_and(|key| key.starts_with("REGISTRY_")) {
                command.env_remove(key);
            }
        }
        command.arg("serve").arg(folder.join("config.yml"));
        self.home.spawn(NAME, &command)?;
        let ready = until(PATIENCE, || match self.home.ended(NAME) {
            None => self.answers().then_some(true),
            Some(_) => Some(false),
        });
        match ready {
            Some(true) => Ok(()),
            _ => Err(format!("the OCI registry does not start; it says:\n{}", tail(&self.home.output(NAME)))),
        }
    }

    /// Whether it speaks the protocol: with 200, or with 401 where it wants a login.
    fn answers(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = connect(self.port)?;
            stream.write_all(b"GET /v2/ HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.to_ascii_lowercase().contains("docker-distribution-api-version: registry/2.0"))
    }

    /// The port, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A reference to something in it: `oci://127.0.0.1:PORT/NAME`.
    pub fn reference(&self, name: &str) -> String {
        format!("oci://127.0.0.1:{}/{name}", self.port)
    }

    /// The file in which it keeps the bytes with a digest, for tests that spoil them.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
        let start = hex.get(..2).unwrap_or_default();
        self.home.path().join("blobs/docker/registry/v2/blobs/sha256").join(start).join(hex).join("data")
    }

    #[cfg(test)]
    pub(crate) fn folder(&self) -> &Path {
        self.home.path()
    }
}
