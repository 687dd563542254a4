//! What messages look like on the wire: properties and headers.
//!
//! Vumi's messages have delivery mode 2 and no other property (specification: routing names, section 2). Ours add one
//! header, and only while traces are exported.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

/// Persistent.
const DELIVERY_MODE: u8 = 2;

/// The W3C trace context.
const TRACEPARENT: &str = "traceparent";

/// How often a quorum queue has delivered a message before.
const DELIVERY_COUNT: &str = "x-delivery-count";

/// Properties of a message that is published in this trace.
pub(crate) fn properties(trace: Option<&str>) -> BasicProperties {
    let properties = BasicProperties::default().with_delivery_mode(DELIVERY_MODE);
    match trace {
        None => properties,
        Some(trace) => {
            let mut headers = FieldTable::default();
            headers.insert(TRACEPARENT.into(), AMQPValue::LongString(trace.into()));
            properties.with_headers(headers)
        }
    }
}

/// The trace that a message was published in.
pub(crate) fn trace(properties: &BasicProperties) -> Option<String> {
    text(properties, TRACEPARENT)
}

/// How often a message was delivered before. Quorum queues count; of others is only known whether it was.
pub(crate) fn delivered_before(properties: &BasicProperties, redelivered: bool) -> u32 {
    let counted = number(properties, DELIVERY_COUNT).and_then(|count| u32::try_from(count).ok());
    counted.unwrap_or(0).max(u32::from(redelivered))
}

/// A header that is a text.
pub(crate) fn text(properties: &BasicProperties, name: &str) -> Option<String> {
    match header(properties, name)? {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

/// A header that is a whole number, of whatever size.
pub(crate) fn number(properties: &BasicProperties, name: &str) -> Option<i64> {
    match *header(properties, name)? {
        AMQPValue::ShortShortInt(number) => Some(number.into()),
        AMQPValue::ShortShortUInt(number) => Some(number.into()),
        AMQPValue::ShortInt(number) => Some(number.into()),
        AMQPValue::ShortUInt(number) => Some(number.into()),
        AMQPValue::LongInt(number) => Some(number.into()),
        AMQPValue::LongUInt(number) => Some(number.into()),
        AMQPValue::LongLongInt(number) => Some(number),
        _ => None,
    }
}

fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_vumis_properties_and_no_other() {
        assert_eq!(properties(None), BasicProperties::default().with_delivery_mode(2));
        let traced = properties(Some("00-1-2-01"));
        assert_eq!(trace(&traced).as_deref(), Some("00-1-2-01"));
        assert_eq!(traced.content_type(), &None);
        assert_eq!(trace(&properties(None)), None);
    }

    #[test]
    fn deliveries_are_counted_as_far_as_they_are_known() {
        let mut headers = FieldTable::default();
        headers.insert(DELIVERY_COUNT.into(), AMQPValue::LongLongInt(3));
        let quorum = BasicProperties::default().with_headers(headers);
        assert_eq!(delivered_before(&quorum, true), 3);
        let classic = BasicProperties::default();
        assert_eq!((delivered_before(&classic, true), delivered_before(&classic, false)), (1, 0));
    }
}
