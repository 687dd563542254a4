//! Calls to the network: sending, asking for notifications, ending them.

use md5::{Digest, Md5};
use thiserror::Error;
use uuid::Uuid;
use vumi_core::Secret;
use vumi_message::{Timestamp, UserMessage};

use super::ParlayX;
use crate::http::soap::{Envelope, Fault, write_envelope};
use crate::http::xml::{Element, Markup};
use crate::http::{Call, CallError, HttpLink, soap};

const SEND: &str = "http://www.csapi.org/schema/parlayx/sms/send/v2_2/local";
const MANAGER: &str = "http://www.csapi.org/schema/parlayx/sms/notification_manager/v2_3/local";
const HEAD: &str = "http://www.huawei.com.cn/schema/common/v2_1";
/// The namespace of exceptions, and of the `linkid` in what comes in.
pub(super) const COMMON: &str = "http://www.csapi.org/schema/parlayx/common/v2_1";

/// Why a call did not go well.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    /// The configuration does not say where to.
    #[error("the configuration has no {0}")]
    NoPlace(&'static str),
    /// No answer.
    #[error(transparent)]
    NoAnswer(#[from] CallError),
    /// An answer that is no SOAP.
    #[error("the network answered with status {0}, but not with SOAP: {1}")]
    Unreadable(u16, String),
    /// The network says that it failed.
    #[error("{}", described(*.0, .1))]
    Fault(Kind, Fault),
}

/// What a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its detail is a `ServiceExceptionDetail`.
    Service,
    /// Its detail is a `PolicyExceptionDetail`.
    Policy,
    /// SOAP alone.
    Plain,
}

/// A fault with its details, for people.
pub(super) fn described(kind: Kind, fault: &Fault) -> String {
    let name = match kind {
        Kind::Service => "ServiceException",
        Kind::Policy => "PolicyException",
        Kind::Plain => return fault.to_string(),
    };
    let details = fault.detail.iter().flat_map(|detail| detail.elements().map(Element::trimmed));
    let details: Vec<String> = details.filter(|text| !text.is_empty()).collect();
    format!("{name}: {fault} ({})", details.join(", "))
}

impl ParlayX {
    /// Sends a message to a number without `+`. The network's name for it.
    pub(super) async fn send_sms(
        &self,
        message: &UserMessage,
        number: &str,
        content: &str,
        link: &HttpLink,
    ) -> Result<String, Trouble> {
        let recipient = format!("tel:{number}");
        let correlator = format!("{}:{}", message.message_id(), Uuid::new_v4());
        let linkid = match message.transport_metadata().get("linkid") {
            None | Some(serde_json::Value::Null) => None,
            Some(serde_json::Value::String(linkid)) => Some(linkid.clone()),
            Some(other) => Some(other.to_string()),
        };
        let header = self
            .header(link.now())
            .child(Markup::of("parlayx_head:OA", recipient.as_str()))
            .children(linkid.map(|linkid| Markup::of("parlayx_head:linkid", linkid)));
        let body = Markup::new("send:sendSms")
            .child(Markup::of("send:addresses", recipient))
            .child(Markup::of("send:message", content))
            .child(self.reference("send:receiptRequest", "SmsNotification", &correlator));
        let place = self.remote_send_uri.as_deref().ok_or(Trouble::NoPlace("remote_send_uri"))?;
        let answer = call(place, &[("send", SEND), ("parlayx_head", HEAD)], &header, &body, link).await?;
        let result = answer.body.descendants().find(|element| element.is(SEND, "result")).map(Element::trimmed);
        if result.is_none() {
            let message_id = message.message_id();
            tracing::warn!(transport = link.name(), message_id, "the network's answer does not name the message");
        }
        Ok(result.unwrap_or_default())
    }

    /// Asks for notifications.
    pub(super) async fn start_notifications(&self, correlator: &str, link: &HttpLink) -> Result<(), Trouble> {
        let short_code = self.short_code.clone().unwrap_or_default();
        let body = Markup::new("nm:startSmsNotification")
            .child(self.reference("nm:reference", "notifySmsReception", correlator))
            .child(Markup::of("nm:smsServiceActivationNumber", short_code));
        self.manage(&body, link).await
    }

    /// Ends the notifications that were asked for.
    pub(super) async fn stop_notifications(&self, correlator: &str, link: &HttpLink) -> Result<(), Trouble> {
        let body = Markup::new("nm:stopSmsNotification").child(Markup::of("correlator", correlator));
        self.manage(&body, link).await
    }

    async fn manage(&self, body: &Markup, link: &HttpLink) -> Result<(), Trouble> {
        let place = self.remote_notification_uri.as_deref().ok_or(Trouble::NoPlace("remote_notification_uri"))?;
        let header = self.header(link.now());
        call(place, &[("nm", MANAGER), ("parlayx_head", HEAD)], &header, body, link).await.map(drop)
    }

    /// Where the network brings what belongs to a correlator.
    fn reference(&self, name: &'static str, interface: &str, correlator: &str) -> Markup {
        Markup::new(name)
            .child(Markup::of("endpoint", self.notification_endpoint_uri.clone().unwrap_or_default()))
            .child(Markup::of("interfaceName", interface))
            .child(Markup::of("correlator", correlator))
    }

    /// Who calls, and when.
    fn header(&self, now: Timestamp) -> Markup {
        let time = local_time(now);
        let id = self.service_provider_id.as_deref().unwrap_or_default();
        let password = self.service_provider_password.as_ref().map(Secret::expose).unwrap_or_default();
        let service = self.service_provider_service_id.as_deref().unwrap_or_default();
        Markup::new("parlayx_head:RequestSOAPHeader")
            .child(Markup::of("parlayx_head:spId", id))
            .child(Markup::of("parlayx_head:spPassword", digest(&[id, password, &time])))
            .child(Markup::of("parlayx_head:serviceId", service))
            .child(Markup::of("parlayx_head:timeStamp", time))
    }
}

/// One call and its answer.
async fn call(
    url: &str,
    namespaces: &[(&'static str, &str)],
    header: &Markup,
    body: &Markup,
    link: &HttpLink,
) -> Result<Envelope, Trouble> {
    let document = write_envelope(namespaces, &header.to_string(), &body.to_string());
    let call = Call::post(url).header("soapaction", "").body(soap::CONTENT_TYPE, document);
    let answered = link.client().send(call).await?;
    let unreadable = |why: String| Trouble::Unreadable(answered.status, why);
    let envelope = Envelope::read(&answered.body).map_err(|error| unreadable(error.to_string()))?;
    // The status code alone tells a fault from an answer.
    if answered.status != 500 {
        return Ok(envelope);
    }
    let fault = envelope.fault().ok_or_else(|| unreadable("it holds no fault".to_owned()))?;
    let has = |name| fault.detail.iter().any(|detail| detail.is(COMMON, name));
    let kind = match (has("ServiceExceptionDetail"), has("PolicyExceptionDetail")) {
        (true, _) => Kind::Service,
        (false, true) => Kind::Policy,
        (false, false) => Kind::Plain,
    };
    Err(Trouble::Fault(kind, fault))
}

/// The MD5 of texts one behind the other, in lower-case hexadecimal digits.
pub(super) fn digest(texts: &[&str]) -> String {
    let mut md5 = Md5::new();
    for text in texts {
        md5.update(text.as_bytes());
    }
    md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `YYYYMMDDhhmmss` by the clock on the wall of this machine (`TZ`, else `/etc/localtime`, else UTC).
fn local_time(now: Timestamp) -> String {
    let now = jiff::Timestamp::from_microsecond(now.micros()).unwrap_or_default();
    now.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y%m%d%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check 1.
    #[test]
    fn the_password_is_hashed_with_the_time() {
        assert_eq!(digest(&["sp77", "hunter2", "20240229123001"]), "87282931407c580bf514f561707108de");
    }

    #[test]
    fn the_header_says_who_and_when() {
        let config = ParlayX {
            service_provider_id: Some("sp77".to_owned()),
            service_provider_password: Some(Secret::new("hunter2")),
            service_provider_service_id: Some("svc".to_owned()),
            ..ParlayX::default()
        };
        let now = Timestamp::from_secs(1_709_209_801);
        let (header, time) = (config.header(now).to_string(), local_time(now));
        assert!(time.len() == 14 && time.starts_with("202402") && time.ends_with("01"), "{time}");
        assert_eq!(
            header,
            format!(
                "<parlayx_head:RequestSOAPHeader><parlayx_head:spId>sp77</parlayx_head:spId><parlayx_head:spPassword>\
                 {}</parlayx_head:spPassword><parlayx_head:serviceId>svc</parlayx_head:serviceId>\
                 <parlayx_head:timeStamp>{time}</parlayx_head:timeStamp></parlayx_head:RequestSOAPHeader>",
                digest(&["sp77", "hunter2", &time])
            )
        );
    }
}
