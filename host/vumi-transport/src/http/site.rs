//! Where and how a transport is served.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use vumi_core::secret::same;
use vumi_core::{Error, Result, Secret};

use super::reply::Reply;
use crate::base::endpoint::Listen;
use crate::registry::Listening;

/// Where and how a transport is served.
#[derive(Clone, Debug)]
pub struct Site {
    /// The configuration key that says where to listen.
    pub(super) key: &'static str,
    pub(super) listen: Listen,
    /// The paths of the transport; a request knows which of them it came to. Each stands for everything below it as
    /// well. The empty path is everything.
    pub paths: Vec<String>,
    /// The path of the health page, if there is one.
    pub health: Option<String>,
    /// Whom to let in. The health page needs nothing.
    pub auth: Option<BasicAuth>,
    /// The methods that are understood; others get 405. `HEAD` is understood where `GET` is.
    pub methods: Vec<Method>,
    /// How long a request may stay open; `None` is forever.
    pub timeout: Option<Duration>,
    /// What a request gets whose time is over.
    pub timeout_reply: Reply,
    /// Parameters that nobody expects are skipped.
    pub permissive: bool,
    /// Seconds after which an answer counts as late.
    pub slow: f64,
    /// Seconds after which an answer counts as far too late.
    pub very_slow: f64,
    /// Logs every request and answer.
    pub noisy: bool,
}

/// Bounds for requests from the network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of a body.
    pub(super) body: usize,
    /// Open requests.
    pub(super) pending: usize,
    /// For a request to arrive as a whole.
    pub(super) read: Duration,
}

impl Site {
    /// A site without credentials, health page and time limit. `key` is the configuration key that says where.
    pub(crate) fn new(key: &'static str, listen: Listen, paths: &[&str]) -> Self {
        Self {
            key,
            listen,
            paths: paths.iter().map(|path| trimmed(path).to_owned()).collect(),
            health: None,
            auth: None,
            methods: vec![Method::GET, Method::POST, Method::PUT],
            timeout: None,
            timeout_reply: Reply::status(504),
            permissive: false,
            slow: 1.0,
            very_slow: 10.0,
            noisy: false,
        }
    }

    /// As the check of a configuration sees it. Health pages may share a path.
    pub(super) fn listening(&self) -> Listening {
        let paths = self.paths.iter().map(|path| trimmed(path).to_owned()).collect();
        Listening { key: self.key, host: self.listen.host.clone(), port: self.listen.port, paths: Some(paths) }
    }
}

/// A path without the slashes around it, which have no meaning (specification "common", C6).
pub(super) fn trimmed(path: &str) -> &str {
    path.trim_matches('/')
}

/// Credentials of HTTP Basic (RFC 7617).
#[derive(Clone, Debug)]
pub struct BasicAuth {
    username: String,
    password: Secret,
    realm: String,
}

impl BasicAuth {
    /// `None` without a user name.
    ///
    /// # Errors
    /// When only one of the two is given.
    pub fn of(username: Option<&str>, password: Option<Secret>, realm: &str) -> Result<Option<Self>> {
        match (username, password) {
            (None, None) => Ok(None),
            (Some(username), Some(password)) => {
                let (username, realm) = (username.to_owned(), realm.to_owned());
                Ok((!username.is_empty()).then_some(Self { username, password, realm }))
            }
            _ => Err(Error::permanent("If either web_username or web_password is specified, both must be specified")),
        }
    }

    /// Whether the header `Authorization` lets its sender in.
    pub(super) fn admits(&self, authorization: Option<&[u8]>) -> bool {
        let Some((username, password)) = authorization.and_then(basic_credentials) else { return false };
        // Both are compared in any case, so that the delay does not tell which one is wrong.
        let known = same(self.username.as_bytes(), &username);
        let right = self.password.matches(&password);
        known & right
    }

    pub(super) fn refusal(&self) -> Reply {
        let realm: String = self.realm.chars().filter(|c| !matches!(c, '"' | '\\') && !c.is_control()).collect();
        Reply::status(401).body("Unauthorized").header("www-authenticate", &format!("basic realm=\"{realm}\""))
    }
}

/// User name and password of a header `Authorization: Basic …`; the password is everything behind the first colon.
pub fn basic_credentials(authorization: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let text = std::str::from_utf8(authorization).ok()?;
    let (scheme, encoded) = text.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let mut pair = STANDARD.decode(encoded.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let mut password = pair.split_off(colon);
    password.remove(0);
    Some((pair, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_let_in() {
        let auth = BasicAuth::of(Some("alice"), Some(Secret::new("s3cret:x")), "Shi\"re").unwrap().unwrap();
        let header = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert!(auth.admits(Some(header("alice:s3cret:x").as_bytes())));
        assert!(auth.admits(Some(header("alice:s3cret:x").replace("Basic", "bAsIc").as_bytes())));
        for wrong in
            [header("alice:s3cret"), header("bob:s3cret:x"), header("alice"), "Basic %%".into(), "Bearer x".into()]
        {
            assert!(!auth.admits(Some(wrong.as_bytes())), "{wrong}");
        }
        assert!(!auth.admits(None) && !auth.admits(Some(b"\xff")));
        let refusal = auth.refusal();
        assert_eq!(refusal.headers.first().unwrap().1, "basic realm=\"Shire\"");
        assert!(
            BasicAuth::of(Some("a"), None, "r").is_err() && BasicAuth::of(None, Some(Secret::new("p")), "r").is_err()
        );
        assert!(BasicAuth::of(None, None, "r").unwrap().is_none());
    }
}
