//! What an app of Vumi's JavaScript sandbox asks the host for, in the words of Vumi's line protocol (specification:
//! sandbox, sections 3 to 8).
//!
//! A front and nothing more: commands are JSON, their arguments are looked at here, and what they ask for is done by the
//! same resources that components use, which count, limit, record and replay. The reasons of refusals are Vumi's own,
//! since apps show and compare them.

mod arguments;
mod contacts;
mod http;
mod kv;
mod log;
mod multipart;
mod options;
mod outbound;
mod small;

use serde_json::{Map, Value};
use vumi_bindings::app::vumi::app::types::Error;
use vumi_bindings::script_engine::vumi::app::legacy_host::Host;
use vumi_core::{LogLevel, Outcome};

use crate::logbook::{Stdio, printable};
use crate::meter::Stop;
use crate::state::Guest;
use arguments::Arguments;

pub use options::{LegacyOptions, Resource};

/// Longest part of a command that is shown in the log, in bytes.
const MAX_SHOWN: usize = 1 << 10;

/// What came of a command: the fields of its reply, or why it failed. `None` for a command that the resource does not
/// have.
type Done = Option<Result<Map<String, Value>, Failure>>;

/// A reply with `success: false`.
struct Failure {
    reason: String,
    /// Whether Vumi's handler had failed over it, and its log tells.
    is_logged: bool,
}

impl Failure {
    /// A refusal that is the app's own affair.
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_logged: false }
    }

    /// An error that the app's owner hears of.
    fn told(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_logged: true }
    }

    /// An error of a resource.
    fn of(error: Error) -> Self {
        match error {
            Error::Denied(reason) | Error::Quota(reason) => Self::new(reason),
            Error::Invalid(reason) | Error::Unavailable(reason) => Self::told(reason),
        }
    }
}

/// A reply without fields of its own.
fn done() -> Done {
    Some(Ok(Map::new()))
}

/// A reply with one field.
fn with(field: &str, value: Value) -> Done {
    Some(Ok(Map::from_iter([(field.to_owned(), value)])))
}

fn failed(failure: Failure) -> Done {
    Some(Err(failure))
}

impl Host for Guest {
    async fn request(&mut self, command: String) -> wasmtime::Result<Option<String>> {
        let Some((cmd, id, arguments)) = parts(&command) else {
            return Err(self.unknown("fallback", "unknown", &command));
        };
        let (name, verb) = cmd.split_once('.').unwrap_or(("", &cmd));
        let Some(resource) = self.app.legacy.resource(name) else {
            return Err(self.unknown("fallback", if name.is_empty() { &cmd } else { verb }, &command));
        };
        let calls = self.budget.host_calls;
        let done = match resource {
            Resource::Log => self.legacy_log(verb, &arguments)?,
            Resource::Kv => self.legacy_kv(verb, &arguments).await?,
            Resource::Outbound => self.legacy_outbound(verb, &arguments).await?,
            Resource::Http => self.legacy_http(verb, &arguments).await?,
            Resource::Config => self.legacy_config(verb, &arguments)?,
            Resource::Metrics => self.legacy_metrics(verb, &arguments)?,
            Resource::Contacts => self.legacy_contacts(verb, &arguments).await?,
            Resource::Groups => self.legacy_groups(verb, &arguments).await?,
            Resource::Js => None,
        };
        let Some(done) = done else { return Err(self.unknown(name, verb, &command)) };
        // A command that was refused before it reached its resource is a host call all the same.
        if self.budget.host_calls == calls {
            let began = self.begin()?;
            self.budget.end(began);
        }
        Ok(Some(self.reply_of(&cmd, id, done)))
    }
}

impl Guest {
    fn reply_of(&self, cmd: &str, id: Value, done: Result<Map<String, Value>, Failure>) -> String {
        let mut reply = Map::new();
        reply.insert("cmd".into(), cmd.into());
        reply.insert("cmd_id".into(), id);
        reply.insert("reply".into(), true.into());
        match done {
            Ok(fields) => {
                reply.insert("success".into(), true.into());
                reply.extend(fields);
            }
            Err(failure) => {
                if failure.is_logged {
                    self.host_log(LogLevel::Error, &failure.reason);
                }
                reply.insert("success".into(), false.into());
                reply.insert("reason".into(), failure.reason.into());
            }
        }
        Value::Object(reply).to_string()
    }

    /// Ends the run: what was asked for does not exist.
    fn unknown(&self, resource: &str, command: &str, full: &str) -> wasmtime::Error {
        let id = &self.app.sandbox_id;
        let command = printable(command, MAX_SHOWN);
        let what = format!("Resource {resource} received unknown command '{command}' from sandbox '{id}'.");
        let text = format!("{what} Killing sandbox. [Full command: {}]", printable(full, MAX_SHOWN));
        self.host_log(LogLevel::Error, &text);
        wasmtime::Error::new(Stop::new(Outcome::HandlerError, what))
    }
}

/// A command's name, its id, and the rest of it. `None` for what is none.
fn parts(command: &str) -> Option<(String, Value, Arguments)> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(command) else { return None };
    fields.get("reply")?;
    let id = fields.shift_remove("cmd_id")?;
    let Some(Value::String(cmd)) = fields.shift_remove("cmd") else { return None };
    Some((cmd, id, Arguments(fields)))
}

/// What an app threw: Vumi's runner wrote it to its standard error, which is logged at the end of the run. The answer is
/// the line that says what it was.
pub(super) fn ended_badly(guest: &Guest, text: &str) -> String {
    // A log that is full keeps no more; the run ends in any case.
    let _ = guest.logbook().stdio(Stdio::Err, text.trim_end().as_bytes());
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = lines().find(|line| line.contains("Error: ") || line.ends_with("Error"));
    telling.or_else(|| lines().next()).unwrap_or("it threw something empty").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_command() {
        let (cmd, id, arguments) = parts(r#"{"cmd":"kv.get","cmd_id":"1","reply":false,"key":"k"}"#).unwrap();
        assert_eq!((cmd.as_str(), id.as_str(), arguments.text("key")), ("kv.get", Some("1"), Some("k")));
        for bad in [
            "not json",
            "[]",
            "{}",
            r#"{"cmd":"kv.get","cmd_id":"1"}"#,
            r#"{"cmd":"kv.get","reply":false}"#,
            r#"{"cmd_id":"1","reply":false}"#,
            r#"{"cmd":5,"cmd_id":"1","reply":false}"#,
        ] {
            assert!(parts(bad).is_none(), "{bad}");
        }
    }
}
