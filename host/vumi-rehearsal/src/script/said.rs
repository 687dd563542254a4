//! What a user sends.

use serde_json::Value;
use vumi_message::{Payload, SessionEvent};
use vumi_yaml::{Fault, Node};

use super::fields::{Fields, expected, text};
use super::rule::value;
use super::users::Users;

/// Who sends when nobody is named.
const SOMEBODY: &str = "+27820001001";

/// Where to, on a network with sessions and on one without.
const CODES: (&str, &str) = ("*120*7#", "7007");

/// The network when none is named.
const NETWORK: &str = "ussd";

/// Networks whose messages belong to sessions.
const WITH_SESSIONS: [&str; 2] = ["ussd", "telnet"];

/// The keys.
const KEYS: &[&str] = &[
    "text",
    "from",
    "to",
    "session",
    "group",
    "provider",
    "endpoint",
    "transport_name",
    "transport_type",
    "from_addr_type",
    "to_addr_type",
    "helper_metadata",
    "transport_metadata",
    "message_id",
];

/// Which session event a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionChoice {
    /// This one.
    Event(SessionEvent),
    /// None.
    None,
}

/// The fields of a message from a user; what is not given is chosen when it is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// The text; `Some(None)` for a message that is said to have none.
    pub(crate) text: Option<Option<String>>,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) session: Option<SessionChoice>,
    pub(crate) group: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) transport_name: Option<String>,
    pub(crate) transport_type: Option<String>,
    pub(crate) from_addr_type: Option<String>,
    pub(crate) to_addr_type: Option<String>,
    pub(crate) helper_metadata: Payload,
    pub(crate) transport_metadata: Payload,
    pub(crate) message_id: Option<String>,
}

impl Said {
    /// `null`, a text, or a map.
    pub(crate) fn read(node: &Node, users: &Users) -> Result<Self, Fault> {
        if node.is_nothing() {
            return Ok(Self { text: Some(None), ..Self::default() });
        }
        if !node.is_map() {
            let text = text(node).map_err(|fault| fault.help("write a text, `null` for a user who dials, or a map"))?;
            return Ok(Self { text: Some(Some(text)), ..Self::default() });
        }
        Self::fields(node, users)
    }

    /// A map.
    pub(crate) fn fields(node: &Node, users: &Users) -> Result<Self, Fault> {
        let fields = Fields::of(node, KEYS)?;
        let words = |key: &str| fields.with(key, text);
        Ok(Self {
            text: fields.with("text", |node| if node.is_nothing() { Ok(None) } else { text(node).map(Some) })?,
            from: words("from")?.map(|name| users.address(&name)),
            to: words("to")?.map(|name| users.address(&name)),
            session: fields.with("session", session)?,
            group: words("group")?,
            provider: words("provider")?,
            endpoint: words("endpoint")?,
            transport_name: words("transport_name")?,
            transport_type: words("transport_type")?,
            from_addr_type: words("from_addr_type")?,
            to_addr_type: words("to_addr_type")?,
            helper_metadata: fields.with("helper_metadata", object)?.unwrap_or_default(),
            transport_metadata: fields.with("transport_metadata", object)?.unwrap_or_default(),
            message_id: words("message_id")?,
        })
    }

    /// These fields, and for those that are not given the ones of `below`.
    pub(crate) fn over(self, below: &Self) -> Self {
        let or = |own: Option<String>, below: &Option<String>| own.or_else(|| below.clone());
        let joined = |below: &Payload, own: Payload| below.clone().into_iter().chain(own).collect();
        Self {
            text: self.text.or_else(|| below.text.clone()),
            from: or(self.from, &below.from),
            to: or(self.to, &below.to),
            session: self.session.or(below.session),
            group: or(self.group, &below.group),
            provider: or(self.provider, &below.provider),
            endpoint: or(self.endpoint, &below.endpoint),
            transport_name: or(self.transport_name, &below.transport_name),
            transport_type: or(self.transport_type, &below.transport_type),
            from_addr_type: or(self.from_addr_type, &below.from_addr_type),
            to_addr_type: or(self.to_addr_type, &below.to_addr_type),
            helper_metadata: joined(&below.helper_metadata, self.helper_metadata),
            transport_metadata: joined(&below.transport_metadata, self.transport_metadata),
            message_id: or(self.message_id, &below.message_id),
        }
    }

    /// Who sends it.
    pub(crate) fn sender(&self) -> &str {
        self.from.as_deref().unwrap_or(SOMEBODY)
    }

    /// The network.
    pub(crate) fn network(&self) -> &str {
        self.transport_type.as_deref().unwrap_or(NETWORK)
    }

    /// Whether sessions come by themselves.
    pub(crate) fn has_sessions(&self) -> bool {
        WITH_SESSIONS.contains(&self.network())
    }

    /// Whom it is for.
    pub(crate) fn recipient(&self) -> &str {
        self.to.as_deref().unwrap_or(if self.has_sessions() { CODES.0 } else { CODES.1 })
    }
}

fn session(node: &Node) -> Result<SessionChoice, Fault> {
    match text(node)?.as_str() {
        "new" => Ok(SessionChoice::Event(SessionEvent::New)),
        "resume" => Ok(SessionChoice::Event(SessionEvent::Resume)),
        "close" => Ok(SessionChoice::Event(SessionEvent::Close)),
        "none" => Ok(SessionChoice::None),
        _ => Err(expected("one of new, resume, close, none", node)),
    }
}

/// A JSON object.
pub(crate) fn object(node: &Node) -> Result<Payload, Fault> {
    match value(node)? {
        Value::Object(map) => Ok(map),
        _ => Err(expected("a map", node)),
    }
}
