//! User messages, events, statuses and failures, and their JSON.
//!
//! Everything that travels between transports, dispatchers and applications is one JSON object, the *payload*,
//! of one of four kinds. This crate says which payloads are valid, gives their fields typed names, builds new
//! ones, and writes them exactly as Vumi does, so that a Vumi worker on the same broker cannot tell the two
//! apart. A field that this crate does not know passes through unchanged.
//!
//! There is no I/O here and nothing asynchronous; the crate also builds for WebAssembly guests.
//!
//! ```
//! use vumi_message::{Payload, UserMessage};
//!
//! let body = br#"{"message_type": "user_message", "message_version": "20110921", "message_id": "m1",
//!     "timestamp": "2016-03-01 08:30:00", "to_addr": "*120#", "from_addr": "+2771", "content": "hi",
//!     "transport_name": "t1", "transport_type": "ussd", "transport_metadata": {}, "in_reply_to": null,
//!     "session_event": "new"}"#;
//! let inbound = UserMessage::from_json(body)?;
//! let reply = inbound.reply(Some("Your name?"), true, Payload::new())?;
//! assert_eq!(reply.to_addr(), Some("+2771"));
//! assert_eq!(reply.in_reply_to(), Some("m1"));
//! # Ok::<(), vumi_message::MessageError>(())
//! ```

pub mod address;
mod calendar;
mod edge;
mod envelope;
mod error;
mod event;
mod failure;
mod fields;
mod id;
pub mod json;
mod message;
mod migrate;
mod names;
pub mod retry;
mod status;
mod time;
mod user;

pub use edge::EdgeDetector;
pub use error::MessageError;
pub use event::{DeliveryStatus, Event, EventType};
pub use failure::{Failure, FailureCode};
pub use fields::{CACHE_FIELD, DEFAULT_ENDPOINT, MESSAGE_DEPTH, MESSAGE_VERSION};
pub use id::{derived_id, new_id};
pub use message::{Kind, Message};
pub use names::UnknownName;
pub use status::{Status, StatusLevel};
pub use time::{ParseTimestampError, Timestamp};
pub use user::{NewUserMessage, SessionEvent, Stamp, UserFields, UserMessage};

/// The JSON object that is a message on the wire: field name → value, in the order in which the fields stood.
/// Numbers keep all their digits.
pub type Payload = serde_json::Map<String, serde_json::Value>;
