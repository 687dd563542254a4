//! SOAP 1.1: envelopes and faults.
//!
//! An [`Envelope`] is read from what came and says what its first action is, or that it is a fault; [`write_envelope`]
//! and [`write_fault`] make what goes out, as ASCII.

use thiserror::Error;

use super::xml::{Element, Markup, Node, XmlError};

/// The namespace of SOAP 1.1, written with the prefix `soapenv`.
pub const NAMESPACE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The content type of calls and answers.
pub const CONTENT_TYPE: &str = "text/xml; charset=\"utf-8\"";
/// The fault code that blames whoever called.
pub const CLIENT: &str = "soapenv:Client";
/// The fault code that blames whoever was called.
pub const SERVER: &str = "soapenv:Server";

/// A SOAP message that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `Header`, where there is one.
    pub header: Option<Element>,
    /// `Body`, which may be empty.
    pub body: Element,
}

/// Why a document is no SOAP message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SoapError {
    /// It is no XML to begin with.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// It is XML, but has no SOAP body.
    #[error("the document is no SOAP envelope with a body")]
    NoBody,
    /// Nothing stands in its body.
    #[error("the SOAP body is empty")]
    EmptyBody,
}

impl Envelope {
    /// Reads a message. An empty body is not an error here, but for [`Envelope::action`].
    ///
    /// # Errors
    /// When the document is no XML, or no SOAP 1.1 envelope with a body.
    pub fn read(document: &[u8]) -> Result<Self, SoapError> {
        let root = Element::read(document)?;
        if !root.is(NAMESPACE, "Envelope") {
            return Err(SoapError::NoBody);
        }
        let (mut header, mut body) = (None, None);
        for node in root.nodes {
            match node {
                Node::Element(element) if element.is(NAMESPACE, "Header") => header = header.or(Some(element)),
                Node::Element(element) if element.is(NAMESPACE, "Body") => body = body.or(Some(element)),
                _ => {}
            }
        }
        Ok(Self { header, body: body.ok_or(SoapError::NoBody)? })
    }

    /// The first element of the body, which says what to do.
    ///
    /// # Errors
    /// When the body is empty.
    pub fn action(&self) -> Result<&Element, SoapError> {
        self.body.elements().next().ok_or(SoapError::EmptyBody)
    }

    /// The fault that the body holds, if it holds one.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        let fault = self.body.child_in(NAMESPACE, "Fault")?;
        Some(Fault {
            code: fault.child_trimmed("faultcode").unwrap_or_default(),
            text: fault.child_trimmed("faultstring").unwrap_or_default(),
            actor: fault.child_trimmed("faultactor"),
            detail: fault.child("detail").map(|detail| detail.elements().cloned().collect()).unwrap_or_default(),
        })
    }
}

/// A fault that was read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{code}: {text}")]
pub struct Fault {
    /// Who is to blame, with whatever prefix the other side uses: `soapenv:Server`.
    pub code: String,
    /// The fault in words.
    pub text: String,
    /// Where it happened.
    pub actor: Option<String>,
    /// What the other side adds, in namespaces of its own.
    pub detail: Vec<Element>,
}

/// A message: `header` and `body` are XML that was written already, an empty header is left out. `namespaces` are the
/// prefixes that they use beside `soapenv`, with their addresses.
#[must_use]
pub fn write_envelope(namespaces: &[(&'static str, &str)], header: &str, body: &str) -> String {
    let mut envelope = Markup::new("soapenv:Envelope").attribute("xmlns:soapenv", NAMESPACE);
    for (prefix, address) in namespaces {
        envelope = envelope.attribute(format!("xmlns:{prefix}"), *address);
    }
    if !header.is_empty() {
        envelope = envelope.child(Markup::new("soapenv:Header").raw(header));
    }
    envelope.child(Markup::new("soapenv:Body").raw(body)).to_ascii()
}

/// A message that is a fault. `detail` may hold elements; they declare their namespaces themselves.
#[must_use]
pub fn write_fault(code: &str, text: &str, actor: Option<&str>, detail: Vec<Markup>) -> String {
    let fault = Markup::new("soapenv:Fault")
        .child(Markup::of("faultcode", code))
        .child(Markup::of("faultstring", text))
        .children(actor.map(|actor| Markup::of("faultactor", actor)))
        .children((!detail.is_empty()).then(|| Markup::new("detail").children(detail)));
    write_envelope(&[], "", &fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOC: &str = "http://www.csapi.org/schema/parlayx/sms/notification/v2_2/local";

    fn read(text: &str) -> Result<Envelope, SoapError> {
        Envelope::read(text.as_bytes())
    }

    #[test]
    fn a_message_is_read_whatever_its_prefixes() {
        let text = format!(
            r#"<?xml version="1.0"?><S:Envelope xmlns:S="{NAMESPACE}"><S:Header><h:x xmlns:h="urn:h"><h:linkid> L1
            </h:linkid></h:x></S:Header><S:Body> <ns:notify xmlns:ns="{LOC}"><ns:correlator>m1:u1</ns:correlator>
            </ns:notify></S:Body></S:Envelope>"#
        );
        let message = read(&text).unwrap();
        let action = message.action().unwrap();
        assert!(action.is(LOC, "notify"));
        assert_eq!(action.child_text("correlator").as_deref(), Some("m1:u1"));
        let header = message.header.unwrap();
        let linkid = header.descendants().find(|element| element.is("urn:h", "linkid")).unwrap();
        assert_eq!(linkid.trimmed(), "L1");
        assert_eq!(read(&text).unwrap().fault(), None);
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        assert!(matches!(read("x"), Err(SoapError::Xml(_))));
        assert!(matches!(read("<a><b></a>"), Err(SoapError::Xml(_))));
        assert_eq!(read("<x/>"), Err(SoapError::NoBody));
        assert_eq!(read(&format!("<e:Envelope xmlns:e='{NAMESPACE}'/>")), Err(SoapError::NoBody));
        assert_eq!(read(&format!("<e:Envelope xmlns:e='{NAMESPACE}'><Body/></e:Envelope>")), Err(SoapError::NoBody));
        assert_eq!(read("<Envelope><Body/></Envelope>"), Err(SoapError::NoBody));
        let empty = read(&write_envelope(&[], "", "")).unwrap();
        assert_eq!(empty.action(), Err(SoapError::EmptyBody));
        assert_eq!((empty.fault(), empty.header), (None, None));
    }

    #[test]
    fn a_message_is_written() {
        let body = Markup::new("loc:notifySmsReceptionResponse").to_string();
        assert_eq!(
            write_envelope(&[("loc", LOC)], "", &body),
            format!(
                "<soapenv:Envelope xmlns:soapenv=\"{NAMESPACE}\" xmlns:loc=\"{LOC}\"><soapenv:Body>\
                 <loc:notifySmsReceptionResponse /></soapenv:Body></soapenv:Envelope>"
            )
        );
        let send = Markup::of("send:message", "é < ü").to_string();
        let text = write_envelope(&[("send", "urn:s"), ("head", "urn:h")], "<head:a />", &send);
        assert!(text.contains("<soapenv:Header><head:a /></soapenv:Header><soapenv:Body>"), "{text}");
        assert!(text.contains("<send:message>&#233; &lt; &#252;</send:message>"), "{text}");
        assert_eq!(read(&text).unwrap().action().unwrap().text(), "é < ü");
    }

    #[test]
    fn a_fault_is_written_and_read() {
        let plain = write_fault(SERVER, "No handler for x", None, Vec::new());
        assert!(
            plain.ends_with(
                "<soapenv:Body><soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring>No handler for x\
                 </faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
            ),
            "{plain}"
        );
        let fault = read(&plain).unwrap().fault().unwrap();
        assert_eq!((fault.code.as_str(), fault.text.as_str()), (SERVER, "No handler for x"));
        assert_eq!((fault.actor, fault.detail.len()), (None, 0));

        let common = "http://www.csapi.org/schema/parlayx/common/v2_1";
        let detail = Markup::new("c:ServiceExceptionDetail")
            .attribute("xmlns:c", common)
            .child(Markup::of("messageId", "SVC0001"))
            .child(Markup::of("text", "bad"));
        let full = write_fault(CLIENT, "né", Some("urn:a"), vec![detail]);
        assert!(full.is_ascii());
        let fault = read(&full).unwrap().fault().unwrap();
        assert_eq!(fault.to_string(), "soapenv:Client: né");
        assert_eq!(fault.actor.as_deref(), Some("urn:a"));
        assert!(fault.detail[0].is(common, "ServiceExceptionDetail"));
        assert_eq!(fault.detail[0].child_text("messageId").as_deref(), Some("SVC0001"));
    }
}
