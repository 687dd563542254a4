//! What the four kinds of message share: the common fields, their checks, and the methods to reach them.
//!
//! A message is made in one of two ways. *Parsed*: the payload came from outside and must be complete, apart
//! from the few fields that older workers lack. *New*: the program gives some fields and the rest is filled with
//! defaults. Both end in the same check, so that a value of a message type always holds a valid payload.

use serde_json::Value;

use crate::fields::{self, DEFAULT_ENDPOINT, MESSAGE_DEPTH, MESSAGE_VERSION, invalid};
use crate::{Kind, MessageError, Payload, Timestamp, json, migrate};

/// What one kind of message says about itself.
pub(crate) trait Schema {
    const KIND: Kind;

    /// Inserts the kind's own defaults into a payload over which `given` will be laid; a default that costs
    /// something, such as an id, only when `given` lacks the field.
    fn defaults(payload: &mut Payload, given: &Payload);

    /// Checks the kind's own fields.
    fn check(payload: &Payload) -> Result<(), MessageError>;
}

/// Makes a payload from outside a valid one.
pub(crate) fn parsed<S: Schema>(mut payload: Payload) -> Result<Payload, MessageError> {
    check_version(&payload)?;
    migrate::fill_absent(S::KIND, &mut payload);
    validate::<S>(&mut payload)?;
    Ok(payload)
}

/// Makes a valid payload from some fields.
pub(crate) fn fresh<S: Schema>(given: Payload) -> Result<Payload, MessageError> {
    let mut payload = filled::<S>(given);
    validate::<S>(&mut payload)?;
    Ok(payload)
}

/// The defaults with the given fields over them, unchecked.
pub(crate) fn filled<S: Schema>(given: Payload) -> Payload {
    // Room for all fields of the largest kind: every message of every run is built here.
    let mut payload = Payload::with_capacity(32);
    payload.insert("message_type".to_owned(), S::KIND.as_str().into());
    payload.insert("message_version".to_owned(), MESSAGE_VERSION.into());
    // A given one is laid over this place.
    let timestamp = if given.contains_key("timestamp") { Value::Null } else { Timestamp::now().to_string().into() };
    payload.insert("timestamp".to_owned(), timestamp);
    payload.insert("helper_metadata".to_owned(), Value::Object(Payload::new()));
    payload.insert("routing_metadata".to_owned(), Value::Object(Payload::new()));
    S::defaults(&mut payload, &given);
    payload.extend(given);
    payload
}

/// Puts one field in, keeping the message as it was when the result would not be valid.
pub(crate) fn set<S: Schema>(payload: &mut Payload, field: &str, value: Value) -> Result<(), MessageError> {
    let before = payload.insert(field.to_owned(), value);
    let result = validate::<S>(payload);
    if result.is_err() {
        match before {
            Some(value) => payload.insert(field.to_owned(), value),
            None => payload.shift_remove(field),
        };
    }
    result
}

/// Takes one field out, keeping the message as it was when the result would not be valid.
pub(crate) fn remove<S: Schema>(payload: &mut Payload, field: &str) -> Result<Option<Value>, MessageError> {
    let Some(index) = payload.keys().position(|key| key == field) else {
        return Ok(None);
    };
    let removed = payload.shift_remove(field);
    if let Err(error) = validate::<S>(payload) {
        if let Some(value) = removed {
            payload.shift_insert(index, field.to_owned(), value);
        }
        return Err(error);
    }
    Ok(removed)
}

/// The `message_type` of a payload, if it is a known one.
pub(crate) fn kind_of(payload: &Payload) -> Result<Kind, MessageError> {
    fields::text(payload, "message_type")?
        .parse()
        .or_else(|error: crate::UnknownName| invalid("message_type", error.to_string()))
}

fn check_version(payload: &Payload) -> Result<(), MessageError> {
    match fields::require(payload, "message_version")? {
        Value::String(version) if version == MESSAGE_VERSION => Ok(()),
        other => invalid(
            "message_version",
            format!("it must be \"{MESSAGE_VERSION}\", the only version there is, not {}", fields::describe(other)),
        ),
    }
}

fn validate<S: Schema>(payload: &mut Payload) -> Result<(), MessageError> {
    check_version(payload)?;
    let found = kind_of(payload)?;
    if found != S::KIND {
        return Err(MessageError::WrongKind { expected: S::KIND, found });
    }
    normalise_timestamp(payload)?;
    fields::optional_object(payload, "helper_metadata")?;
    fields::optional_object(payload, "routing_metadata")?;
    match fields::get_object(payload, "routing_metadata").get("endpoint_name") {
        None | Some(Value::Null | Value::String(_)) => {}
        Some(other) => {
            let reason = format!("its endpoint_name must be text or null, not {}", fields::describe(other));
            return invalid("routing_metadata", reason);
        }
    }
    S::check(payload)?;
    check_depth(S::KIND, payload)
}

/// Reads the timestamp; one in Vumi's format is rewritten with all six digits, an ISO 8601 one stays as it is,
/// because that is what Vumi does with it.
fn normalise_timestamp(payload: &mut Payload) -> Result<(), MessageError> {
    let text = fields::text(payload, "timestamp")?;
    match Timestamp::parse_vumi(text) {
        // Date, time and six digits: that is the normal form already.
        Some(_) if text.len() == 26 => Ok(()),
        Some(timestamp) => {
            let normal = timestamp.to_string();
            if normal != text {
                payload.insert("timestamp".to_owned(), normal.into());
            }
            Ok(())
        }
        None => match text.parse::<Timestamp>() {
            Ok(_) => Ok(()),
            Err(_) => invalid(
                "timestamp",
                format!(
                    "it must look like 2016-03-01 08:30:00.000000 (UTC), not {}",
                    fields::describe(&Value::from(text))
                ),
            ),
        },
    }
}

fn check_depth(kind: Kind, payload: &Payload) -> Result<(), MessageError> {
    let limit = if kind == Kind::Failure { json::MAX_DEPTH } else { MESSAGE_DEPTH };
    if json::object_depth(payload) > limit {
        return Err(MessageError::TooDeep { limit });
    }
    Ok(())
}

pub(crate) fn timestamp(payload: &Payload) -> Timestamp {
    // Every message was checked when it was made, so the text is a date.
    fields::get_text(payload, "timestamp").and_then(|text| text.parse().ok()).unwrap_or(Timestamp::from_micros(0))
}

pub(crate) fn endpoint(payload: &Payload) -> &str {
    endpoint_in(payload.get("routing_metadata"))
}

/// The endpoint that a message's `routing_metadata` names.
pub(crate) fn endpoint_in(routing: Option<&Value>) -> &str {
    let name = routing.and_then(Value::as_object).and_then(|routing| routing.get("endpoint_name"));
    name.and_then(Value::as_str).unwrap_or(DEFAULT_ENDPOINT)
}

pub(crate) fn set_endpoint(payload: &mut Payload, endpoint: Option<&str>) {
    put_in(payload, "routing_metadata", "endpoint_name", endpoint.unwrap_or(DEFAULT_ENDPOINT).into());
}

/// Puts one entry into the object in a field; into a new object when there is none.
pub(crate) fn put_in(payload: &mut Payload, field: &str, key: &str, value: Value) {
    if let Some(Value::Object(object)) = payload.get_mut(field) {
        object.insert(key.to_owned(), value);
    } else {
        let object = Payload::from_iter([(key.to_owned(), value)]);
        payload.insert(field.to_owned(), Value::Object(object));
    }
}

/// Declares a message type: a struct that owns a valid payload, with everything that all kinds have.
macro_rules! message_kind {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            payload: $crate::Payload,
        }

        impl $name {
            /// Reads a message of this kind from JSON text (messages.md §2, "parsed" mode): nothing is filled in
            /// but what older workers lack. Unknown fields are kept.
            ///
            /// # Errors
            /// Any [`MessageError`](crate::MessageError) but `NotOverridable`.
            pub fn from_json(text: &[u8]) -> Result<Self, $crate::MessageError> {
                Self::from_payload($crate::json::parse_object(text)?)
            }

            /// Like [`Self::from_json`] for an object that is already parsed.
            ///
            /// # Errors
            /// `MissingField`, `InvalidField`, `WrongKind` or `TooDeep`.
            pub fn from_payload(payload: $crate::Payload) -> Result<Self, $crate::MessageError> {
                Ok(Self { payload: $crate::envelope::parsed::<Self>(payload)? })
            }

            /// Builds a message from some of its fields (messages.md §2, "new" mode): absent ones get their
            /// defaults, among them a new id and the present time. Messages read back from a store are built
            /// like this too.
            ///
            /// # Errors
            /// `MissingField` for a field without default, `InvalidField`, `WrongKind` or `TooDeep`.
            pub fn from_fields(fields: $crate::Payload) -> Result<Self, $crate::MessageError> {
                Ok(Self { payload: $crate::envelope::fresh::<Self>(fields)? })
            }

            /// The message as JSON text, as Vumi writes it.
            pub fn to_json(&self) -> String {
                $crate::json::object_to_text(&self.payload)
            }

            /// All fields.
            pub fn payload(&self) -> &$crate::Payload {
                &self.payload
            }

            /// All fields, giving up the message.
            pub fn into_payload(self) -> $crate::Payload {
                self.payload
            }

            /// One field, known or not; `None` when it is absent.
            pub fn get(&self, field: &str) -> Option<&serde_json::Value> {
                self.payload.get(field)
            }

            /// Sets one field, known or not.
            ///
            /// # Errors
            /// `MissingField`, `InvalidField`, `WrongKind` or `TooDeep` when the message would not be valid with it; it is then unchanged.
            pub fn set(&mut self, field: &str, value: impl Into<serde_json::Value>) -> Result<(), $crate::MessageError> {
                $crate::envelope::set::<Self>(&mut self.payload, field, value.into())
            }

            /// Removes one field and returns what it held.
            ///
            /// # Errors
            /// `MissingField` when the message must have it; the message is then unchanged.
            pub fn remove(&mut self, field: &str) -> Result<Option<serde_json::Value>, $crate::MessageError> {
                $crate::envelope::remove::<Self>(&mut self.payload, field)
            }

            /// When the message was made.
            pub fn timestamp(&self) -> $crate::Timestamp {
                $crate::envelope::timestamp(&self.payload)
            }

            /// The endpoint by which the message is routed: `routing_metadata.endpoint_name`, or `default` when
            /// that is absent or null (messages.md §4).
            pub fn endpoint(&self) -> &str {
                $crate::envelope::endpoint(&self.payload)
            }

            /// Sets the endpoint; `None` stores `default`.
            pub fn set_endpoint(&mut self, endpoint: Option<&str>) {
                $crate::envelope::set_endpoint(&mut self.payload, endpoint);
            }

            /// What dispatchers note about the way of the message; empty when absent or null.
            pub fn routing_metadata(&self) -> &$crate::Payload {
                $crate::fields::get_object(&self.payload, "routing_metadata")
            }

            /// What middleware and applications note about the message; empty when absent or null.
            pub fn helper_metadata(&self) -> &$crate::Payload {
                $crate::fields::get_object(&self.payload, "helper_metadata")
            }

            /// Puts one entry into `helper_metadata`.
            pub fn put_helper_metadata(&mut self, key: &str, value: impl Into<serde_json::Value>) {
                $crate::envelope::put_in(&mut self.payload, "helper_metadata", key, value.into());
            }
        }
    };
}
pub(crate) use message_kind;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{NewUserMessage, UserMessage};

    fn message() -> UserMessage {
        UserMessage::new(NewUserMessage::default())
    }

    #[test]
    fn setting_a_field_checks_it_and_undoes_it_when_wrong() {
        let mut message = message();
        let before = message.to_json();
        for (field, value) in [
            ("content", json!(5)),
            ("message_type", json!("event")),
            ("message_version", json!("1")),
            ("timestamp", json!("x")),
            ("message_id", json!("")),
            ("helper_metadata", json!([])),
        ] {
            assert!(message.set(field, value).is_err(), "{field}");
            assert_eq!(message.to_json(), before, "{field}");
        }
        message.set("content", "hi").unwrap();
        assert_eq!(message.content(), Some("hi"));
        message.set("timestamp", "2016-03-01 08:30:00").unwrap();
        assert_eq!(message.get("timestamp"), Some(&json!("2016-03-01 08:30:00.000000")));
    }

    #[test]
    fn a_field_that_was_not_there_is_gone_again_after_a_refusal() {
        let mut message = message();
        message.remove("to_addr_type").unwrap();
        let before = message.to_json();
        assert!(message.set("to_addr_type", 5).is_err());
        assert_eq!(message.to_json(), before);
    }

    #[test]
    fn removing_a_field_checks_that_it_may_go() {
        let mut message = message();
        message.set("x_custom", "y").unwrap();
        let before = message.to_json();
        assert_eq!(message.remove("content"), Err(MessageError::MissingField { field: "content" }));
        assert_eq!(message.to_json(), before);
        assert_eq!(message.remove("x_custom"), Ok(Some(json!("y"))));
        assert_eq!(message.remove("x_custom"), Ok(None));
        assert_eq!(message.get("x_custom"), None);
    }

    #[test]
    fn metadata_that_is_null_becomes_an_object_when_written_to() {
        let mut message = message();
        for field in ["helper_metadata", "routing_metadata"] {
            message.set(field, Value::Null).unwrap();
        }
        message.put_helper_metadata("a", 1);
        message.put_helper_metadata("b", "x");
        message.set_endpoint(None);
        assert_eq!(message.get("helper_metadata"), Some(&json!({"a": 1, "b": "x"})));
        assert_eq!(message.get("routing_metadata"), Some(&json!({"endpoint_name": "default"})));
    }

    #[test]
    fn an_iso_timestamp_is_understood_and_left_as_it_is() {
        let mut message = message();
        message.set("timestamp", "2026-11-20T17:43:53Z").unwrap();
        let read = UserMessage::from_json(message.to_json().as_bytes()).unwrap();
        assert_eq!(read.timestamp().to_string(), "2026-11-20 17:43:53.000000");
        assert_eq!(read.get("timestamp"), Some(&json!("2026-11-20T17:43:53Z")));
    }
}
