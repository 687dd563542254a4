//! What the network hands over: SMSes and delivery reports.

use serde_json::Value;
use vumi_message::address::normalize_msisdn;
use vumi_message::{DeliveryStatus, Event, NewUserMessage, Payload, Timestamp};

use super::own_id;
use crate::http::{Answer, HttpLink, Refusal, Reply, Request};

/// An SMS becomes a message, once: the network sends it again until it is accepted.
pub(super) async fn message(request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
    let original = id(request)?;
    let message_id = format!("{}.{original}", link.name());
    let timestamp = time(&parameter(request, "time")?)?;
    let (provider, keyword) = (parameter(request, "provider")?, parameter(request, "keyword")?);
    let (destination, sender) = (parameter(request, "destination")?, parameter(request, "sender")?);
    let metadata = [
        ("original_message_id", message_id.clone()),
        ("timestamp", timestamp),
        ("network_id", provider),
        ("keyword", keyword),
    ];
    let message = NewUserMessage {
        message_id: Some(message_id),
        to_addr: Some(normalize_msisdn(&destination, "")),
        from_addr: Some(normalize_msisdn(&sender, "")),
        content: Some(parameter(request, "text")?),
        transport_type: Some("sms".to_owned()),
        transport_metadata: payload(metadata),
        ..NewUserMessage::default()
    };
    link.publish_once(&original, request, message).await?;
    Ok(Answer::Now(Reply::ok("")))
}

/// A delivery report becomes an event about the id that the message went out under.
pub(super) async fn receipt(request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
    let original = id(request)?;
    let raw = parameter(request, "status")?;
    let status = status(&raw)?;
    let text = parameter(request, "text")?;
    let timestamp = time(&parameter(request, "time")?)?;
    let (provider, sender) = (parameter(request, "provider")?, parameter(request, "sender")?);
    let metadata =
        [("delivery_status", raw), ("delivery_message", text), ("timestamp", timestamp), ("network_id", provider)];
    let is_own = link.keys().kv.get(&own_id(&original)).await?.is_some();
    let user_message_id = if is_own { original } else { format!("{}.{original}", link.name()) };
    let event = Event::delivery_report(user_message_id.as_str(), status);
    let mut event = event.with_transport(link.name(), payload(metadata));
    let extra = event.set("to_addr", normalize_msisdn(&sender, ""));
    extra.map_err(|error| Refusal::bad(format!("The report is not valid: {error}")))?;
    link.event(event).await?;
    Ok(Answer::Now(Reply::ok("")))
}

fn payload<const N: usize>(fields: [(&str, String); N]) -> Payload {
    fields.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}

/// A parameter that must be there; it may be empty.
fn parameter(request: &Request, name: &str) -> Result<String, Refusal> {
    request.text(name)?.ok_or_else(|| {
        let text = format!("Need more request keys to complete this request. \n\nMissing request key: '{name}'");
        Refusal::new(Reply::status(400).body(text), format!("the parameter {name} is missing"))
    })
}

/// The network's id of a message. Without one, messages could not be told apart.
fn id(request: &Request) -> Result<String, Refusal> {
    let id = parameter(request, "messageid")?;
    if id.is_empty() { Err(Refusal::bad("ValueError: the messageid is empty")) } else { Ok(id) }
}

/// `YYYY.MM.DD HH:MM:SS` as ISO 8601; nothing stays nothing.
fn time(text: &str) -> Result<String, Refusal> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let wrong = || Refusal::bad(format!("ValueError: time data '{text}' does not match format '%Y.%m.%d %H:%M:%S'"));
    let (date, time) = text.split_once(' ').filter(|_| text.len() == 19).ok_or_else(wrong)?;
    let date: Vec<&str> = date.split('.').collect();
    let moment: Timestamp = format!("{} {time}", date.join("-")).parse().map_err(|_| wrong())?;
    if date.len() == 3 { Ok(moment.iso_seconds()) } else { Err(wrong()) }
}

/// What the network's number means.
fn status(text: &str) -> Result<DeliveryStatus, Refusal> {
    match text.trim().parse::<i64>() {
        Ok(..0) => Ok(DeliveryStatus::Failed),
        Ok(2 | 14) => Ok(DeliveryStatus::Delivered),
        Ok(_) => Ok(DeliveryStatus::Pending),
        Err(_) => Err(Refusal::bad(format!("ValueError: invalid literal for int() with base 10: '{text}'"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_network() {
        assert_eq!(time("2024.02.29 04:05:06").unwrap(), "2024-02-29T04:05:06");
        assert_eq!(time("").unwrap(), "");
        for odd in [
            "yesterday",
            "2023.02.29 04:05:06",
            "2024-02-03 04:05:06",
            "2024.02-03 04:05:06",
            "2024.02.03T04:05:06",
            "2024.02.03 04:05:60",
            "2024.02.03 04:05:6.",
            "2024.02.03 4:05:061",
            "24.2.3 04:05:06.123",
            "ö024.2.3 04:05:06.1",
        ] {
            assert!(time(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn numbers_of_reports() {
        for (text, expected) in [
            ("2", DeliveryStatus::Delivered),
            (" 14 ", DeliveryStatus::Delivered),
            ("-9", DeliveryStatus::Failed),
            ("1", DeliveryStatus::Pending),
            ("+0", DeliveryStatus::Pending),
        ] {
            assert_eq!(status(text).unwrap(), expected, "{text}");
        }
        for odd in ["", "x", "2.0", "99999999999999999999"] {
            assert!(status(odd).is_err(), "{odd}");
        }
    }
}
