//! One line of the allow-list, parsed.
//!
//! A line names a place (`https://api.example.org/v1`), a family of places (`https://*.example.org`, `http://*`) or a
//! range of addresses (`10.0.0.0/8`). Whatever is none of these is refused when the configuration is read: a line that
//! silently matched nothing, or more than its author thought, would be found out too late.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use super::address::Range;

/// A line of the allow-list that cannot be used. Its text is one sentence for the app's owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("allow-list entry {entry:?}: {problem}")]
pub struct PolicyError {
    entry: String,
    problem: String,
}

impl PolicyError {
    pub(super) fn new(entry: &str, problem: impl Into<String>) -> Self {
        Self { entry: entry.to_owned(), problem: problem.into() }
    }
}

/// What a line opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Places to reach.
    Place(Place),
    /// Both `http://*` and `https://*`.
    Everywhere,
    /// Addresses that hosts allowed by other lines may have.
    Range(Range),
}

/// Scheme, hosts, port and path that a line opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) https: bool,
    pub(super) host: HostRule,
    /// `None`: every port.
    pub(super) port: Option<u16>,
    /// Begins with a slash and does not end with one; `None`: every path.
    pub(super) path: Option<String>,
}

/// The hosts that a place has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HostRule {
    /// `*`
    Any,
    /// `*.example.org`; holds `.example.org`.
    Below(String),
    /// One name or address. `localhost` stands for both loopback addresses too.
    One(Host),
}

/// The host of a URL, normalised: what is equal reaches the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// Lower case, ASCII (IDNA), no dot at the end.
    Name(String),
    Address(IpAddr),
}

impl Host {
    /// The host of an `http` or `https` URL; `None` when there is none, or when it is only dots.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let text = url.host_str()?;
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return Some(Self::Address(IpAddr::V6(inner.parse::<Ipv6Addr>().ok()?).to_canonical()));
        }
        // The URL parser has already turned every spelling of an IPv4 address (0x7f.1, 2130706433) into this one.
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let whole = name.split('.').all(|label| !label.is_empty());
        whole.then_some(Self::Name(name))
    }

    pub(super) fn is_localhost(&self) -> bool {
        matches!(self, Self::Name(name) if name == LOCALHOST)
    }
}

/// The name of this machine's loopback addresses (RFC 6761, section 6.3).
pub(super) const LOCALHOST: &str = "localhost";

const PLACE_FORM: &str = "write a place such as https://api.example.org, or a range such as 10.0.0.0/8";

impl Entry {
    /// Parses one line; the forms are listed at [`super::WebPolicy::parse`].
    ///
    /// # Errors
    /// What is wrong with the line and how to mend it.
    pub(super) fn parse(entry: &str) -> Result<Self, PolicyError> {
        let wrong = |problem: &str| PolicyError::new(entry, problem);
        if entry.is_empty() {
            return Err(wrong(&format!("the entry is empty; {PLACE_FORM}")));
        }
        // The URL parser would drop some of these without a word.
        if entry.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(wrong("spaces and control characters are not allowed; remove them"));
        }
        if entry == "*" {
            return Ok(Self::Everywhere);
        }
        match entry.split_once("://") {
            Some((scheme, rest)) => place(scheme, rest).map(Self::Place).map_err(|problem| wrong(&problem)),
            None if entry.parse::<IpAddr>().is_ok() => {
                Err(wrong(&format!("a scheme is missing; write http://{0} or https://{0}", bracketed(entry))))
            }
            None if looks_like_range(entry) => Range::parse(entry).map(Self::Range).map_err(|problem| wrong(&problem)),
            None => Err(wrong(&format!("it begins with neither http:// nor https://; {PLACE_FORM}"))),
        }
    }
}

/// An address before the slash, and not a host name with a path.
fn looks_like_range(entry: &str) -> bool {
    entry.split_once('/').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok())
}

fn bracketed(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

fn place(scheme: &str, rest: &str) -> Result<Place, String> {
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err("only http:// and https:// can be reached; begin with one of them".to_owned()),
    };
    if rest.contains(['?', '#']) {
        return Err("a query or fragment cannot be allowed on its own; leave out what follows ? or #".to_owned());
    }
    if rest.contains('\\') {
        return Err("backslashes are not allowed; write the path with /".to_owned());
    }
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    if authority.contains('@') {
        return Err("a user name or password does not belong here; leave out what stands before @".to_owned());
    }
    if !authority.starts_with('[') && authority.matches(':').count() > 1 {
        return Err(format!("an IPv6 address needs brackets; write [{authority}]"));
    }
    let (host, port) = split_port(authority);
    let port = match port {
        None if https => Some(443),
        None => Some(80),
        Some("*") => None,
        Some(digits) => Some(port_number(digits)?),
    };
    let (host, path_host) = match (host, host.strip_prefix("*.")) {
        ("", _) => return Err(format!("the host is missing; {PLACE_FORM}")),
        ("*", _) => (HostRule::Any, None),
        (_, Some(parent)) => match parse_host(parent)? {
            Host::Name(name) => (HostRule::Below(format!(".{name}")), Some(parent)),
            Host::Address(_) => return Err("an address has no subdomains; leave out the *.".to_owned()),
        },
        (host, None) => (HostRule::One(parse_host(host)?), Some(host)),
    };
    if let HostRule::One(Host::Address(address)) = &host
        && address.is_unspecified()
    {
        return Err("this is not an address to connect to; write http://localhost for this machine".to_owned());
    }
    Ok(Place { https, host, port, path: prefix(path_host.unwrap_or("any.invalid"), path)? })
}

/// Splits `host:port`; an IPv6 address has colons of its own within its brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let end_of_host = authority.rfind(']').unwrap_or(0);
    match authority.rfind(':').filter(|colon| *colon >= end_of_host) {
        Some(colon) => {
            let (host, port) = authority.split_at(colon);
            (host, port.strip_prefix(':'))
        }
        None => (authority, None),
    }
}

fn port_number(digits: &str) -> Result<u16, String> {
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u16>().ok()).flatten();
    number
        .filter(|port| *port > 0)
        .ok_or_else(|| format!("{digits:?} is not a port; write a number from 1 to 65535, or *"))
}

fn parse_host(host: &str) -> Result<Host, String> {
    if host.contains('*') {
        return Err("a * may only stand alone or before the first dot, as in https://*.example.org".to_owned());
    }
    let url = Url::parse(&format!("http://{host}/")).ok();
    let host_of = url.as_ref().and_then(Host::of);
    host_of.ok_or_else(|| format!("{host:?} is not a host name or address; correct it"))
}

/// The path in the form that a parsed URL has, without the slash at its end.
fn prefix(host: &str, path: &str) -> Result<Option<String>, String> {
    let url =
        Url::parse(&format!("http://{host}{path}")).map_err(|_| "the path cannot be read; correct it".to_owned())?;
    if is_evasive(path) {
        return Err("the path must not contain . or .. segments; write where they lead".to_owned());
    }
    let trimmed = url.path().trim_end_matches('/');
    Ok((!trimmed.is_empty()).then(|| trimmed.to_owned()))
}

/// Whether a path, once a server has decoded it, may lead out of the folder that it seems to lie in.
///
/// The URL parser resolves `..` and `%2e%2e`. What is left are forms that only some servers understand: encoded
/// slashes (`..%2f`), encodings of encodings (`%252e`), parameters on a segment (`..;`).
pub(super) fn is_evasive(path: &str) -> bool {
    let mut path = path.to_owned();
    // Three layers are more than any server takes off.
    for _ in 0..3 {
        if has_dot_segment(&path) {
            return true;
        }
        path = decoded(&path);
    }
    has_dot_segment(&path)
}

fn has_dot_segment(path: &str) -> bool {
    path.split(['/', '\\']).any(|segment| {
        let name = segment.split(';').next().unwrap_or(segment);
        name == ".." || name == "."
    })
}

/// Takes one layer of percent-encoding off, for ASCII characters; others cannot matter here.
fn decoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let hex = after.get(..2).filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii);
        match code {
            Some(byte) => {
                out.push(char::from(byte));
                rest = after.get(2..).unwrap_or("");
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
