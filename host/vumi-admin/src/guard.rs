//! Who may speak to the server, and what every answer says to browsers.
//!
//! With a token, callers show it; only the pages' files and `/health` are open. Without one the server listens on
//! this machine alone, and the danger is a web page in the same machine's browser: it could reach us under a name of
//! its own that resolves to 127.0.0.1 (DNS rebinding, so the `Host` header is checked), or send orders across origins
//! (so `Origin` and `Sec-Fetch-Site` are checked on everything that changes something).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::caller::Caller;
use crate::options::{Secret, is_loopback};
use crate::problem::Problem;

/// What requests are checked against.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) token: Option<Secret>,
    pub(crate) listen: SocketAddr,
}

impl Guard {
    fn check(&self, request: &Request) -> Result<Caller, Problem> {
        match &self.token {
            Some(token) => check_token(token, request).map(|()| Caller::admin()),
            None => self.check_browser(request).map(|()| Caller::local()),
        }
    }

    fn check_browser(&self, request: &Request) -> Result<(), Problem> {
        let host = host(request.uri(), request.headers());
        if !host.is_some_and(is_own_host) {
            let detail = format!(
                "without a token this server answers only to the names of this machine, and the Host header says \
                 {:?}; open http://{}/ or set admin.token",
                host.unwrap_or_default(),
                self.listen
            );
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
        if changes && !is_same_origin(host.unwrap_or_default(), request.headers()) {
            let detail = "another web site's page sent this request; only this server's own pages may";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(())
    }
}

fn check_token(token: &Secret, request: &Request) -> Result<(), Problem> {
    let path = request.uri().path();
    if path == "/" || path == "/health" || path.starts_with("/assets/") {
        return Ok(());
    }
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if given.is_some_and(|(_, candidate)| token.matches(candidate.trim())) {
        return Ok(());
    }
    let detail = "send the admin token as the header \"Authorization: Bearer <token>\"";
    Err(Problem::new(StatusCode::UNAUTHORIZED, detail))
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
const HEADERS: [(HeaderName, HeaderValue); 6] = [
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

/// Checks a request and adds the headers to its answer, whatever the answer is.
pub(crate) async fn guard(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let mut response = match guard.check(&request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    let headers = response.headers_mut();
    headers.extend(HEADERS);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

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
