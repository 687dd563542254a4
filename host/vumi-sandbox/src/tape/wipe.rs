//! Replaces whole values on a tape: masked fields, bodies, headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::bodies::body_bytes;
use super::mask::{MASKED, Masks};
use super::values::one;

/// Puts a value in the place of another, if there is one.
pub(super) fn put(place: Option<&mut Value>, value: Value) {
    if let Some(place) = place {
        *place = value;
    }
}

/// Replaces every text and number within.
pub(super) fn wipe(value: Option<&mut Value>) {
    match value {
        Some(value @ (Value::String(_) | Value::Number(_))) => *value = MASKED.into(),
        Some(Value::Array(items)) => items.iter_mut().for_each(|item| wipe(Some(item))),
        Some(Value::Object(map)) => map.values_mut().for_each(|item| wipe(Some(item))),
        Some(Value::Null | Value::Bool(_)) | None => {}
    }
}

/// Replaces what one side of an exchange said.
pub(super) fn wipe_exchange(side: &mut Value) {
    wipe(side.get_mut("body"));
    for header in side.get_mut("headers").and_then(Value::as_array_mut).into_iter().flatten() {
        put(header.get_mut(1), MASKED.into());
    }
    if let Some(Value::String(url)) = side.get_mut("url")
        && let Some(query) = url.find(['?', '#'])
    {
        url.truncate(query + 1);
        url.push_str(MASKED);
    }
}

/// Replaces within bytes that are no text.
pub(super) fn in_bodies(value: &mut Value, masks: &Masks) {
    match value {
        Value::Object(map) if map.len() == 1 && map.contains_key("base64") => {
            if let Some(bytes) = body_bytes(value) {
                *value = one("base64", STANDARD.encode(masks.bytes(bytes)).into());
            }
        }
        Value::Object(map) => map.values_mut().for_each(|item| in_bodies(item, masks)),
        _ => {}
    }
}
