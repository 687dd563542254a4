//! What the entries of an allow-list open.

use reqwest::Url;

use super::super::{WebError, WebPolicy};
use super::{get, policy};

/// Allow-list, URL, whether it is open. No line needs a name to be resolved.
const MATRIX: &[(&[&str], &str, bool)] = &[
    // The empty list, and ranges alone, open nothing.
    (&[], "https://api.example.org/", false),
    (&[], "http://127.0.0.1/", false),
    (&["0.0.0.0/0", "::/0"], "http://127.0.0.1/", false),
    // Scheme, host, default port.
    (&["https://api.example.org"], "https://api.example.org/x?y=1", true),
    (&["https://api.example.org"], "https://api.example.org:443/", true),
    (&["https://api.example.org"], "http://api.example.org/", false),
    (&["https://api.example.org"], "http://api.example.org:443/", false),
    (&["https://api.example.org"], "https://api.example.org:8443/", false),
    (&["https://api.example.org"], "https://example.org/", false),
    (&["https://api.example.org"], "https://api.example.org.evil.test/", false),
    (&["https://api.example.org"], "https://evilapi.example.org/", false),
    (&["https://api.example.org"], "ftp://api.example.org/", false),
    (&["HTTPS://API.Example.ORG."], "https://api.example.org/", true),
    (&["https://api.example.org"], "HTTPS://API.EXAMPLE.ORG./", true),
    (&["https://api.example.org"], "https://api.example.org../", false),
    (&["https://api.example.org:8443"], "https://api.example.org:8443/", true),
    (&["https://api.example.org:8443"], "https://api.example.org/", false),
    (&["https://api.example.org:*"], "https://api.example.org:8443/", true),
    // User names and passwords.
    (&["https://api.example.org"], "https://user@api.example.org/", false),
    (&["https://api.example.org"], "https://user:secret@api.example.org/", false),
    (&["https://api.example.org"], "https://api.example.org@evil.test/", false),
    (&["https://api.example.org"], "https://evil.test#@api.example.org/", false),
    (&["https://api.example.org"], r"https://evil.test\@api.example.org/", false),
    // International names.
    (&["https://bücher.example"], "https://xn--bcher-kva.example/", true),
    (&["https://xn--bcher-kva.example"], "https://BÜCHER.example/", true),
    (&["https://bücher.example"], "https://bucher.example/", false),
    // Paths end at a slash.
    (&["https://h.test/v1"], "https://h.test/v1", true),
    (&["https://h.test/v1"], "https://h.test/v1?x", true),
    (&["https://h.test/v1"], "https://h.test/v1/users", true),
    (&["https://h.test/v1/"], "https://h.test/v1", true),
    (&["https://h.test/v1"], "https://h.test/v10", false),
    (&["https://h.test/v1"], "https://h.test/V1", false),
    (&["https://h.test/v1"], "https://h.test/", false),
    (&["https://h.test/v1"], "https://h.test/v1/../admin", false),
    (&["https://h.test/v1"], "https://h.test/v1/%2e%2E/admin", false),
    (&["https://h.test/v1"], "https://h.test/v1/..%2fadmin", false),
    (&["https://h.test/v1"], "https://h.test/v1/..%5cadmin", false),
    (&["https://h.test/v1"], "https://h.test/v1/%252e%252e/admin", false),
    (&["https://h.test/v1"], "https://h.test/v1/..;a=b/admin", false),
    (&["https://h.test/v1"], "https://h.test/v1/a..b/...", true),
    (&["https://h.test/v1"], "https://h.test/v1/100%/%zz/%c3%bc", true),
    (&["https://h.test/v1", "https://h.test/"], "https://h.test/%2e%2e%2fx", true),
    // Subdomains.
    (&["https://*.example.org"], "https://a.example.org/", true),
    (&["https://*.example.org"], "https://a.b.example.org./", true),
    (&["https://*.example.org"], "https://example.org/", false),
    (&["https://*.example.org"], "https://.example.org/", false),
    (&["https://*.example.org"], "https://badexample.org/", false),
    (&["https://*.example.org"], "http://a.example.org/", false),
    (&["https://*.example.org"], "https://a.example.org:1/", false),
    (&["https://*.example.org:8443/x"], "https://a.example.org:8443/x/y", true),
    // Every public host.
    (&["http://*"], "http://example.org/", true),
    (&["http://*"], "http://example.org:8080/", false),
    (&["http://*"], "https://example.org/", false),
    (&["http://*:8080"], "http://example.org:8080/", true),
    (&["http://*:*"], "http://example.org:1/", true),
    (&["*"], "http://example.org/", true),
    (&["*"], "https://example.org/", true),
    (&["*"], "https://example.org:8443/", false),
    // A UDP socket finds out whether the address is our own; nothing is sent to it.
    (&["*"], "http://1.1.1.1/", true),
    (&["*"], "http://127.0.0.1/", false),
    (&["*"], "http://127.1/", false),
    (&["*"], "http://0x7f.1/", false),
    (&["*"], "http://0177.0.0.1/", false),
    (&["*"], "http://2130706433/", false),
    (&["*"], "http://127.0.0.1./", false),
    (&["*"], "http://%31%32%37.0.0.1/", false),
    (&["*"], "http://①②⑦.0.0.1/", false),
    (&["*"], "http://0/", false),
    (&["*"], "http://10.1.2.3/", false),
    (&["*"], "http://169.254.169.254/latest/meta-data/", false),
    (&["*"], "http://[::]/", false),
    (&["*"], "http://[::1]/", false),
    (&["*"], "http://[::ffff:127.0.0.1]/", false),
    (&["*"], "http://[::ffff:a9fe:a9fe]/", false),
    (&["*"], "http://[64:ff9b::7f00:1]/", false),
    (&["*"], "http://[fd00:ec2::254]/", false),
    // Addresses that are named, with their port.
    (&["http://10.1.2.3"], "http://10.1.2.3/", true),
    (&["http://10.1.2.3"], "http://[::ffff:10.1.2.3]/", true),
    (&["http://10.1.2.3"], "http://10.1.2.3:8080/", false),
    (&["http://10.1.2.3"], "http://10.1.2.4/", false),
    (&["http://127.0.0.1:8000"], "http://127.0.0.1:8000/", true),
    (&["http://127.0.0.1:8000"], "http://0x7f.1:8000/", true),
    (&["http://127.0.0.1:8000"], "http://127.0.0.1:8001/", false),
    (&["http://127.0.0.1:8000"], "http://localhost:8000/", false),
    (&["http://127.0.0.1:8000", "http://*:*"], "http://127.0.0.1:8001/", false),
    (&["http://[::1]:80"], "http://[::1]/", true),
    (&["http://[::1]:80"], "http://[0:0:0:0:0:0:0:1]:80/", true),
    (&["http://[::1]:80"], "http://127.0.0.1/", false),
    // Localhost is both loopbacks, on the port that was named.
    (&["http://localhost:9000"], "http://localhost:9000/", true),
    (&["http://localhost:9000"], "http://LOCALHOST.:9000/", true),
    (&["http://localhost:9000"], "http://127.0.0.1:9000/", true),
    (&["http://localhost:9000"], "http://[::1]:9000/", true),
    (&["http://localhost:9000"], "http://127.0.0.2:9000/", false),
    (&["http://localhost:9000"], "http://localhost:9001/", false),
    (&["http://localhost:9000", "http://*:*"], "http://localhost:9001/", false),
    (&["http://localhost:9000", "http://*:*", "127.0.0.0/8"], "http://localhost:9001/", false),
    (&["http://localhost:9000", "http://*:*", "127.0.0.0/8", "::1/128"], "http://localhost:9001/", true),
    // Ranges open addresses to hosts that another entry allows.
    (&["http://*", "10.0.0.0/8"], "http://10.9.9.9/", true),
    (&["http://*", "10.0.0.0/8"], "http://11.1.1.1:81/", false),
    (&["http://*", "10.0.0.0/8"], "http://192.168.0.1/", false),
    (&["https://*", "10.0.0.0/8"], "http://10.9.9.9/", false),
];

#[test]
fn matrix() {
    for (allow, url, open) in MATRIX {
        let policy = policy(allow);
        // What is not even a URL is closed as well: no client is asked.
        let verdict = Url::parse(url).ok().map(|url| policy.check_url(&url));
        assert_eq!(matches!(verdict, Some(Ok(()))), *open, "{url} under {allow:?}: {verdict:?}");
        if let Some(Err(blocked)) = verdict {
            assert!(blocked.to_string().starts_with("Blocked: "), "{blocked}");
        }
    }
}

#[test]
fn wrong_entries_are_refused_with_a_sentence() {
    let matrix: &[(&str, &str)] = &[
        ("", "the entry is empty"),
        ("api.example.org", "it begins with neither http:// nor https://"),
        ("//api.example.org", "it begins with neither http:// nor https://"),
        ("https:api.example.org", "it begins with neither http:// nor https://"),
        ("10.1.2.3", "write http://10.1.2.3 or https://10.1.2.3"),
        ("::1", "write http://[::1] or https://[::1]"),
        ("ftp://api.example.org", "only http:// and https:// can be reached"),
        ("https://", "the host is missing"),
        ("https:///path", "the host is missing"),
        ("https://:443", "the host is missing"),
        (" https://api.example.org", "spaces and control characters"),
        ("https://api.example.org\n", "spaces and control characters"),
        ("https://api.example.org?x=1", "leave out what follows ? or #"),
        ("https://api.example.org/#top", "leave out what follows ? or #"),
        ("https://user:secret@api.example.org", "leave out what stands before @"),
        (r"https://api.example.org\x", "write the path with /"),
        ("https://api.example.org:", "is not a port"),
        ("https://api.example.org:0", "is not a port"),
        ("https://api.example.org:65536", "is not a port"),
        ("https://api.example.org:+80", "is not a port"),
        ("https://api.example.org:http", "is not a port"),
        ("https://api.*.org", "a * may only stand alone"),
        ("https://*example.org", "a * may only stand alone"),
        ("https://*.*", "a * may only stand alone"),
        ("https://**", "a * may only stand alone"),
        ("https://*.", "is not a host name or address"),
        ("https://*.10.1.2.3", "an address has no subdomains"),
        ("https://a..b", "is not a host name or address"),
        ("https://a b", "spaces and control characters"),
        ("https://a<b", "is not a host name or address"),
        ("http://1.2.3.4.5", "is not a host name or address"),
        ("http://fe80::1", "write [fe80::1]"),
        ("http://[fe80::1%25eth0]", "is not a host name or address"),
        ("http://[::1", "is not a host name or address"),
        ("http://0.0.0.0:80", "write http://localhost"),
        ("http://[::]", "write http://localhost"),
        ("https://h.test/a/../b", "must not contain . or .. segments"),
        ("https://h.test/a/%2e%2e/b", "must not contain . or .. segments"),
        ("https://h.test/a/..%2fb", "must not contain . or .. segments"),
        ("10.0.0.0/33", "from 0 to 32"),
        ("10.0.0.0/", "from 0 to 32"),
        ("10.0.0.0/+8", "from 0 to 32"),
        ("10.0.0.0/8/8", "from 0 to 32"),
        ("fd00::/129", "from 0 to 128"),
        ("10.1.2.3/8", "write 10.0.0.0/8"),
        ("fd00::1/8", "write fd00::/8"),
        ("::ffff:10.0.0.0/104", "in IPv4 form"),
    ];
    for (entry, part) in matrix {
        let text = WebPolicy::parse(&[(*entry).to_owned()]).expect_err(entry).to_string();
        assert!(text.starts_with(&format!("allow-list entry {entry:?}: ")), "{text}");
        assert!(text.contains(part), "{entry:?}: {text}");
    }
}

#[test]
fn an_allow_list_has_a_bound() {
    let entries = vec!["https://api.example.org".to_owned(); 1000];
    WebPolicy::parse(&entries).unwrap();
    let more = [entries, vec!["https://one.more".to_owned()]].concat();
    assert!(WebPolicy::parse(&more).unwrap_err().to_string().contains("at most 1000 entries"));
}

#[tokio::test]
async fn the_empty_list_reaches_nothing() {
    let server = super::server::Server::fixed(super::server::answer("200 OK", "", b"reached")).await;
    for url in [server.url("/"), "http://localhost/".to_owned(), "https://example.org/".to_owned()] {
        let error = get(&[], &url).await.unwrap_err();
        assert!(matches!(error, WebError::Blocked(_)), "{error:?}");
        assert!(error.to_string().starts_with("Blocked: "), "{error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn only_the_origin_of_a_url_is_shown() {
    let url = "https://closed.test/bot12345:token/x?key=secret#fragment";
    let text = get(&["https://open.test"], url).await.unwrap_err().to_string();
    assert_eq!(text, "Blocked: https://closed.test is not in the app's allow-list");
    let text = get(&["https://open.test"], "https://user:secret@open.test/").await.unwrap_err().to_string();
    assert!(text.starts_with("Blocked: ") && !text.contains("secret"), "{text}");
}
