//! What protects a server without a token from web pages: a page could reach us under a name of its own that resolves
//! to 127.0.0.1 (DNS rebinding, so the `Host` header is checked), or send orders across origins (so `Origin` and
//! `Sec-Fetch-Site` are checked on everything that changes something). And what every answer says to browsers.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

use crate::options::is_loopback;

/// Checks that a request cannot come from another site's page. `listen` is the address that the server has.
///
/// # Errors
/// What gave it away, and how to mend it.
pub(crate) fn check(request: &Request, listen: SocketAddr) -> Result<(), String> {
    let host = host(request.uri(), request.headers());
    if !host.is_some_and(is_own_host) {
        return Err(format!(
            "without a token this server answers only to the names of this machine, and the Host header says {:?}; \
             open http://{listen}/ or set admin.token",
            host.unwrap_or_default(),
        ));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !is_same_origin(host.unwrap_or_default(), request.headers()) {
        return Err("another web site's page sent this request; only this server's own pages may".into());
    }
    Ok(())
}

/// The host that the caller asked for: `Host` in HTTP/1, `:authority` in HTTP/2.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let header = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    header.or_else(|| uri.authority().map(|authority| authority.as_str()))
}

/// Whether a `host[:port]` names this machine in a way that no foreign DNS entry can.
fn is_own_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match (bare, name.parse::<IpAddr>()) {
        (Some(v6), _) => v6.parse::<IpAddr>().is_ok_and(is_loopback),
        (None, Ok(ip)) => ip.is_ipv4() && is_loopback(ip),
        (None, Err(_)) => false,
    }
}

/// Whether a request comes from our own page, or from a program that is no browser and sends neither header.
fn is_same_origin(host: &str, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    let site_ok = site.is_none_or(|site| site == "same-origin" || site == "none");
    let origin_ok = headers.get(header::ORIGIN).is_none_or(|origin| {
        origin
            .to_str()
            .ok()
            .and_then(|origin| origin.strip_prefix("http://"))
            .is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    });
    site_ok && origin_ok
}

/// What browsers are told with every answer. Trusted types make the browser itself refuse markup made from data.
pub(crate) const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
             form-action 'self'; require-trusted-types-for 'script'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_dns_cannot_give_away_are_our_own() {
        for own in ["localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:1", "127.9.9.9:80", "[::1]", "[::1]:8080"] {
            assert!(is_own_host(own), "{own}");
        }
        for foreign in [
            "",
            "example.org",
            "localhost.example.org:80",
            "127.0.0.1.example.org",
            "10.0.0.1",
            "::1",
            "[::2]:80",
            "[::1",
            "localhost:80:80",
            "0.0.0.0:80",
            "evil@localhost",
        ] {
            assert!(!is_own_host(foreign), "{foreign}");
        }
    }
}
