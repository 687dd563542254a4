//! Where a server listens, as Vumi's configuration writes it (specification: workers, section 3).
//!
//! Vumi uses Twisted's endpoint strings: `tcp:9010`, `tcp:port=9010:interface=127.0.0.1`. A backslash takes the
//! meaning from the character behind it, which is how an IPv6 address is written: `tcp:9010:interface=\:\:1`. Older
//! configurations have `host` and `port` in its place. Where no interface is named, it is this machine alone.

use std::fmt;

use tokio::net::TcpListener;
use vumi_core::{Error, Result};

/// The address where nothing else is configured: this machine only.
const LOOPBACK: &str = "127.0.0.1";

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
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Listen {
    /// The endpoint that a worker's three keys name.
    ///
    /// # Errors
    /// One sentence: what is missing, or wrong and how it is written.
    pub(crate) fn of(twisted_endpoint: Option<&str>, host: Option<&str>, port: Option<u16>) -> Result<Self> {
        match (twisted_endpoint, port) {
            (Some(_), Some(_)) => Err(Error::permanent(
                "`twisted_endpoint` and `port` both say where to listen: remove `host` and `port`",
            )),
            (Some(text), None) => Self::parse(text),
            (None, Some(port)) => Ok(Self::at(host.map(str::to_owned), port)),
            (None, None) => Err(Error::permanent(
                "Missing required config field 'twisted_endpoint': write where to listen, e.g. tcp:9010",
            )),
        }
    }

    fn at(host: Option<String>, port: u16) -> Self {
        Self { host: host.filter(|host| !host.is_empty()).unwrap_or_else(|| LOOPBACK.to_owned()), port }
    }

    /// Reads a server endpoint.
    ///
    /// # Errors
    /// One sentence that names the fault and the form.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::permanent(format!(
                "Field 'twisted_endpoint' is not a valid server endpoint: `{text}`: {why}; write tcp:PORT or \
                 tcp:port=PORT:interface=ADDRESS"
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
        Ok(Self::at(host, port))
    }

    /// Takes the address.
    ///
    /// # Errors
    /// A temporary one when it is not to be had: another program may give it up.
    pub(crate) async fn bind(&self) -> Result<TcpListener> {
        let cannot = |error| Error::temporary(format!("cannot listen on {self}")).because(error);
        TcpListener::bind((self.host.as_str(), self.port)).await.map_err(cannot)
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
            ("tcp:port=9010:interface=127.0.0.1", "127.0.0.1", 9010),
            ("tcp:port=0:interface=0.0.0.0", "0.0.0.0", 0),
            ("tcp:9010:interface=localhost:backlog=50", "localhost", 9010),
            (r"tcp:9010:interface=\:\:1", "::1", 9010),
            ("tcp:9010:interface=", "127.0.0.1", 9010),
        ] {
            assert_eq!(Listen::parse(text).unwrap(), Listen { host: host.into(), port }, "{text}");
        }
        assert_eq!(Listen::parse(r"tcp:80:interface=\:\:1").unwrap().to_string(), "[::1]:80");
    }

    #[test]
    fn mistakes_are_named() {
        for (text, why) in [
            ("", "must begin with `tcp:`"),
            ("9010", "must begin with `tcp:`"),
            ("ssl:9010", "TLS is not supported"),
            ("tcp", "the port is missing"),
            ("tcp:", "`` is no port"),
            ("tcp:70000", "`70000` is no port"),
            ("tcp:9010:127.0.0.1", "not clear what `127.0.0.1` is"),
            ("tcp:9010:port=9011", "twice"),
            ("tcp:9010:mode=660", "`mode` is no part of it"),
        ] {
            let error = Listen::parse(text).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("is not a valid server endpoint"), "{text}: {error}");
        }
    }

    #[test]
    fn host_and_port_stand_in_for_it() {
        let of = |endpoint, host, port| Listen::of(endpoint, host, port).map(|listen| listen.to_string());
        assert_eq!(of(None, Some("0.0.0.0"), Some(80)).unwrap(), "0.0.0.0:80");
        assert_eq!(of(None, None, Some(80)).unwrap(), "127.0.0.1:80");
        assert_eq!(of(Some("tcp:81"), Some("x"), None).unwrap(), "127.0.0.1:81");
        assert!(of(Some("tcp:81"), None, Some(80)).unwrap_err().to_string().contains("both say"));
        for host in [None, Some("127.0.0.1")] {
            let error = of(None, host, None).unwrap_err().to_string();
            assert!(error.starts_with("Missing required config field 'twisted_endpoint'"), "{error}");
        }
    }
}
