//! A URL of the configuration, shown without what may be secret in it.

use std::borrow::Cow;
use std::fmt;

use reqwest::Url;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A URL as it was written. Whether it can be used is seen when it is used, as in Vumi. Shown, it has no credentials
/// and no query, since queries often hold tokens.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct HttpUrl(String);

impl HttpUrl {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The URL without the credentials before its host: the relays have keys of their own for those.
    pub(super) fn parse(&self) -> Result<Url, String> {
        let mut url = Url::parse(&self.0).map_err(|error| format!("it is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("it is no URL of the web: it must begin with http:// or https://".to_owned());
        }
        // These fail for URLs without a host only, which http and https URLs have.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        Ok(url)
    }

    /// Warns of a URL that no request can be sent to; `key` is where it stands.
    pub(crate) fn warn_if_odd(&self, app: &str, key: &str) {
        if let Err(problem) = self.parse() {
            tracing::warn!(app, "{key}, {self}: {problem}; every request to it will fail");
        }
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains('@') && self.parse().is_err() {
            // What of it is a password cannot be told.
            return f.write_str("***");
        }
        let text = self.0.split_once('#').map_or(self.0.as_str(), |(before, _)| before);
        let (place, query) = text.split_once('?').map_or((text, false), |(place, _)| (place, true));
        let (scheme, rest) = place
            .split_once("://")
            .map_or(("", place), |(_, rest)| (place.get(..place.len() - rest.len()).unwrap_or_default(), rest));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (hidden, host) = authority.rsplit_once('@').map_or(("", authority), |(_, host)| ("***@", host));
        let path: String = path.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        write!(f, "{scheme}{hidden}{host}{path}{}", if query { "?***" } else { "" })
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl JsonSchema for HttpUrl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "HttpUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_not_shown() {
        for (text, shown) in [
            ("http://h:80/p/q", "http://h:80/p/q"),
            ("https://user:p%40ss@h/p?key=abc#f", "https://***@h/p?***"),
            ("http://a:b@c@h", "http://***@h"),
            ("http://h?token=x/y@z", "http://h?***"),
            ("not a url", "not a url"),
            ("user:pw@host/x", "***"),
            ("http://user:p?w@h/", "***"),
            ("http://user:p/w@h/", "***"),
            ("http://h/@me", "http://h/@me"),
            ("", ""),
        ] {
            assert_eq!(HttpUrl::new(text).to_string(), shown, "{text}");
            assert_eq!(format!("{:?}", HttpUrl::new(text)), format!("\"{shown}\""));
        }
    }

    #[test]
    fn credentials_are_not_sent() {
        let url = HttpUrl::new("http://user:pw@h:8000/p?a=1#f").parse().unwrap();
        assert_eq!(url.as_str(), "http://h:8000/p?a=1");
        for odd in ["", "h/p", "ftp://h/", "http://", "http://h:99999/"] {
            assert!(HttpUrl::new(odd).parse().is_err(), "{odd}");
        }
    }
}
