//! Answers to requests that the app makes of the web.

use std::time::Duration;

use vumi_sandbox::web::Method;
use vumi_yaml::{Fault, Node};

use super::error::Place;
use super::fields::{Fields, expected, list, map, text};
use super::places::Places;
use super::rule::{TextRule, ValueRule, value};
use super::time::span;

/// The methods that an app may use.
pub(crate) const METHODS: [(&str, Method); 6] = [
    ("GET", Method::Get),
    ("POST", Method::Post),
    ("PUT", Method::Put),
    ("DELETE", Method::Delete),
    ("HEAD", Method::Head),
    ("PATCH", Method::Patch),
];

/// A request that is expected, and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Stub {
    pub(crate) place: Place,
    pub(crate) request: RequestRule,
    pub(crate) answer: Answer,
    /// How often it answers at most; any number of times without.
    pub(crate) times: Option<u32>,
    /// Whether it must be used.
    pub(crate) needed: bool,
    /// What the exchange takes on the test's clock.
    pub(crate) takes: Duration,
}

/// What a request is expected to be.
#[derive(Clone, Debug)]
pub(crate) struct RequestRule {
    pub(crate) method: Option<Method>,
    pub(crate) url: TextRule,
    pub(crate) headers: Vec<(String, TextRule)>,
    pub(crate) json: Option<ValueRule>,
    pub(crate) body: Option<TextRule>,
}

/// What comes back.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A response.
    Response { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// Nothing: the place is not available, for this reason.
    Error(String),
}

impl Stub {
    /// A list of them.
    pub(crate) fn all(node: &Node, places: &Places) -> Result<Vec<Self>, Fault> {
        list(node, |node| Self::one(node, places))
    }

    fn one(node: &Node, places: &Places) -> Result<Self, Fault> {
        let fields = Fields::of(node, &["request", "response", "error", "times", "optional", "takes"])?;
        let request = fields.must("request", request)?;
        let answer = match (fields.with("response", response)?, fields.with("error", text)?) {
            (Some(_), Some(_)) => {
                return Err(Fault::says("`response` and `error` are both given")
                    .at(node.mark)
                    .help("keep one of them"));
            }
            (Some(response), None) => response,
            (None, Some(reason)) => Answer::Error(reason),
            (None, None) => Answer::Response { status: 200, headers: Vec::new(), body: Vec::new() },
        };
        let times = fields.with("times", |node| match node.text() {
            Some("any") => Ok(None),
            text => match text.and_then(|text| text.parse().ok()) {
                Some(times) if times > 0 => Ok(Some(times)),
                _ => Err(expected("a number from 1, or any", node)),
            },
        })?;
        let times = times.unwrap_or(Some(1));
        let optional = fields.read("optional")?.unwrap_or(false);
        let takes = fields.with("takes", span)?.unwrap_or_default();
        Ok(Self { place: places.of(node.mark), request, answer, times, needed: times.is_some() && !optional, takes })
    }
}

fn request(node: &Node) -> Result<RequestRule, Fault> {
    let fields = Fields::of(node, &["method", "url", "headers", "json", "body"])?;
    let rule = RequestRule {
        method: fields.with("method", method)?,
        url: fields.must("url", TextRule::read)?,
        headers: fields
            .with("headers", |node| {
                map(node, |_, node| if node.is_nothing() { Ok(TextRule::Absent) } else { TextRule::read(node) })
            })?
            .unwrap_or_default(),
        json: fields.with("json", ValueRule::read)?,
        body: fields.with("body", TextRule::read)?,
    };
    match (&rule.json, fields.entry("body")) {
        (Some(_), Some(entry)) => {
            Err(Fault::says("`json` and `body` are both given").at(entry.mark).help("keep one of them"))
        }
        _ => Ok(rule),
    }
}

fn method(node: &Node) -> Result<Method, Fault> {
    let name = text(node)?.to_ascii_uppercase();
    let found = METHODS.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, method)| *method)
        .ok_or_else(|| expected(&format!("one of {}", METHODS.map(|(name, _)| name).join(", ")), node))
}

fn response(node: &Node) -> Result<Answer, Fault> {
    let fields = Fields::of(node, &["status", "headers", "json", "body"])?;
    let status: u16 = fields.read("status")?.unwrap_or(200);
    if !(100..1000).contains(&status) {
        let place = fields.entry("status").map_or(node.mark, |entry| entry.value.mark);
        return Err(Fault::says("an HTTP status has three digits").at(place).under("status"));
    }
    // Names arrive at the guest in lower case.
    let headers = fields.with("headers", |node| map(node, |_, node| text(node)))?.unwrap_or_default();
    let mut headers: Vec<(String, String)> =
        headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    let body = match (fields.with("json", value)?, fields.with("body", text)?) {
        (Some(_), Some(_)) => {
            return Err(Fault::says("`json` and `body` are both given").at(node.mark).help("keep one of them"));
        }
        (Some(json), None) => {
            if !headers.iter().any(|(name, _)| name == "content-type") {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
            }
            json.to_string()
        }
        (None, body) => body.unwrap_or_default(),
    };
    Ok(Answer::Response { status, headers, body: body.into_bytes() })
}
