//! What is expected to come back: the messages that the app sends.

use vumi_yaml::{Fault, Node, Value};

use super::error::Place;
use super::fields::{Fields, expected, list, map, text};
use super::places::Places;
use super::rule::{TextRule, ValueRule};
use super::users::Users;

/// The keys.
const KEYS: &[&str] = &[
    "text",
    "contains",
    "matches",
    "session",
    "to",
    "group",
    "endpoint",
    "transport_name",
    "transport_type",
    "from",
    "reply",
    "helper_metadata",
];

/// A message that is expected.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedMessage {
    pub(crate) place: Place,
    pub(crate) text: TextRule,
    /// Where the text stands in the file, where it can be written anew.
    pub(crate) written: Option<Written>,
    /// Whether it closes the session, where that was said.
    pub(crate) closes: Option<bool>,
    pub(crate) to: Option<String>,
    pub(crate) group: Option<String>,
    /// Further fields of the message, by their names there.
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) endpoint: Option<String>,
    pub(crate) reply: Option<bool>,
    pub(crate) helper_metadata: Vec<(String, ValueRule)>,
}

/// A text as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The range of its characters.
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl ExpectedMessage {
    /// `null`, a message, or a list of messages.
    pub(crate) fn all(node: &Node, users: &Users, places: &Places) -> Result<Vec<Self>, Fault> {
        match &node.value {
            _ if node.is_nothing() => Ok(Vec::new()),
            Value::List(_) => list(node, |node| Self::one(node, users, places)),
            _ => Ok(vec![Self::one(node, users, places)?]),
        }
    }

    fn one(node: &Node, users: &Users, places: &Places) -> Result<Self, Fault> {
        let mut message = Self {
            place: places.of(node.mark),
            text: TextRule::Any,
            written: None,
            closes: None,
            to: None,
            group: None,
            fields: Vec::new(),
            endpoint: None,
            reply: None,
            helper_metadata: Vec::new(),
        };
        if !node.is_map() {
            message.text = TextRule::Exactly(text(node)?);
            message.written = written(node);
            return Ok(message);
        }
        let fields = Fields::of(node, KEYS)?;
        let like = TextRule::of_keys(&fields)?;
        let exact = fields.with("text", |node| match node.is_nothing() {
            true => Ok((TextRule::Absent, None)),
            false => Ok((TextRule::Exactly(text(node)?), written(node))),
        })?;
        match (exact, like) {
            (Some(_), Some(_)) => {
                return Err(Fault::says("`text` stands beside `contains` or `matches`")
                    .at(node.mark)
                    .help("keep one of them"));
            }
            (Some((text, written)), None) => (message.text, message.written) = (text, written),
            (None, Some(like)) => message.text = like,
            (None, None) => {}
        }
        message.closes = fields.with("session", |node| match text(node)?.as_str() {
            "close" => Ok(true),
            "open" => Ok(false),
            _ => Err(expected("one of close, open", node)),
        })?;
        message.to = fields.with("to", text)?.map(|name| users.address(&name));
        message.group = fields.with("group", text)?;
        message.endpoint = fields.with("endpoint", text)?;
        message.reply = fields.read("reply")?;
        for key in ["transport_name", "transport_type"] {
            message.fields.extend(fields.with(key, text)?.map(|text| (key, text)));
        }
        message.fields.extend(fields.with("from", text)?.map(|name| ("from_addr", users.address(&name))));
        let metadata = fields.with("helper_metadata", |node| map(node, |_, node| ValueRule::read(node)))?;
        message.helper_metadata = metadata.unwrap_or_default();
        Ok(message)
    }
}

/// Where a text of the file itself stands; a text of an included file is nobody's to change.
fn written(node: &Node) -> Option<Written> {
    let (from, to) = node.span.filter(|_| node.mark.file == 0)?;
    Some(Written { from, to })
}
