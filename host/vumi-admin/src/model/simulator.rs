//! Simulated phones: what they send, and what their screens show.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The transport that the simulated phones are connected to, and what they offer to dial first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SimulatorInfo {
    /// The `transport_name` of the phones' messages.
    pub transport_name: String,
    /// The USSD code that a new phone shows, e.g. `*120*8007#`.
    pub ussd_code: String,
    /// The number that a new phone writes SMS to, e.g. `8007`.
    pub sms_number: String,
}

/// What kind of message a phone sends or got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhoneKind {
    /// A step of a USSD session.
    Ussd,
    /// A short message.
    Sms,
}

/// A step of a USSD session as the phone makes it. The words are those of `session_event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionAction {
    /// Dial a code.
    New,
    /// Answer the app's question.
    Resume,
    /// Cancel.
    Close,
}

/// What a phone sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PhoneSend {
    /// USSD or SMS.
    pub kind: PhoneKind,
    /// For USSD, and only there: the step of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<SessionAction>,
    /// The text. For a new session the app usually gets none; for `close` it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The code that was dialled or the number that the SMS goes to.
    pub to_addr: String,
}

/// The host has the message: the broker confirmed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// The id under which the message travels.
    pub message_id: String,
}

/// Which side of the conversation wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// The person with the phone.
    Phone,
    /// The app.
    App,
}

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Sent by the app; nothing is known yet.
    Pending,
    /// Accepted: by the host (from the phone) or by the transport (an `ack` event).
    Accepted,
    /// A delivery report says `delivered`.
    Delivered,
    /// A `nack` event or a delivery report says that it failed.
    Failed,
}

/// One message on a phone's screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneMessage {
    /// Grows with each message; the order of the thread.
    pub seq: u64,
    /// When it passed, microseconds since the epoch.
    pub at: u64,
    /// USSD or SMS.
    pub kind: PhoneKind,
    /// Who wrote it.
    pub sender: Sender,
    /// The other side: the code dialled or the number written to.
    pub service: String,
    /// The message's id; a later update of the same message carries the same.
    pub message_id: String,
    /// The id of the message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// `new`, `resume`, `close` or nothing, as in the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_event: Option<String>,
    /// How far it got.
    pub delivery: Delivery,
    /// Why it failed, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_reason: Option<String>,
}

/// A USSD session that is open on a phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneSession {
    /// The code that was dialled.
    pub service: String,
    /// When it was opened, microseconds since the epoch.
    pub since: u64,
    /// Whether it is the app's turn.
    pub waiting_for_app: bool,
}

/// A phone in the list of phones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneInfo {
    /// The phone's number.
    pub addr: String,
    /// How many messages its thread holds.
    pub messages: u64,
    /// When the newest passed, microseconds since the epoch.
    pub last_at: u64,
    /// Its open USSD session, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<PhoneSession>,
}

/// A phone with its messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneThread {
    /// The phone's number.
    pub addr: String,
    /// Its open USSD session, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<PhoneSession>,
    /// Its messages, oldest first.
    pub messages: Vec<PhoneMessage>,
}

/// A message arrived on, left from or changed on a phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneUpdate {
    /// The phone's number.
    pub addr: String,
    /// The phone's session after this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<PhoneSession>,
    /// The message as it now is. One with a known `message_id` replaces what was shown.
    pub message: PhoneMessage,
}
