//! The allow-list of an app: which URLs it may ask for, and which addresses those may turn out to have.
//!
//! The two questions are separate. [`WebPolicy::check_url`] compares scheme, host, port and path with the lines of the
//! list. [`WebPolicy::check_address`] judges an address that a name resolved to: a name that is allowed today can point
//! at this machine tomorrow, so an address counts only by what it is, not by the name that led to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use super::address::{Range, closed, is_this_machine};
use super::entry::{Entry, Host, HostRule, LOCALHOST, Place, PolicyError, is_evasive};
use super::error::{Blocked, origin};

/// How many lines an allow-list may have.
const MAX_ENTRIES: usize = 1000;

/// The addresses that `localhost` stands for, without asking anyone (RFC 6761, section 6.3).
pub(super) const LOOPBACKS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// A parsed allow-list. An empty one opens nothing.
#[derive(Clone, Debug, Default)]
pub struct WebPolicy {
    places: Vec<Place>,
    ranges: Vec<Range>,
}

impl WebPolicy {
    /// Parses an allow-list.
    ///
    /// | Entry | Opens |
    /// |---|---|
    /// | `https://api.example.org` | that host, on the scheme's default port |
    /// | `https://api.example.org:8443/v1` | that port, and `/v1` and what lies below it (`/v10` does not) |
    /// | `https://*.example.org` | every subdomain, at any depth; not `example.org` itself |
    /// | `https://*`, `http://*` | every public host, on the scheme's default port |
    /// | `*` | both of these |
    /// | `https://*:*` | the port may be `*` for every port, here and elsewhere |
    /// | `http://10.1.2.3`, `http://[::1]:8000` | that address, although it is not public |
    /// | `http://localhost:9000` | `localhost`, `127.0.0.1` and `::1`, although they are not public |
    /// | `10.0.0.0/8`, `fd00::/8` | nothing by itself: hosts allowed by other entries may have such addresses |
    ///
    /// # Errors
    /// The first entry that is none of these, with what is wrong and how to mend it; or more than 1000 entries.
    pub fn parse(allow: &[String]) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        if let Some(entry) = allow.get(MAX_ENTRIES) {
            return Err(PolicyError::new(
                entry,
                format!("an allow-list has at most {MAX_ENTRIES} entries; use wildcards"),
            ));
        }
        for entry in allow {
            match Entry::parse(entry)? {
                Entry::Place(place) => policy.places.push(place),
                Entry::Everywhere => policy.places.extend([everywhere(false), everywhere(true)]),
                Entry::Range(range) => policy.ranges.push(range),
            }
        }
        Ok(policy)
    }

    /// Checks a URL before anything is sent: the list must allow it, and where its host is an address and no entry
    /// names that address, [`Self::check_address`] must too.
    ///
    /// # Errors
    /// Why the URL is closed. User names and passwords in a URL are always refused.
    pub fn check_url(&self, url: &Url) -> Result<(), Blocked> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Blocked::new("a URL with a user name or password is refused; send an Authorization header"));
        }
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(Blocked::new("only http and https URLs can be reached")),
        };
        let host = Host::of(url).ok_or_else(|| Blocked::new("the URL has no usable host"))?;
        let origin = origin(url);
        if self.places.is_empty() {
            return Err(Blocked::new(format!(
                "{origin} cannot be reached, because the app's allow-list names no place"
            )));
        }

        let port = url.port_or_known_default();
        let covers = |place: &&Place| {
            place.https == https && place.port.is_none_or(|open| Some(open) == port) && place.covers_path(url.path())
        };
        let mut of_host = self.places.iter().filter(|place| place.covers_host(&host)).peekable();
        if of_host.peek().is_none() {
            return Err(Blocked::new(format!("{origin} is not in the app's allow-list")));
        }
        let mut open = of_host.filter(covers).peekable();
        if open.peek().is_none() {
            return Err(Blocked::new(format!(
                "the app's allow-list has the host of {origin}, but not this scheme, port or path"
            )));
        }
        if open.any(Place::names_host) {
            return Ok(());
        }
        // From here on only wildcards match, and those stand for public hosts.
        match host {
            Host::Address(ip) => self.check_address(ip),
            // The resolver sees a name but no port. Once `localhost` is named for one port it hands out both
            // loopbacks, so for any other port the list must open them here.
            Host::Name(_) if host.is_localhost() && self.names_localhost() => {
                LOOPBACKS.into_iter().try_for_each(|ip| self.check_address(ip))
            }
            Host::Name(_) => Ok(()),
        }
    }

    /// Checks an address that an allowed host turned out to have: it must be public, or within a listed range.
    ///
    /// Not public are this machine's own addresses and all that RFC 6890 and its successors set aside: private and
    /// shared networks, loopback, link-local (with the metadata services of clouds), multicast, broadcast, reserved,
    /// documentation and benchmark ranges, and IPv6 forms that carry such an IPv4 address. That an entry names an
    /// address opens it for URLs with that address only, never for names that resolve to it: the entry speaks of one
    /// port, and here the port is not known.
    ///
    /// What cannot be seen from here: that a public address belongs to a neighbour behind the same firewall, and NAT64
    /// prefixes that a network chose for itself. Leave those to a firewall.
    ///
    /// # Errors
    /// Why the address is closed.
    pub fn check_address(&self, ip: IpAddr) -> Result<(), Blocked> {
        self.check_address_with(ip, is_this_machine)
    }

    /// [`Self::check_address`], with the question whether an address is this machine's own left to `is_own`.
    pub(super) fn check_address_with(&self, ip: IpAddr, is_own: impl Fn(IpAddr) -> bool) -> Result<(), Blocked> {
        let ip = ip.to_canonical();
        if self.ranges.iter().any(|range| range.contains(ip)) {
            return Ok(());
        }
        if let Some(why) = closed(ip) {
            return Err(Blocked::new(format!(
                "the address {ip} is not public ({why}) and not in the app's allow-list"
            )));
        }
        if is_own(ip) {
            return Err(Blocked::new(format!(
                "the address {ip} is this machine's own and not in the app's allow-list"
            )));
        }
        Ok(())
    }

    /// The addresses of `resolved` that may be connected to, for the host `name`.
    ///
    /// # Errors
    /// When none is left. The text does not show the addresses, so that a guest cannot read a private zone by it.
    pub(super) fn filter(&self, name: &str, resolved: Vec<IpAddr>) -> Result<Vec<IpAddr>, Blocked> {
        let named = name == LOCALHOST && self.names_localhost();
        let mut open = Vec::new();
        for ip in resolved {
            let ip = ip.to_canonical();
            let allowed = (named && LOOPBACKS.contains(&ip)) || self.check_address(ip).is_ok();
            if allowed && !open.contains(&ip) {
                open.push(ip);
            }
        }
        if open.is_empty() {
            return Err(Blocked::new(format!(
                "{name} has only addresses that are not public; to permit them, add their range to the app's allow-list"
            )));
        }
        Ok(open)
    }

    /// Whether any entry opens `https`.
    pub(super) fn has_https(&self) -> bool {
        self.places.iter().any(|place| place.https)
    }

    /// Whether the number of origins has a bound: every entry is one host with one port.
    pub(super) fn is_finite(&self) -> bool {
        self.places.iter().all(|place| matches!(place.host, HostRule::One(_)) && place.port.is_some())
    }

    fn names_localhost(&self) -> bool {
        self.places.iter().any(|place| matches!(&place.host, HostRule::One(host) if host.is_localhost()))
    }
}

fn everywhere(https: bool) -> Place {
    Place { https, host: HostRule::Any, port: Some(if https { 443 } else { 80 }), path: None }
}

impl Place {
    fn covers_host(&self, host: &Host) -> bool {
        match (&self.host, host) {
            (HostRule::Any, _) => true,
            (HostRule::Below(parent), Host::Name(name)) => name.ends_with(parent.as_str()) && name.len() > parent.len(),
            (HostRule::Below(_), Host::Address(_)) => false,
            (HostRule::One(one), Host::Address(ip)) if one.is_localhost() => LOOPBACKS.contains(ip),
            (HostRule::One(one), host) => one == host,
        }
    }

    fn covers_path(&self, path: &str) -> bool {
        let Some(prefix) = &self.path else { return true };
        let below = path.strip_prefix(prefix.as_str());
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) && !is_evasive(path)
    }

    /// Whether the entry names its host, so that an address in it is open although it is not public.
    fn names_host(&self) -> bool {
        match &self.host {
            HostRule::One(host @ Host::Name(_)) => host.is_localhost(),
            HostRule::One(Host::Address(_)) => true,
            HostRule::Any | HostRule::Below(_) => false,
        }
    }
}
