//! Steering a RabbitMQ with `erl_call`, which comes with Erlang and takes milliseconds where `rabbitmqctl` takes seconds.
//!
//! The management plugin would be another way; it adds half a second to each start and five seconds to each orderly end.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::process::find;

/// The Debian package; it brings Erlang.
pub(crate) const PACKAGE: &str = "rabbitmq-server";

/// Where Debian has the program itself; the one of that name on PATH switches to a user of its own and logs to /var.
const PLACES: &[&str] = &["/usr/lib/rabbitmq/bin"];

/// The server, Erlang's port mapper and the program that steers it.
pub(crate) fn find_all() -> Result<[PathBuf; 3], String> {
    Ok([find("rabbitmq-server", PLACES, PACKAGE)?, find("epmd", &[], PACKAGE)?, find("erl_call", &[], PACKAGE)?])
}

/// What it takes to steer a server from any process on this machine.
#[derive(Clone)]
pub(crate) struct Control {
    /// The port at which the node listens for other nodes.
    pub(crate) port: u16,
    pub(crate) cookie: String,
}

impl fmt::Debug for Control {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Control").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Control {
    /// Reads what [`crate::RabbitMq::control`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (port, cookie) = text.split_once(':')?;
        Some(Self { port: port.parse().ok()?, cookie: cookie.to_owned() })
    }

    pub(crate) fn add_vhost(&self, name: &str) -> Result<(), String> {
        let name = name.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(",");
        let all = "<<\".*\">>";
        self.eval(&format!(
            "Name = <<{name}>>, ok = rabbit_vhost:add(Name, <<\"vumi-test\">>), \
             ok = rabbit_auth_backend_internal:set_permissions(<<\"guest\">>, Name, {all}, {all}, {all}, <<\"vumi-test\">>)"
        ))
        .map(drop)
    }

    pub(crate) fn eval(&self, expression: &str) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("erl_call fails: {error}");
        let [.., erl_call] = find_all()?;
        let mut command = Command::new(erl_call);
        command.args(["-address", &self.port.to_string(), "-c", &self.cookie, "-R", "-timeout", "60", "-e"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        // It reads until the end, which is where the pipe is dropped.
        child.stdin.take().map_or(Ok(()), |mut stdin| writeln!(stdin, "{expression}.")).map_err(failed)?;
        let output = child.wait_with_output().map_err(failed)?;
        let answer = String::from_utf8_lossy(&output.stdout);
        let result = answer.trim().strip_prefix("{ok, ").and_then(|rest| rest.strip_suffix('}'));
        result.map(str::to_owned).ok_or_else(|| {
            format!("RabbitMQ refuses `{expression}`: {answer}{}", String::from_utf8_lossy(&output.stderr))
        })
    }
}

/// A name that no other test uses, of this process or another.
pub(crate) fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
