//! The body of a request from RapidSMS (specification: rapidsms_relay, section 3).

use serde_json::Value;
use vumi_message::{Payload, json};

/// What RapidSMS wants to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) content: String,
    pub(super) to_addr: Vec<String>,
    pub(super) in_reply_to: Option<String>,
    pub(super) endpoint: Option<String>,
}

impl Order {
    /// Reads a body.
    ///
    /// # Errors
    /// One sentence for the answer.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let mut fields = json::parse_object(body).map_err(|error| error.to_string())?;
        let content = match fields.remove("content") {
            Some(Value::String(content)) => content,
            Some(_) => return Err("The field `content` must be text.".to_owned()),
            None => return Err("The field `content` is missing.".to_owned()),
        };
        let to_addr = match fields.remove("to_addr") {
            Some(Value::Array(list)) => addresses(list)?,
            Some(Value::String(text)) => return Err(no_list(&text)),
            Some(other) => return Err(no_list(&json::to_text(&other))),
            None => return Err("The field `to_addr` is missing.".to_owned()),
        };
        let in_reply_to = optional(&mut fields, "in_reply_to")?;
        let endpoint = optional(&mut fields, "endpoint")?;
        Ok(Self { content, to_addr, in_reply_to, endpoint })
    }
}

fn no_list(given: &str) -> String {
    const SHOWN: usize = 200;
    let given: String = given.chars().take(SHOWN).collect();
    format!("Supplied `to_addr` ('{given}') was not a list.")
}

fn addresses(list: Vec<Value>) -> Result<Vec<String>, String> {
    let text = |value| match value {
        Value::String(address) => Ok(address),
        _ => Err("The field `to_addr` must be a list of texts.".to_owned()),
    };
    list.into_iter().map(text).collect()
}

fn optional(fields: &mut Payload, name: &str) -> Result<Option<String>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("The field `{name}` must be text or null.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let order = Order::read(br#"{"content":"x","to_addr":["+1"],"in_reply_to":null,"more":1}"#).unwrap();
        let expected = Order { content: "x".into(), to_addr: vec!["+1".into()], in_reply_to: None, endpoint: None };
        assert_eq!(order, expected);
        for (body, error) in [
            (r#"{"content":"x"}"#, "The field `to_addr` is missing."),
            (r#"{"to_addr":[]}"#, "The field `content` is missing."),
            (r#"{"content":null,"to_addr":[]}"#, "The field `content` must be text."),
            (r#"{"content":"x","to_addr":"+1"}"#, "Supplied `to_addr` ('+1') was not a list."),
            (r#"{"content":"x","to_addr":null}"#, "Supplied `to_addr` ('null') was not a list."),
            (r#"{"content":"x","to_addr":[1]}"#, "The field `to_addr` must be a list of texts."),
            (r#"{"content":"x","to_addr":[],"endpoint":1}"#, "The field `endpoint` must be text or null."),
        ] {
            assert_eq!(Order::read(body.as_bytes()).unwrap_err(), error, "{body}");
        }
        for body in ["", "{", "[]", "\u{0}", "null"] {
            assert!(Order::read(body.as_bytes()).is_err(), "{body:?}");
        }
        assert!(Order::read(b"{\"content\":\"\xff\",\"to_addr\":[]}").is_err());
    }
}
