//! Requests to where an app may not go, requests that are two, and a server that is as hostile as its guest.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use vumi_sandbox::AppConfig;
use vumi_sandbox::web::{Lookup, Method, WebBudget, WebClient, WebPolicy, WebRequest};
use vumi_tests::forge::Forge;

use super::case::{Case, forged, own};
use super::ground::Ground;

const CLOSED: &str = "Only public addresses are open, however they are written; this machine and its network are not.";
const NO_URL: &str = "What is no web address is refused before anything is asked.";
const HOP: &str = "Each hop of a redirect is checked like the first request.";
const HEADERS: &str = "Headers are checked by the rules of HTTP; those of the connection are the host's.";
const PATIENT: &str = "The whole exchange has a time limit, whoever is slow.";
const COUNTED: &str = "Bytes are counted as they arrive.";

/// Gets the address that the message names, and says the status or the error.
fn gets() -> Forge {
    Forge::attack(
        "(call $http (i32.const 0) (global.get $ptr) (global.get $len) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200))
         (call $tell (i32.const 200) (i32.const 4))",
    )
}

/// Gets it with a header, and says what came, or the error.
fn with_header(name: &'static str, value: &'static str) -> impl Fn() -> Forge + Send + Sync {
    move || {
        let pair: Vec<u8> =
            [0x500, name.len() as u32, 0x700, value.len() as u32].iter().flat_map(|n| n.to_le_bytes()).collect();
        Forge::attack(
            "(call $http (i32.const 4) (global.get $ptr) (global.get $len) (i32.const 1024) (i32.const 1) (i32.const 1)
               (i32.const 128) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 200))
             (if (i32.load8_u (i32.const 200)) (then (call $tell (i32.const 200) (i32.const 4)))
               (else (call $say (i32.load offset=16 (i32.const 200)) (i32.load offset=20 (i32.const 200)))))",
        )
        .data(1_024, &pair)
        .data(0x500, name.as_bytes())
        .data(0x700, value.as_bytes())
    }
}

fn url(name: &str, what: &str, url: &str, says: &str, why: &'static str) -> Case {
    forged(format!("web-{name}"), format!("asks for {what}"), gets).given(url).says(says, why)
}

fn served(name: &str, what: &str, path: &str, says: &str, why: &'static str) -> Case {
    forged(format!("web-{name}"), format!("asks a server that {what}"), gets)
        .given(format!("http://{{server}}/{path}"))
        .says(says, why)
}

pub fn cases() -> Vec<Case> {
    let mut cases = places();
    cases.extend(headers());
    cases.extend(servers());
    cases.push(own(
        "web-rebinding",
        "asks for a name whose address is public when it is checked, and this machine's when it is looked up again",
        "the second answer is refused: “Blocked”; nothing connects to this machine",
        "A name is looked up once for each connection, and connected to is what was checked.",
        Box::new(|ground| Box::pin(rebinding(ground))),
    ));
    cases
}

fn places() -> Vec<Case> {
    let blocked = "denied: Blocked";
    let closed = |name: &str, what: &str, host: &str| url(name, what, &format!("http://{host}/"), blocked, CLOSED);
    vec![
        closed("loopback", "loopback", "127.0.0.1"),
        closed("loopback-last", "the end of loopback", "127.255.255.254"),
        closed("loopback-short", "loopback in short", "127.1"),
        closed("loopback-decimal", "loopback as one number", "2130706433"),
        closed("loopback-octal", "loopback in octal", "0177.0.0.1"),
        closed("loopback-hex", "loopback in hexadecimal", "0x7f.0.0.1"),
        closed("loopback-percent", "loopback with an encoded digit", "%3127.0.0.1"),
        closed("loopback-fullwidth", "loopback in full-width digits", "１２７.0.0.1"),
        closed("loopback-dot", "loopback with a dot behind it", "127.0.0.1."),
        closed("localhost", "`localhost`", "localhost"),
        closed("localhost-dot", "`localhost` with a dot behind it", "LOCALHOST."),
        closed("this-network", "address 0", "0"),
        closed("private-10", "a private network", "10.0.0.1"),
        closed("private-172", "another", "172.31.255.255"),
        closed("private-192", "a third", "192.168.1.1"),
        closed("link-local", "the metadata service of a cloud", "169.254.169.254"),
        closed("cgnat", "carrier-grade NAT", "100.127.255.255"),
        closed("multicast", "multicast", "224.0.0.251"),
        closed("broadcast", "broadcast", "255.255.255.255"),
        closed("ipv6-loopback", "loopback of IPv6", "[::1]"),
        closed("ipv6-mapped", "loopback mapped into IPv6", "[::ffff:127.0.0.1]"),
        closed("ipv6-compatible", "loopback in an old form of IPv6", "[::127.0.0.1]"),
        closed("ipv6-nat64", "loopback through NAT64", "[64:ff9b::7f00:1]"),
        closed("ipv6-nat64-local", "loopback through a local NAT64", "[64:ff9b:1::7f00:1]"),
        closed("ipv6-6to4", "a private address through 6to4", "[2002:0a00:0001::]"),
        closed("ipv6-teredo", "Teredo", "[2001:0:7f00:1::]"),
        closed("ipv6-link-local", "link-local of IPv6", "[fe80::1]"),
        closed("ipv6-unique-local", "a private network of IPv6", "[fd00:ec2::254]"),
        closed("ipv6-multicast", "multicast of IPv6", "[ff02::1]"),
        url("userinfo", "loopback behind what looks like a public name", "http://example.org@127.0.0.1/", "", NO_URL)
            .shown("`ok`; is told `denied` or `invalid`", refused, NO_URL),
        url(
            "userinfo-port",
            "loopback behind what looks like a name and port",
            "http://example.org:80@127.0.0.1/",
            "",
            NO_URL,
        )
        .shown("`ok`; is told `denied` or `invalid`", refused, NO_URL),
        url(
            "backslash",
            "loopback with a backslash before a public name",
            r"http://127.0.0.1\@example.org/",
            "",
            NO_URL,
        )
        .shown("`ok`; is told `denied` or `invalid`", refused, NO_URL),
        url("zone", "link-local with a zone", "http://[fe80::1%25eth0]/", "invalid: ", NO_URL),
        url("file", "a file", "file:///etc/passwd", "invalid: The URL must begin with http", NO_URL),
        url(
            "gopher",
            "gopher, which speaks any protocol",
            "gopher://127.0.0.1:6379/_SET",
            "invalid: The URL must begin with http",
            NO_URL,
        ),
        url(
            "line-break",
            "an address with a line break in it",
            "http://{server}/a\r\nHost: x",
            "invalid: The URL has a control character",
            NO_URL,
        ),
        url(
            "long",
            "an address of 64 KiB",
            &format!("http://example.org/{}", "x".repeat(65_536)),
            "invalid: The URL is longer",
            NO_URL,
        ),
        url("port-99999", "port 99999", "http://127.0.0.1:99999/", "invalid: The URL cannot be read", NO_URL),
        url("closed-port", "a port of this machine that was not named", "http://127.0.0.1:9/", blocked, CLOSED),
    ]
}

fn refused(answer: &crate::kit::Answer) -> Result<(), String> {
    let said = answer.sent.last().and_then(|message| message.content()).unwrap_or_default();
    if said.starts_with("denied: Blocked") || said.starts_with("invalid: ") {
        Ok(())
    } else {
        Err("it was not refused".into())
    }
}

fn headers() -> Vec<Case> {
    let header = |name: &str, what: &str, header: &'static str, value: &'static str, says: &str| {
        forged(format!("web-header-{name}"), format!("gives {what}"), with_header(header, value))
            .given("http://{server}/head")
            .says(says, HEADERS)
    };
    vec![
        header("break-in-value", "a header with a line break in its value", "x", "y\r\nHost: other", "invalid: The value of header \"x\""),
        header("feed-in-value", "one with a line feed alone", "x", "y\nz: 1", "invalid: The value of header \"x\""),
        header("break-in-name", "one with a line break in its name", "x: 1\r\ny", "z", "invalid: "),
        header("empty-name", "one without a name", "", "x", "invalid: "),
        header("nul", "one with a NUL in its value", "x", "a\0b", "invalid: The value of header \"x\""),
        header("host", "a host of its own", "Host", "internal", "invalid: The header \"Host\" is set by the host"),
        header("transfer-encoding", "a transfer encoding", "Transfer-Encoding", "chunked", "invalid: The header \"Transfer-Encoding\""),
        header("connection", "an upgrade of the connection", "Upgrade", "h2c", "invalid: The header \"Upgrade\""),
        header("connection-close", "orders for the connection", "Connection", "close, x-secret", "invalid: The header \"Connection\""),
        forged("web-header-length", "gives a length of 999 for a body of two bytes", with_header("Content-Length", "999"))
            .given("http://{server}/head")
            .shown(
                "`ok`; the server is told the true length",
                |answer| {
                    let said = answer.sent.last().and_then(|message| message.content()).unwrap_or_default();
                    if said.contains("content-length: 2") && !said.contains("999") { Ok(()) } else { Err(said.to_owned()) }
                },
                "The length is written anew from the body: with two lengths, one request could be read as two.",
            ),
        forged("web-header-flood", "gives 101 headers", || {
            let pairs: Vec<u8> =
                (0..101).flat_map(|_| [0x80u32, 2, 0x80, 2]).flat_map(u32::to_le_bytes).collect();
            Forge::attack(
                "(call $http (i32.const 0) (global.get $ptr) (global.get $len) (i32.const 16384) (i32.const 101) (i32.const 0)
                   (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200))
                 (call $tell (i32.const 200) (i32.const 4))",
            )
            .data(16_384, &pairs)
        })
        .given("http://{server}/head")
        .says("invalid: The request has too many headers", HEADERS),
    ]
}

fn servers() -> Vec<Case> {
    let quick: fn(&mut AppConfig) = |config| config.http.timeout = 1;
    vec![
        served("redirect-closed", "redirects to a server of this machine", "to-closed", "denied: Blocked", HOP),
        served(
            "redirect-metadata",
            "redirects to the metadata service of a cloud",
            "to-metadata",
            "denied: Blocked",
            HOP,
        ),
        served("redirect-mapped", "redirects to loopback mapped into IPv6", "to-mapped", "denied: Blocked", HOP),
        served("redirect-file", "redirects to a file", "to-file", "denied: Blocked", HOP),
        served("redirect-circle", "redirects to itself", "circle", "unavailable: More than 20 redirects.", HOP),
        served("redirect-no-url", "redirects to what has a control character", "to-crlf", "", HOP).shown(
            "`ok`; is told `denied` or `unavailable`",
            |answer| {
                let said = answer.sent.last().and_then(|message| message.content()).unwrap_or_default();
                if said.starts_with("denied: ") || said.starts_with("unavailable: ") {
                    Ok(())
                } else {
                    Err(said.to_owned())
                }
            },
            HOP,
        ),
        served("silent", "never answers", "silent", "unavailable: ", PATIENT).under(quick),
        served("drip", "sends a byte at a time, for an hour", "drip", "unavailable: ", PATIENT).under(quick),
        served("continue", "says “continue” 80,000 times, and goes", "continue", "unavailable: ", PATIENT),
        served("endless", "sends for ever", "endless", "quota: Received ", COUNTED),
        served("endless-head", "sends a header for ever", "endless-head", "unavailable: ", COUNTED),
        served("extensions", "sends the extension of a chunk for ever", "extensions", "unavailable: ", COUNTED),
        served(
            "gzip-bomb",
            "sends 16 MiB of zeroes in 16 KiB of gzip",
            "gzip-bomb",
            "quota: Received ",
            "What is unpacked is counted, too, and unpacking stops at the limit.",
        ),
        served("gzip-lie", "says that its answer is gzip, and it is none", "gzip-lie", "unavailable: ", COUNTED),
        served("length-lie-long", "announces 16 million terabytes", "long-lie", "", COUNTED).shown(
            "`ok`; is told `quota` or `unavailable`",
            |answer| {
                let said = answer.sent.last().and_then(|message| message.content()).unwrap_or_default();
                if said.starts_with("quota: ") || said.starts_with("unavailable: ") {
                    Ok(())
                } else {
                    Err(said.to_owned())
                }
            },
            "An announced length is judged, never allocated.",
        ),
        served(
            "length-lie-short",
            "announces more than it sends",
            "short-lie",
            "unavailable: ",
            "Half an answer is none.",
        ),
        served(
            "two-lengths",
            "announces two lengths",
            "two-lengths",
            "unavailable: ",
            "What could be read in two ways is not read.",
        ),
        served("close", "closes the connection", "close", "unavailable: ", "The guest is told, and the run goes on."),
        served("garbage", "does not speak HTTP", "garbage", "unavailable: ", "The guest is told, and the run goes on."),
        served(
            "many-headers",
            "sends 10,000 headers",
            "many-headers",
            "unavailable: ",
            "Heads of answers have a bound.",
        ),
        served(
            "long-header",
            "sends a header of 4 MiB",
            "long-header",
            "unavailable: ",
            "Heads of answers have a bound.",
        ),
        served("forged-headers", "sends terminal escapes in a header", "forged-headers", "", "").shown(
            "`ok`, or is told `unavailable`",
            |answer| {
                let said = answer.sent.last().and_then(|message| message.content()).unwrap_or_default();
                if said == "ok" || said.starts_with("unavailable: ") { Ok(()) } else { Err(said.to_owned()) }
            },
            "Headers are for the guest; what it logs of them is escaped.",
        ),
        served("tls", "speaks no TLS, as if it did", "", "unavailable: ", "The guest is told, and the run goes on.")
            .given("https://{server}/head")
            .under(|config| {
                config.http.allow =
                    config.http.allow.iter().map(|place| place.replace("http://1", "https://1")).collect()
            }),
    ]
}

/// Names whose address changes from one look-up to the next.
struct Rebinding {
    asked: AtomicUsize,
}

#[async_trait]
impl Lookup for Rebinding {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        // First an address that passes the check and that nobody is reached at: this machine has no route to port 0.
        let first = self.asked.fetch_add(1, Ordering::SeqCst) == 0;
        Ok(vec![if first { Ipv4Addr::new(127, 0, 0, 2) } else { Ipv4Addr::LOCALHOST }.into()])
    }
}

async fn rebinding(ground: &Ground) -> Result<(), String> {
    let lookup = Arc::new(Rebinding { asked: AtomicUsize::new(0) });
    // 127.0.0.2 stands for the public address of the name: it is opened as a range, 127.0.0.1 is not.
    let policy = WebPolicy::parse(&["http://rebinds.example:*".to_owned(), "127.0.0.2/32".to_owned()]);
    let client =
        WebClient::with_lookup(policy.map_err(|error| error.to_string())?, Arc::clone(&lookup) as Arc<dyn Lookup>);
    let mut ends = Vec::new();
    for _ in 0..3 {
        let request = WebRequest {
            method: Method::Get,
            url: format!("http://rebinds.example:{}/", ground.closed.port()),
            headers: Vec::new(),
            body: None,
        };
        let mut budget = WebBudget { timeout: Duration::from_secs(2), data_limit: 1_000, bytes_left: 1_000 };
        ends.push(
            client.request(request, &mut budget).await.map(|answer| answer.status).map_err(|error| error.to_string()),
        );
    }
    let blocked = ends.iter().filter(|end| end.as_ref().is_err_and(|error| error.starts_with("Blocked"))).count();
    let asked = lookup.asked.load(Ordering::SeqCst);
    if blocked == 2 && asked == 3 { Ok(()) } else { Err(format!("asked {asked} times, {ends:?}")) }
}
