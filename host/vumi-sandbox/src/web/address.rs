//! Which IP addresses are public, and ranges of addresses.
//!
//! A guest must not reach the machine it runs on, its neighbours, or the metadata service of a cloud through a name
//! or number that looks harmless. IPv4 is judged by a list of what is not public. IPv6 is judged the other way round:
//! only 2000::/3 (and NAT64 of a public IPv4 address) can be public at all, so that a block assigned for some special
//! use tomorrow is closed today. Addresses that carry an IPv4 address inside are judged by that address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// IPv4 that is not public: the IANA special-purpose registry (RFC 6890) where "globally reachable" is false, with
/// multicast, the deprecated 6to4 relays (RFC 7526) and all of 192.0.0.0/24 added.
const CLOSED_V4: &[(Ipv4Addr, u8, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network, RFC 791"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private network, RFC 1918"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "carrier-grade NAT, RFC 6598"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback, RFC 1122"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local and cloud metadata, RFC 3927"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private network, RFC 1918"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments, RFC 6890"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation, RFC 5737"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relays, RFC 7526"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private network, RFC 1918"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarks, RFC 2544"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation, RFC 5737"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation, RFC 5737"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast, RFC 5771"),
    (Ipv4Addr::new(255, 255, 255, 255), 32, "broadcast, RFC 919"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved, RFC 1112"),
];

/// IPv6 that is not public: exceptions within 2000::/3, and names for what lies outside (for the error's text; the
/// last row closes all the rest).
const CLOSED_V6: &[(Ipv6Addr, u8, &str)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "protocol assignments, RFC 2928"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation, RFC 3849"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation, RFC 9637"),
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified, RFC 4291"),
    (Ipv6Addr::LOCALHOST, 128, "loopback, RFC 4291"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private network, RFC 4193"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local, RFC 4291"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast, RFC 4291"),
];

/// Global unicast, the only block that IANA assigns public addresses from (RFC 4291).
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// NAT64: the last 32 bits are an IPv4 address (RFC 6052).
const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
/// 6to4: bits 16 to 47 are an IPv4 address (RFC 3056).
const SIX_TO_FOUR: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);

/// Why `ip` is not public; `None` when it is.
pub(super) fn closed(ip: IpAddr) -> Option<&'static str> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => closed_v4(ip),
        IpAddr::V6(ip) => closed_v6(ip),
    }
}

fn closed_v4(ip: Ipv4Addr) -> Option<&'static str> {
    CLOSED_V4.iter().find(|(base, bits, _)| within_v4(ip, *base, *bits)).map(|(_, _, why)| *why)
}

fn closed_v6(ip: Ipv6Addr) -> Option<&'static str> {
    if within_v6(ip, NAT64.0, NAT64.1) {
        return closed_v4(embedded(ip, 0));
    }
    if within_v6(ip, SIX_TO_FOUR.0, SIX_TO_FOUR.1) {
        return closed_v4(embedded(ip, 80));
    }
    let listed = CLOSED_V6.iter().find(|(base, bits, _)| within_v6(ip, *base, *bits)).map(|(_, _, why)| *why);
    listed
        .or_else(|| (!within_v6(ip, GLOBAL_V6.0, GLOBAL_V6.1)).then_some("outside the global unicast block, RFC 4291"))
}

/// The IPv4 address that stands in `ip` with `below` bits after it.
fn embedded(ip: Ipv6Addr, below: u32) -> Ipv4Addr {
    let [.., a, b, c, d] = (u128::from(ip) >> below).to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

fn within_v4(ip: Ipv4Addr, base: Ipv4Addr, bits: u8) -> bool {
    // A shift by the whole width is what `checked_shr` refuses: a range of 0 bits holds everything.
    let differing = u32::from(ip) ^ u32::from(base);
    differing.checked_shr(32 - u32::from(bits.min(32))).unwrap_or(0) == 0
}

fn within_v6(ip: Ipv6Addr, base: Ipv6Addr, bits: u8) -> bool {
    let differing = u128::from(ip) ^ u128::from(base);
    differing.checked_shr(128 - u32::from(bits.min(128))).unwrap_or(0) == 0
}

/// Whether `ip` is one of this machine's own addresses, whatever range it is from.
///
/// A server often has a public address and services that listen on all of them; those are as private as loopback.
/// Connecting a UDP socket sends nothing: the kernel only picks the source address for the route, and for an address
/// of its own that is the address itself. Where not even a socket can be made the answer is yes, to stay closed.
pub(super) fn is_this_machine(ip: IpAddr) -> bool {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // Port 9 is `discard`; any would do.
    match UdpSocket::bind((any, 0)) {
        Ok(socket) => socket.connect((ip, 9)).and_then(|()| socket.local_addr()).is_ok_and(|own| own.ip() == ip),
        Err(_) => true,
    }
}

/// A range of addresses in CIDR notation (RFC 4632), such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    base: IpAddr,
    bits: u8,
}

impl Range {
    /// Reads `address/bits`.
    ///
    /// # Errors
    /// What is wrong and how to mend it, as the end of a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (address, bits) = text.split_once('/').ok_or("a range needs the form address/bits, such as 10.0.0.0/8")?;
        let base: IpAddr = address.parse().map_err(|_| format!("{address:?} is not an IP address"))?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.parse::<u8>().ok().filter(|bits| *bits <= width && is_digits(bits_text(text)));
        let bits = bits.ok_or_else(|| format!("the number after the slash must be from 0 to {width}"))?;
        if base.to_canonical() != base {
            return Err("write the range of an IPv4 address in IPv4 form, such as 10.0.0.0/8".to_owned());
        }
        let range = Self { base, bits };
        let start = range.start();
        if start != base {
            return Err(format!("the address has bits beyond the first {bits}; write {start}/{bits}"));
        }
        Ok(range)
    }

    /// The first address.
    fn start(&self) -> IpAddr {
        let kept = u32::from(self.bits);
        match self.base {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(kept)).unwrap_or(0);
                Ipv4Addr::from(u32::from(ip) & mask).into()
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(kept)).unwrap_or(0);
                Ipv6Addr::from(u128::from(ip) & mask).into()
            }
        }
    }

    /// Whether `ip` lies in the range. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4.
    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        match (self.base, ip.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => within_v4(ip, base, self.bits),
            (IpAddr::V6(base), IpAddr::V6(ip)) => within_v6(ip, base, self.bits),
            _ => false,
        }
    }
}

fn bits_text(text: &str) -> &str {
    text.split_once('/').map_or("", |(_, bits)| bits)
}

/// `+8` parses as a number too, and is refused.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
