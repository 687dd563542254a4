//! What Africa's Talking's SMS and USSD have in common: small things.

use serde_json::Value;
use vumi_message::Payload;

use crate::http::{Refusal, Request, json};

/// The name of the network, and of its notes in `transport_metadata`.
pub(super) const NAME: &str = "africastalking";

/// Parameters of a request that are there, as notes under other names.
pub(super) fn notes(request: &Request, names: &[(&str, &str)]) -> Result<Payload, Refusal> {
    let mut notes = Vec::with_capacity(names.len());
    for (parameter, note) in names {
        let value = request.text(parameter)?.filter(|value| !value.is_empty());
        notes.push((*note, value.map(Value::from)));
    }
    Ok(Payload::from_iter([(NAME.to_owned(), json::notes(notes))]))
}
