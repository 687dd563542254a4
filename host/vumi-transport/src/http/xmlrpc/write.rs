//! Writing calls and answers, in the lines in which Python's xmlrpclib writes them: some networks look for them with
//! something simpler than a reader of XML.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Value;
use crate::http::xml::escape_text;

/// The content type of calls and answers.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// The body of a call.
#[must_use]
pub fn write_call(method: &str, params: &[Value]) -> String {
    let mut text = format!("<?xml version='1.0'?>\n<methodCall>\n<methodName>{}</methodName>\n", escape_text(method));
    write_params(&mut text, params);
    text.push_str("</methodCall>\n");
    text
}

/// The body of the answer to a call that went well.
#[must_use]
pub fn write_response(value: &Value) -> String {
    let mut text = "<?xml version='1.0'?>\n<methodResponse>\n".to_owned();
    write_params(&mut text, std::slice::from_ref(value));
    text.push_str("</methodResponse>\n");
    text
}

/// The body of the answer to a call that failed.
#[must_use]
pub fn write_fault(code: i64, reason: &str) -> String {
    let fault = Value::Struct(vec![("faultCode".into(), code.into()), ("faultString".into(), reason.into())]);
    let mut text = "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n".to_owned();
    write_value(&mut text, &fault);
    text.push_str("</fault>\n</methodResponse>\n");
    text
}

fn write_params(text: &mut String, params: &[Value]) {
    text.push_str("<params>\n");
    for param in params {
        text.push_str("<param>\n");
        write_value(text, param);
        text.push_str("</param>\n");
    }
    text.push_str("</params>\n");
}

fn write_value(text: &mut String, value: &Value) {
    text.push_str("<value>");
    match value {
        Value::Int(number) if i32::try_from(*number).is_ok() => element(text, "int", &number.to_string()),
        Value::Int(number) => element(text, "i8", &number.to_string()),
        Value::Boolean(flag) => element(text, "boolean", if *flag { "1" } else { "0" }),
        Value::String(string) => element(text, "string", &escape_text(string)),
        Value::Double(number) => element(text, "double", &number.to_string()),
        Value::DateTime(time) => element(text, "dateTime.iso8601", &escape_text(time)),
        Value::Base64(bytes) => element(text, "base64", &STANDARD.encode(bytes)),
        Value::Array(values) => {
            text.push_str("<array><data>\n");
            values.iter().for_each(|value| write_value(text, value));
            text.push_str("</data></array>");
        }
        Value::Struct(members) => {
            text.push_str("<struct>\n");
            for (name, value) in members {
                let _ = write!(text, "<member>\n<name>{}</name>\n", escape_text(name));
                write_value(text, value);
                text.push_str("</member>\n");
            }
            text.push_str("</struct>");
        }
        Value::Nil => text.push_str("<nil/>"),
    }
    text.push_str("</value>\n");
}

/// An element with a text that is escaped already.
fn element(text: &mut String, name: &str, content: &str) {
    let _ = write!(text, "<{name}>{content}</{name}>");
}
