//! What a response, or the body of a request to the fake server, must be; and what that server answers.

use std::fmt;

use regex::Regex;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use super::compare::{self, Whole};
use super::pairs::Pairs;
use super::pattern::Bindings;
use super::step::{RemoteStep, present};
use super::wire::Received;
use super::{form, xml};

/// A response.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Status code.
    #[serde(default = "ok")]
    pub status: u16,
    /// Headers that it must have; null for one that must not be there.
    #[serde(default)]
    pub headers: Pairs,
    /// The whole body.
    pub body: Option<String>,
    /// The body as JSON.
    #[serde(default, deserialize_with = "present")]
    pub json: Option<Value>,
    /// What the body has as JSON, among others.
    #[serde(default, deserialize_with = "present")]
    pub json_has: Option<Value>,
    /// The body as XML.
    pub xml: Option<String>,
    /// A part of the body.
    pub contains: Option<String>,
    /// A regular expression for the body.
    pub body_matches: Option<String>,
}

/// What the fake server answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Nothing; the connection stays open.
    Hold,
    /// The connection is reset.
    Reset,
    /// A response.
    Give(Given),
}

/// A response of the fake server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Status code.
    #[serde(default = "ok")]
    pub status: u16,
    /// The phrase behind it; `Golden` unless given.
    pub reason: Option<String>,
    /// Headers besides `Content-Length`.
    #[serde(default)]
    pub headers: Pairs,
    /// Body, as it is.
    pub body: Option<String>,
    /// Body, JSON.
    #[serde(default, deserialize_with = "present")]
    pub json: Option<Value>,
}

/// What a body must be: everything that is given must hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Body<'a> {
    whole: Option<&'a str>,
    form: Option<&'a Pairs>,
    json: Option<&'a Value>,
    json_has: Option<&'a Value>,
    xml: Option<&'a str>,
    contains: Option<&'a str>,
    matches: Option<&'a str>,
}

impl Response {
    /// Compares.
    ///
    /// # Errors
    /// What is different.
    pub fn compare(&self, got: &Received, bindings: &mut Bindings) -> Result<(), String> {
        let shown = || format!("the response is {got}");
        let status = got.status()?;
        if status != self.status {
            return Err(format!("expected status {}, got {status}; {}", self.status, shown()));
        }
        headers(&self.headers, got, bindings).map_err(|error| format!("{error}; {}", shown()))?;
        self.body().compare(&got.body, bindings).map_err(|error| format!("{error}; {}", shown()))
    }

    fn body(&self) -> Body<'_> {
        Body {
            whole: self.body.as_deref(),
            form: None,
            json: self.json.as_ref(),
            json_has: self.json_has.as_ref(),
            xml: self.xml.as_deref(),
            contains: self.contains.as_deref(),
            matches: self.body_matches.as_deref(),
        }
    }
}

impl RemoteStep {
    /// What the body of the request must be.
    pub fn body(&self) -> Body<'_> {
        Body {
            whole: self.body.as_deref(),
            form: self.form.as_ref(),
            json: self.json.as_ref(),
            json_has: self.json_has.as_ref(),
            xml: self.xml.as_deref(),
            contains: self.contains.as_deref(),
            matches: self.body_matches.as_deref(),
        }
    }
}

impl Body<'_> {
    /// Compares.
    ///
    /// # Errors
    /// What is different.
    pub fn compare(&self, got: &[u8], bindings: &mut Bindings) -> Result<(), String> {
        if let Some(expected) = self.form {
            form::compare("form", expected, &form::decode(&String::from_utf8_lossy(got)), bindings)?;
        }
        let text = || std::str::from_utf8(got).map_err(|error| format!("the body is no UTF-8 ({error}): {got:02x?}"));
        if let Some(expected) = self.whole {
            bindings.text(expected, text()?).map_err(|error| format!("body: {error}"))?;
        }
        for (expected, whole) in [(self.json, Whole::All), (self.json_has, Whole::Parts)] {
            let Some(expected) = expected else { continue };
            let body = text()?;
            let got: Value = serde_json::from_str(body).map_err(|error| format!("no JSON ({error}): {body:?}"))?;
            compare::json(expected, &got, whole, bindings).map_err(|error| format!("JSON {error}"))?;
        }
        if let Some(expected) = self.xml {
            xml::compare(expected, text()?, bindings).map_err(|error| format!("XML {error}"))?;
        }
        if let Some(expected) = self.contains {
            let (expected, body) = (bindings.fill(expected)?, text()?);
            if !body.contains(&expected) {
                return Err(format!("expected a body with {expected:?}, got {body:?}"));
            }
        }
        if let Some(expected) = self.matches {
            let body = text()?;
            let regex = Regex::new(expected).map_err(|error| error.to_string())?;
            if !regex.is_match(body) {
                return Err(format!("expected a body that matches {expected:?}, got {body:?}"));
            }
        }
        Ok(())
    }
}

/// Every listed header must be there with these values, in this order.
///
/// # Errors
/// What is different.
pub fn headers(expected: &Pairs, got: &Received, bindings: &mut Bindings) -> Result<(), String> {
    let mut done: Vec<String> = Vec::new();
    for (name, _) in &expected.0 {
        if done.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            continue;
        }
        done.push(name.clone());
        let wanted: Vec<&str> =
            expected.given().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v).collect();
        let there: Vec<&str> = got.all(name).collect();
        if wanted.len() != there.len() {
            return Err(format!("expected header {name} {wanted:?}, got {there:?}"));
        }
        for (wanted, there) in wanted.iter().zip(there) {
            bindings.text(wanted, there).map_err(|error| format!("header {name}: {error}"))?;
        }
    }
    Ok(())
}

impl Default for Answer {
    fn default() -> Self {
        Self::Give(Given { status: 200, reason: None, headers: Pairs::default(), body: None, json: None })
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap;
        impl<'de> Visitor<'de> for WordOrMap {
            type Value = Answer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`none`, `reset`, or a map of `status`, `headers` and `body` or `json`")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Answer, E> {
                match word {
                    "none" => Ok(Answer::Hold),
                    "reset" => Ok(Answer::Reset),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Answer, A::Error> {
                Given::deserialize(MapAccessDeserializer::new(map)).map(Answer::Give)
            }
        }
        deserializer.deserialize_any(WordOrMap)
    }
}

fn ok() -> u16 {
    200
}
