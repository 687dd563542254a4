//! A request as a handler sees it: complete, within its bounds, with its parameters read.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method};
use serde_json::{Value, json};
use vumi_message::Payload;

use super::params::Params;
use super::reply::Refusal;
use super::site::basic_credentials;

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The id of the request, and of the message that it becomes.
    pub id: String,
    /// The method.
    pub method: Method,
    /// Which of the site's paths it came to, from 0.
    pub route: usize,
    /// The path's segments below the site's path, decoded.
    pub rest: Vec<String>,
    /// The whole path, as it came.
    pub path: String,
    /// Path and query, as they came.
    pub uri: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Who asks.
    pub peer: SocketAddr,
    /// Unexpected parameters are no mistake (`validation_mode`).
    pub(super) permissive: bool,
    pub(super) params: Params,
}

/// Values of parameters by name.
pub type Fields = BTreeMap<String, String>;

impl Request {
    /// The first value of a parameter, as it came.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.params.first(name)
    }

    /// The first value of a parameter as text.
    ///
    /// # Errors
    /// 400 when it is no UTF-8.
    pub fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.params.first(name).map(|value| utf8(name, value)).transpose()
    }

    /// All values of a parameter as texts, in order.
    ///
    /// # Errors
    /// 400 when one is no UTF-8.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        self.params.all(name).map(|value| utf8(name, value)).collect()
    }

    /// Every parameter's name once, in order.
    pub fn names(&self) -> Vec<String> {
        self.params.names()
    }

    /// All parameters, in order, as they came.
    pub fn pairs(&self) -> &[(Vec<u8>, Vec<u8>)] {
        self.params.pairs()
    }

    /// The values of the parameters that are expected, each of which must be there, and of those that may be
    /// (specification "httprpc", Field validation helper).
    ///
    /// # Errors
    /// 400 with the mistakes as JSON.
    pub fn fields(&self, expected: &[&str], allowed: &[&str]) -> Result<Fields, Refusal> {
        let (fields, errors) = self.check(expected, allowed)?;
        if errors.is_empty() { Ok(fields) } else { Err(Refusal::json(&Value::Object(errors))) }
    }

    /// As [`Request::fields`], for handlers that look for further mistakes: the values and the mistakes.
    ///
    /// # Errors
    /// 400 when a value is no UTF-8.
    pub fn check(&self, expected: &[&str], allowed: &[&str]) -> Result<(Fields, Payload), Refusal> {
        let (mut fields, mut unexpected) = (Fields::new(), Vec::new());
        for name in self.names() {
            if expected.contains(&name.as_str()) || allowed.contains(&name.as_str()) {
                let value = self.text(&name)?.unwrap_or_default();
                fields.insert(name, value);
            } else if !self.permissive {
                unexpected.push(name);
            }
        }
        let missing: Vec<&str> = expected.iter().copied().filter(|name| !fields.contains_key(*name)).collect();
        let mut errors = Payload::new();
        if !missing.is_empty() {
            errors.insert("missing_parameter".to_owned(), json!(missing));
        }
        if !unexpected.is_empty() {
            errors.insert("unexpected_parameter".to_owned(), json!(unexpected));
        }
        Ok((fields, errors))
    }

    /// The values of parameters that must be there, whatever else is, for networks whose further parameters never were
    /// mistakes.
    ///
    /// # Errors
    /// 400 with the missing ones as JSON, and when one is no UTF-8.
    pub fn required(&self, names: &[&str]) -> Result<Fields, Refusal> {
        let (mut fields, mut missing) = (Fields::new(), Vec::new());
        for name in names {
            match self.text(name)? {
                Some(value) => drop(fields.insert((*name).to_owned(), value)),
                None => missing.push(*name),
            }
        }
        if missing.is_empty() { Ok(fields) } else { Err(Refusal::json(&json!({ "missing_parameter": missing }))) }
    }

    /// [`Request::required`], where a value that is empty is missing as well.
    ///
    /// # Errors
    /// As [`Request::required`].
    pub fn filled(&self, names: &[&str]) -> Result<Fields, Refusal> {
        let mut fields = Fields::new();
        for name in names {
            let value = self.text(name)?.filter(|value| !value.is_empty());
            fields.extend(value.map(|value| ((*name).to_owned(), value)));
        }
        let missing: Vec<&str> = names.iter().copied().filter(|name| !fields.contains_key(*name)).collect();
        if missing.is_empty() { Ok(fields) } else { Err(Refusal::json(&json!({ "missing_parameter": missing }))) }
    }

    /// The path's segments below the site's path, as one text without slashes around it.
    pub fn below(&self) -> String {
        self.rest.join("/").trim_matches('/').to_owned()
    }

    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    /// User name and password of HTTP Basic.
    pub fn credentials(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.headers.get(hyper::header::AUTHORIZATION).and_then(|value| basic_credentials(value.as_bytes()))
    }

    /// The body as text.
    ///
    /// # Errors
    /// 400 when it is no UTF-8.
    pub fn body_text(&self) -> Result<&str, Refusal> {
        std::str::from_utf8(&self.body).map_err(|error| Refusal::bad(format!("The body is not UTF-8: {error}")))
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 400 when it is none. (Nested deeper than 128 levels it is none either.)
    pub fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.body).map_err(|error| Refusal::bad(format!("The body is not JSON: {error}")))
    }

    /// Whether the body is a form's.
    pub(super) fn is_form(method: &Method, headers: &HeaderMap) -> bool {
        let form = |value: &str| {
            let kind = value.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        };
        *method == Method::POST && headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(form)
    }
}

fn utf8(name: &str, value: &[u8]) -> Result<String, Refusal> {
    match std::str::from_utf8(value) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(Refusal::json(&json!({ "invalid_encoding": [name] }))),
    }
}
