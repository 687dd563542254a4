//! Which addresses are public.

use std::net::IpAddr;

use super::super::address::{Range, closed, is_this_machine};
use super::policy;

/// At least one address from the inside, and the edges, of everything that is not public.
const CLOSED: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "0.255.255.255",
    "10.0.0.0",
    "10.1.2.3",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.0.0.53",
    "127.255.255.255",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.255.255",
    "172.16.0.0",
    "172.17.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.9",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.1.1",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.255",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.254",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2001:db8:ffff:ffff::1",
    "2002:7f00:1::1",
    "2002:a00:1::",
    "2002:c0a8:101::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "3fff:fff:ffff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff:ffff::1",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "febf::1",
    "fec0::1",
    "ff00::1",
    "ff02::1",
    "ff0e::1",
];

/// Their neighbours just outside, and well-known public addresses.
const OPEN: &[&str] = &[
    "1.0.0.0",
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2001:db7:ffff::1",
    "2001:db9::1",
    "2002:808:808::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "3ffe:ffff::1",
    "3fff:1000::1",
];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text} is an address"))
}

#[test]
fn closed_addresses_are_closed() {
    let empty = policy(&[]);
    for text in CLOSED {
        assert!(closed(ip(text)).is_some(), "{text} counts as public");
        let blocked = empty.check_address(ip(text)).expect_err(text).to_string();
        assert!(blocked.starts_with("Blocked"), "{blocked}");
    }
}

#[test]
fn public_addresses_are_open() {
    let empty = policy(&[]);
    for text in OPEN {
        assert_eq!(closed(ip(text)), None, "{text}");
        assert_eq!(empty.check_address_with(ip(text), |_| false), Ok(()), "{text}");
    }
}

#[test]
fn addresses_of_this_machine_are_recognised_whatever_their_range() {
    assert!(is_this_machine(ip("127.0.0.1")));
    let blocked = policy(&[]).check_address_with(ip("8.8.8.8"), |own| own == ip("8.8.8.8")).unwrap_err().to_string();
    assert!(blocked.starts_with("Blocked: the address 8.8.8.8 is this machine's own"), "{blocked}");
    assert_eq!(policy(&["8.8.8.8/32"]).check_address_with(ip("8.8.8.8"), |_| true), Ok(()), "listed");
}

#[test]
fn ranges_open_what_they_hold_and_nothing_else() {
    let matrix: &[(&str, &str, bool)] = &[
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ("10.0.0.0/8", "64:ff9b::10.0.0.1", false),
        ("192.168.1.128/25", "192.168.1.127", false),
        ("192.168.1.128/25", "192.168.1.128", true),
        ("127.0.0.1/32", "127.0.0.1", true),
        ("127.0.0.1/32", "127.0.0.2", false),
        ("0.0.0.0/0", "255.255.255.255", true),
        ("0.0.0.0/0", "::1", false),
        ("fd00::/8", "fd12::1", true),
        ("fd00::/8", "fc12::1", false),
        ("::/0", "fe80::1", true),
        ("::/0", "127.0.0.1", false),
        ("::1/128", "::1", true),
        ("::1/128", "::2", false),
    ];
    for (range, address, inside) in matrix {
        assert_eq!(Range::parse(range).unwrap().contains(ip(address)), *inside, "{address} in {range}");
        if closed(ip(address)).is_some() {
            assert_eq!(policy(&[range]).check_address(ip(address)).is_ok(), *inside, "{address} under {range}");
        }
    }
}
