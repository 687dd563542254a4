//! Where the admin server listens and who may speak to it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::error::AdminError;

/// A text that must not be seen: it shows itself as `[secret]` wherever it is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl Secret {
    /// Wraps a secret text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether `candidate` is the secret. Takes the same time for every candidate of the secret's length, so that an
    /// answer's delay does not tell how much of a guess was right.
    #[must_use]
    pub fn matches(&self, candidate: &str) -> bool {
        same_bytes(self.0.as_bytes(), candidate.as_bytes())
    }

    /// The text itself, for whoever must hand it on.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn is_usable(&self) -> bool {
        // RFC 6750 section 2.1: b64token. Anything else could not be sent in the header.
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        self.0.len() >= Self::MIN_LENGTH && self.0.bytes().all(allowed)
    }

    /// The shortest token that is accepted, in characters.
    pub const MIN_LENGTH: usize = 16;
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// How the admin server is reached.
#[derive(Debug, Clone)]
pub struct AdminOptions {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// What callers of `/api` and `/metrics` send as `Authorization: Bearer …`, unless they have a token that was made
    /// at `/api/v1/tokens`; may do everything. Without it only this machine may reach the server.
    pub token: Option<Secret>,
}

impl Default for AdminOptions {
    /// Port 8080 of this machine, no token.
    fn default() -> Self {
        Self { listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080), token: None }
    }
}

impl AdminOptions {
    /// Checks the options before anything is started.
    ///
    /// # Errors
    /// [`AdminError::TokenRequired`] when other machines can reach `listen` and there is no token;
    /// [`AdminError::TokenUnusable`] when the token is too short or cannot stand in a header.
    pub fn check(&self) -> Result<(), AdminError> {
        match &self.token {
            None if !is_loopback(self.listen.ip()) => Err(AdminError::TokenRequired(self.listen)),
            Some(token) if !token.is_usable() => Err(AdminError::TokenUnusable),
            _ => Ok(()),
        }
    }
}

/// Whether two texts are the same. Takes the same time for all that have the same length.
pub(crate) fn same_bytes(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let difference = one.iter().zip(other).fold(0_u8, |sum, (a, b)| sum | std::hint::black_box(a ^ b));
    std::hint::black_box(difference) == 0
}

/// Whether only this machine can reach an address; `::ffff:127.0.0.1` is the same as `127.0.0.1`.
pub(crate) fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(listen: &str, token: Option<&str>) -> AdminOptions {
        AdminOptions { listen: listen.parse().unwrap(), token: token.map(Secret::new) }
    }

    #[test]
    fn other_machines_need_a_token() {
        for open in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80", "[::ffff:10.0.0.1]:80"] {
            let error = options(open, None).check().unwrap_err().to_string();
            assert!(error.contains("token"), "{error}");
            options(open, Some("0123456789abcdef")).check().unwrap();
        }
        for own in ["127.0.0.1:80", "127.1.2.3:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            options(own, None).check().unwrap();
        }
    }

    #[test]
    fn a_token_must_be_long_and_fit_into_a_header() {
        for bad in ["", "short", "sixteen letters!", "0123456789abcdé0"] {
            let result = options("127.0.0.1:80", Some(bad)).check();
            assert!(matches!(result, Err(AdminError::TokenUnusable)), "{bad}");
        }
    }

    #[test]
    fn only_the_secret_matches_and_it_is_never_printed() {
        let secret = Secret::new("0123456789abcdef");
        assert!(secret.matches("0123456789abcdef"));
        for wrong in ["", "0123456789abcdeg", "0123456789abcdef0", "1123456789abcdef"] {
            assert!(!secret.matches(wrong), "{wrong}");
        }
        assert_eq!(format!("{secret:?}"), "[secret]");
    }
}
