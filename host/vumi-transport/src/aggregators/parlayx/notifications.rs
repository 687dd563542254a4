//! Calls of the network: messages from users and delivery receipts.

use vumi_message::address::normalize_msisdn;
use vumi_message::{DeliveryStatus, Event, NewUserMessage, Payload};

use super::calls::{COMMON, digest};
use crate::http::soap::{self, Envelope, SoapError, write_envelope, write_fault};
use crate::http::xml::{Element, Markup};
use crate::http::{Answer, HttpLink, Refusal, Reply, Request};

const LOC: &str = "http://www.csapi.org/schema/parlayx/sms/notification/v2_2/local";

/// Takes a call. `asked_for` is the correlator of the notifications that this transport asked for.
pub(super) async fn take(request: &Request, asked_for: Option<&str>, link: &HttpLink) -> Result<Answer, Refusal> {
    let call = Envelope::read(&request.body).map_err(refusal)?;
    let action = call.action().map_err(refusal)?;
    let response = match action.name.as_str() {
        "notifySmsReception" => {
            reception(&call, action, asked_for, request, link).await?;
            "loc:notifySmsReceptionResponse"
        }
        "notifySmsDeliveryReceipt" => {
            receipt(action, link).await?;
            "loc:notifySmsDeliveryReceiptResponse"
        }
        other => return Err(fault(soap::SERVER, format!("No handler for {other}"))),
    };
    Ok(Answer::Now(Reply::ok(write_envelope(&[("loc", LOC)], "", &Markup::new(response).to_string()))))
}

/// A message from a user.
async fn reception(
    call: &Envelope,
    action: &Element,
    asked_for: Option<&str>,
    request: &Request,
    link: &HttpLink,
) -> Result<(), Refusal> {
    let correlator = needed(action, "correlator")?;
    let message = part(action, "message")?;
    let (content, when) = (message.child_text("message").unwrap_or_default(), message.child_trimmed("dateTime"));
    let (sender, number) = (needed(message, "senderAddress")?, needed(message, "smsServiceActivationNumber")?);
    let linkid = call.header.as_ref().and_then(|header| {
        let linkid = header.descendants().find(|element| element.is(COMMON, "linkid"));
        linkid.map(Element::trimmed)
    });
    let id = message_id(&correlator, asked_for);
    let new = NewUserMessage {
        message_id: id.map(str::to_owned),
        from_addr: Some(address(&sender)),
        to_addr: Some(address(&number)),
        content: Some(content.clone()),
        provider: Some("parlayx".to_owned()),
        transport_type: Some("sms".to_owned()),
        transport_metadata: Payload::from_iter([("linkid".to_owned(), linkid.into())]),
        ..NewUserMessage::default()
    };
    // So the correlator cannot tell whether a message comes again; all of it together can.
    match when {
        Some(when) => {
            let same = digest(&[&correlator, "\n", &sender, "\n", &number, "\n", &when, "\n", &content]);
            link.publish_once(&same, request, new).await.map(drop)
        }
        None => link.publish(request, new).await,
    }
}

/// A delivery receipt.
async fn receipt(action: &Element, link: &HttpLink) -> Result<(), Refusal> {
    let correlator = needed(action, "correlator")?;
    let status = needed(part(action, "deliveryStatus")?, "deliveryStatus")?;
    let status = match status.as_str() {
        "DeliveredToNetwork" | "DeliveredToTerminal" => DeliveryStatus::Delivered,
        "DeliveryUncertain" | "MessageWaiting" => DeliveryStatus::Pending,
        "DeliveryImpossible" | "DeliveryNotificationNotSupported" => DeliveryStatus::Failed,
        other => return Err(fault(soap::SERVER, format!("unknown delivery status {other}"))),
    };
    Ok(link.event(Event::delivery_report(own_part(&correlator), status)).await?)
}

/// The id of a message from a user, if its correlator has one. Some networks put the correlator of the notifications
/// there, which is that of all messages, and no message's id.
fn message_id<'c>(correlator: &'c str, asked_for: Option<&str>) -> Option<&'c str> {
    Some(own_part(correlator)).filter(|id| !id.is_empty() && asked_for != Some(correlator))
}

/// What of a correlator is a message's id: the rest was added to make it one of its kind.
fn own_part(correlator: &str) -> &str {
    correlator.split(':').next().unwrap_or_default()
}

fn address(given: &str) -> String {
    normalize_msisdn(given.strip_prefix("tel:").unwrap_or(given), "")
}

fn part<'e>(element: &'e Element, name: &str) -> Result<&'e Element, Refusal> {
    element.child(name).ok_or_else(|| fault(soap::SERVER, format!("{} has no {name}", element.name)))
}

fn needed(element: &Element, name: &str) -> Result<String, Refusal> {
    part(element, name).map(Element::trimmed)
}

fn refusal(error: SoapError) -> Refusal {
    match error {
        SoapError::Xml(error) => fault(soap::SERVER, error.to_string()),
        SoapError::NoBody => fault(soap::CLIENT, "Malformed SOAP request".to_owned()),
        SoapError::EmptyBody => fault(soap::CLIENT, "No actionable items".to_owned()),
    }
}

/// SOAP says 500 for every fault, whoever is to blame.
fn fault(code: &str, text: String) -> Refusal {
    Refusal::new(Reply::status(500).body(write_fault(code, &text, None, Vec::new())), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correlator_of_all_messages_is_no_id() {
        for (correlator, asked_for, id) in [
            ("m1:u1", None, Some("m1")),
            ("m1:u1:x", Some("c"), Some("m1")),
            ("m1", Some("c"), Some("m1")),
            ("c", Some("c"), None),
            ("c", None, Some("c")),
            ("", None, None),
            (":u1", None, None),
        ] {
            assert_eq!(message_id(correlator, asked_for), id, "{correlator} {asked_for:?}");
        }
    }
}
