//! Where a server listens, as Vumi's configuration writes it (transport specification "common", C9).
//!
//! Vumi uses Twisted's endpoint strings: `tcp:9010`, `tcp:port=9010:interface=127.0.0.1`. A backslash takes the
//! meaning from the character behind it, which is how an IPv6 address is written: `tcp:9010:interface=\:\:1`.

use std::fmt;

use vumi_core::{Error, Result};

/// The address where nothing else is configured: this machine only.
pub(crate) const LOOPBACK: &str = "127.0.0.1";

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    /// An address of this machine or a name for one.
    pub(crate) host: String,
    /// The port; with 0 the system chooses one.
    pub(crate) port: u16,
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Listen {
    /// On a port; this machine only unless an address is given.
    pub(crate) fn at(host: Option<&str>, port: u16) -> Self {
        Self { host: host.filter(|host| !host.is_empty()).unwrap_or(LOOPBACK).to_owned(), port }
    }

    /// Reads a server endpoint.
    ///
    /// # Errors
    /// One sentence that names the fault and the form.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::permanent(format!(
                "twisted_endpoint `{text}`: {why}; write tcp:PORT or tcp:port=PORT:interface=ADDRESS"
            ))
        };
        let mut parts = split(text).into_iter();
        match parts.next() {
            Some((None, kind)) if kind == "tcp" => {}
            Some((None, kind)) if kind == "ssl" => return Err(wrong("a server with TLS is not supported")),
            _ => return Err(wrong("it must begin with `tcp:`")),
        }
        let (mut port, mut host) = (None, None);
        for (place, (key, value)) in parts.enumerate() {
            let target = match (key.as_deref(), place) {
                (Some("port"), _) | (None, 0) => &mut port,
                (Some("interface"), _) => &mut host,
                // The length of the queue of new connections is left to the system.
                (Some("backlog"), _) => continue,
                (Some(other), _) => return Err(wrong(&format!("`{other}` is no part of it"))),
                (None, _) => return Err(wrong(&format!("it is not clear what `{value}` is"))),
            };
            if target.replace(value).is_some() {
                return Err(wrong("a part stands there twice"));
            }
        }
        let port = port.ok_or_else(|| wrong("the port is missing"))?;
        let port = port.parse().map_err(|_| wrong(&format!("`{port}` is no port (0 to 65535)")))?;
        Ok(Self::at(host.as_deref(), port))
    }
}

/// The parts between the colons, each with its key if it has one.
fn split(text: &str) -> Vec<(Option<String>, String)> {
    let mut parts = Vec::new();
    let (mut key, mut value) = (None, String::new());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => value.extend(characters.next()),
            ':' => parts.push((key.take(), std::mem::take(&mut value))),
            '=' if key.is_none() => key = Some(std::mem::take(&mut value)),
            other => value.push(other),
        }
    }
    parts.push((key, value));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_as_vumi_writes_them() {
        for (text, host, port) in [
            ("tcp:9010", "127.0.0.1", 9010),
            ("tcp:port=9010", "127.0.0.1", 9010),
            ("tcp:port=0:interface=0.0.0.0", "0.0.0.0", 0),
            ("tcp:9010:interface=localhost:backlog=50", "localhost", 9010),
            ("tcp:interface=10.0.0.1:port=80", "10.0.0.1", 80),
            (r"tcp:9010:interface=\:\:1", "::1", 9010),
            ("tcp:9010:interface=", "127.0.0.1", 9010),
        ] {
            assert_eq!(Listen::parse(text).unwrap(), Listen { host: host.into(), port }, "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, why) in [
            ("", "must begin with `tcp:`"),
            ("9010", "must begin with `tcp:`"),
            ("udp:9010", "must begin with `tcp:`"),
            ("ssl:9010", "TLS is not supported"),
            ("tcp", "the port is missing"),
            ("tcp:", "`` is no port"),
            ("tcp:interface=127.0.0.1", "the port is missing"),
            ("tcp:70000", "`70000` is no port"),
            ("tcp:-1", "`-1` is no port"),
            ("tcp:9010:127.0.0.1", "not clear what `127.0.0.1` is"),
            ("tcp:9010:port=9011", "twice"),
            ("tcp:9010:mode=660", "`mode` is no part of it"),
        ] {
            let error = Listen::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
            assert!(error.contains("tcp:port=PORT"), "{text}: {error}");
        }
    }
}
