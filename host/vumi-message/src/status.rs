//! Statuses: how a part of a transport is doing.
//!
//! A transport reports, e.g., that its connection is down; monitoring listens. Which transport it is follows
//! from the queue, not from a field.

use serde_json::Value;

use crate::envelope::{Schema, filled, message_kind};
use crate::names::names;
use crate::{Kind, MessageError, Payload, fields};

names! {
    /// How well a component works (messages.md §6).
    StatusLevel, "status", {
        /// It works.
        Ok => "ok",
        /// It works, but not as it should.
        Degraded => "degraded",
        /// It does not work.
        Down => "down",
    }
}

message_kind! {
    /// A status (messages.md §6). It has no id.
    Status
}

impl Schema for Status {
    const KIND: Kind = Kind::Status;

    fn defaults(payload: &mut Payload, _given: &Payload) {
        payload.insert("reasons".to_owned(), Value::Array(Vec::new()));
        payload.insert("details".to_owned(), Value::Object(Payload::new()));
    }

    fn check(payload: &Payload) -> Result<(), MessageError> {
        fields::text(payload, "component")?;
        fields::text(payload, "type")?;
        fields::text_or_null(payload, "message")?;
        fields::text(payload, "status")?
            .parse::<StatusLevel>()
            .map(drop)
            .or_else(|error| fields::invalid("status", error.to_string()))?;
        match payload.get("reasons") {
            None | Some(Value::Null | Value::Array(_)) => {}
            Some(other) => {
                return fields::invalid("reasons", format!("it must be a list, not {}", fields::describe(other)));
            }
        }
        fields::optional_object(payload, "details")
    }
}

impl Status {
    /// A status of `component` (e.g. `request`): how well it works, in a word that programs can compare
    /// (`type_`, e.g. `request_parsed`) and in a sentence for people.
    pub fn new(component: &str, level: StatusLevel, type_: &str, message: &str) -> Self {
        let mut given = Payload::new();
        given.insert("component".to_owned(), component.into());
        given.insert("status".to_owned(), level.as_str().into());
        given.insert("type".to_owned(), type_.into());
        given.insert("message".to_owned(), message.into());
        Status { payload: filled::<Status>(given) }
    }

    /// Adds why the component is not well.
    #[must_use]
    pub fn with_reasons(mut self, reasons: Vec<Value>) -> Self {
        self.payload.insert("reasons".to_owned(), Value::Array(reasons));
        self
    }

    /// Adds figures, e.g. a response time in seconds.
    #[must_use]
    pub fn with_details(mut self, details: Payload) -> Self {
        self.payload.insert("details".to_owned(), Value::Object(details));
        self
    }

    /// Which part of the transport it is about.
    pub fn component(&self) -> &str {
        self.text("component")
    }

    /// How well it works.
    pub fn level(&self) -> StatusLevel {
        // Checked when the status was made.
        self.text("status").parse().unwrap_or(StatusLevel::Down)
    }

    /// What happened, in a word for programs (the field `type`).
    pub fn type_(&self) -> &str {
        self.text("type")
    }

    /// What happened, in a sentence for people; empty when null.
    pub fn message(&self) -> &str {
        self.text("message")
    }

    /// Why the component is not well; empty when absent or null.
    pub fn reasons(&self) -> &[Value] {
        self.payload.get("reasons").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Figures; empty when absent or null.
    pub fn details(&self) -> &Payload {
        fields::get_object(&self.payload, "details")
    }

    fn text(&self, field: &str) -> &str {
        fields::get_text(&self.payload, field).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_status_is_what_readers_accept() {
        let details = Payload::from_iter([("response_time".to_owned(), json!(0.5))]);
        let status = Status::new("response", StatusLevel::Degraded, "slow", "Slow response")
            .with_reasons(vec![json!("load")])
            .with_details(details.clone());
        let read = Status::from_json(status.to_json().as_bytes()).unwrap();
        assert_eq!(read, status);
        assert_eq!(read.component(), "response");
        assert_eq!(read.level(), StatusLevel::Degraded);
        assert_eq!(read.type_(), "slow");
        assert_eq!(read.message(), "Slow response");
        assert_eq!(read.reasons(), [json!("load")]);
        assert_eq!(read.details(), &details);
        let plain = Status::new("c", StatusLevel::Ok, "t", "m");
        assert_eq!((plain.get("reasons"), plain.get("details")), (Some(&json!([])), Some(&json!({}))));
    }

    #[test]
    fn reasons_and_details_may_be_absent_but_not_wrong() {
        let mut payload = Status::new("c", StatusLevel::Ok, "t", "m").into_payload();
        payload.remove("reasons");
        payload.remove("details");
        let status = Status::from_payload(payload.clone()).unwrap();
        assert!(status.reasons().is_empty() && status.details().is_empty());
        payload.insert("reasons".to_owned(), json!("load"));
        assert!(matches!(Status::from_payload(payload), Err(MessageError::InvalidField { field: "reasons", .. })));
    }

    #[test]
    fn every_required_field_is_missed() {
        for field in ["component", "status", "type", "message"] {
            let mut payload = Status::new("c", StatusLevel::Ok, "t", "m").into_payload();
            payload.remove(field);
            assert_eq!(Status::from_payload(payload), Err(MessageError::MissingField { field }));
        }
    }
}
