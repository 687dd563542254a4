//! The documents that WeChat posts: a text of a user, or something that a user did.

use serde_json::Value;
use vumi_message::{NewUserMessage, Payload, Timestamp};

use crate::http::Refusal;
use crate::http::xml::Element;

/// What WeChat posts.
pub(super) enum Incoming {
    Text(Text),
    Event(Event),
}

/// What every document has.
pub(super) struct Head {
    /// The account (`ToUserName`).
    pub(super) to: String,
    /// The user's open id (`FromUserName`).
    pub(super) from: String,
    created: Timestamp,
}

/// A text.
pub(super) struct Text {
    pub(super) head: Head,
    pub(super) content: String,
    /// The message's id, the same in each copy of it.
    pub(super) msg_id: Option<String>,
}

/// Something that a user did, e.g. a click in the menu.
pub(super) struct Event {
    pub(super) head: Head,
    /// `Event`
    pub(super) kind: String,
    /// `EventKey`, e.g. that of a menu item.
    pub(super) key: Option<String>,
}

impl Incoming {
    /// Reads a document.
    ///
    /// # Errors
    /// 400 for what is none, or of a type that is not supported.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let document = Element::read(body).map_err(|error| Refusal::bad(format!("The body is not XML: {error}")))?;
        let mut kinds = document.children("MsgType");
        let kind = match (kinds.next(), kinds.next()) {
            (None, _) => return Err(Refusal::bad("No MsgType found.")),
            (Some(_), Some(_)) => return Err(Refusal::bad("More than 1 MsgType found.")),
            (Some(kind), None) => kind.trimmed(),
        };
        let field = |name: &str| document.child_trimmed(name).ok_or_else(|| Refusal::bad(format!("No {name} found.")));
        let head = || -> Result<Head, Refusal> {
            let created = field("CreateTime")?;
            let seconds = created.parse().map_err(|_| Refusal::bad("CreateTime is not a number of seconds."))?;
            Ok(Head { to: field("ToUserName")?, from: field("FromUserName")?, created: Timestamp::from_secs(seconds) })
        };
        match kind.as_str() {
            "text" => {
                let msg_id = document.child_trimmed("MsgId").filter(|id| !id.is_empty());
                Ok(Self::Text(Text { head: head()?, content: field("Content")?, msg_id }))
            }
            "event" => {
                let key = document.child_trimmed("EventKey");
                Ok(Self::Event(Event { head: head()?, kind: field("Event")?, key }))
            }
            // `news` too, which only an account can send.
            _ => Err(Refusal::bad(format!("Unsupported MsgType: {kind}"))),
        }
    }
}

impl Head {
    /// The message that a document becomes.
    pub(super) fn message(&self, content: Option<String>, mask: Option<&str>, metadata: Value) -> NewUserMessage {
        NewUserMessage {
            from_addr: Some(self.from.clone()),
            to_addr: Some(format!("{}@{}", self.to, mask.unwrap_or("default"))),
            content,
            timestamp: Some(self.created),
            transport_type: Some("wechat".to_owned()),
            transport_metadata: Payload::from_iter([("wechat".to_owned(), metadata)]),
            ..NewUserMessage::default()
        }
    }
}
