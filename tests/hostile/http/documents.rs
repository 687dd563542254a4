//! Documents that cost their reader more than their sender, in the readers that all transports share.

use std::time::{Duration, Instant};

use vumi_transport::http::soap::Envelope;
use vumi_transport::http::xml::Element;
use vumi_transport::http::xmlrpc;

/// Levels of elements, lists or maps in each other.
const LEVELS: usize = 100_000;

/// No reader may take longer, in a build that is not optimised, on a machine that does other things as well.
const LIMIT: Duration = Duration::from_secs(5);

#[track_caller]
fn refused(what: &str, document: &[u8]) {
    let began = Instant::now();
    assert!(Element::read(document).is_err(), "{what} was read");
    assert!(Envelope::read(document).is_err(), "{what} was read as SOAP");
    assert!(xmlrpc::read_call(document).is_err(), "{what} was read as XML-RPC");
    assert!(began.elapsed() < LIMIT, "{what} took {:?}", began.elapsed());
}

#[test]
fn xml_that_grows() {
    let mut laughs = "<!DOCTYPE a [<!ENTITY b0 \"ha\">".to_owned();
    for level in 1..30 {
        laughs.push_str(&format!("<!ENTITY b{level} \"&b{0};&b{0};&b{0};\">", level - 1));
    }
    laughs.push_str("]><a>&b29;</a>");
    refused("entities within entities", laughs.as_bytes());
    let large = format!("<!DOCTYPE a [<!ENTITY b \"{}\">]><a>{}</a>", "x".repeat(100_000), "&b;".repeat(100_000));
    refused("a large entity, often", large.as_bytes());
    refused("a file", b"<!DOCTYPE a [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><a>&f;</a>");
    refused("a page", b"<!DOCTYPE a [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/x.dtd\"> %p;]><a>&q;</a>");
}

#[test]
fn xml_without_a_bottom() {
    let deep = format!("{}{}", "<a>".repeat(LEVELS), "</a>".repeat(LEVELS));
    refused("100,000 levels", deep.as_bytes());
    refused("100,000 levels that do not end", "<a>".repeat(LEVELS).as_bytes());
    refused("100,000 ends", "</a>".repeat(LEVELS).as_bytes());
    let value = format!("{}1{}", "<value><array><data>".repeat(LEVELS), "</data></array></value>".repeat(LEVELS));
    let call = format!("<methodCall><methodName>m</methodName><params><param>{value}</param></params></methodCall>");
    refused("100,000 lists of XML-RPC", call.as_bytes());
}

#[test]
fn xml_that_is_wide() {
    let attributes: String = (0..LEVELS).map(|number| format!(" a{number}=''")).collect();
    refused("100,000 attributes", format!("<a{attributes}/>").as_bytes());
    let spaces: String = (0..LEVELS).map(|number| format!(" xmlns:a{number}='urn:{number}'")).collect();
    refused("100,000 namespaces", format!("<a{spaces}/>").as_bytes());
    refused("a million elements", format!("<a>{}</a>", "<b/>".repeat(1_000_000)).as_bytes());
    refused("an element that does not end", format!("<a{}", " ".repeat(1 << 20)).as_bytes());
    refused("a comment that does not end", format!("<!--{}", "-".repeat(1 << 20)).as_bytes());
}

#[test]
fn json_without_a_bottom() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(LEVELS), close.repeat(LEVELS));
        assert!(serde_json::from_str::<serde_json::Value>(&deep).is_err(), "{open}");
    }
}
