//! Reading calls and answers.

use std::collections::HashMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Call, Fault, Problem, ResponseProblem, Value};
use crate::http::xml::Element;

/// As lenient as Python: `=` at the end may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Reads a call.
///
/// # Errors
/// When the body is no XML-RPC call.
pub fn read_call(body: &[u8]) -> Result<Call, Problem> {
    let root = Element::read(body)?;
    if root.name != "methodCall" {
        return Err(Problem::form("a call must be a `methodCall`"));
    }
    let method = root.child_trimmed("methodName").filter(|name| !name.is_empty());
    let method = method.ok_or_else(|| Problem::form("the call has no `methodName`"))?;
    let params = root.child("params").map(|params| params.children("param").map(param).collect());
    Ok(Call { method, params: params.transpose()?.unwrap_or_default() })
}

/// Reads the answer to a call.
///
/// # Errors
/// When the answer is a fault, and, told apart from that, when the body is no XML-RPC answer.
pub fn read_response(body: &[u8]) -> Result<Value, ResponseProblem> {
    let root = Element::read(body)?;
    if root.name != "methodResponse" {
        return Err(Problem::form("an answer must be a `methodResponse`").into());
    }
    if let Some(fault) = root.child("fault") {
        return Err(ResponseProblem::Fault(read_fault(fault)?));
    }
    let first = root.child("params").and_then(|params| params.child("param"));
    let first = first.ok_or_else(|| Problem::form("the answer has neither a value nor a fault"))?;
    Ok(param(first)?)
}

fn read_fault(fault: &Element) -> Result<Fault, Problem> {
    let value = param(fault)?;
    let code = match value.get("faultCode") {
        Some(Value::Int(code)) => Some(*code),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let text = value.get("faultString").and_then(Value::to_text);
    match (code, text) {
        (Some(code), Some(text)) => Ok(Fault { code, text }),
        _ => Err(Problem::form("the fault has no `faultCode` or no `faultString`")),
    }
}

/// The one value in a `param` or `fault`.
fn param(param: &Element) -> Result<Value, Problem> {
    match param.child("value") {
        Some(value) => read_value(value),
        None => Err(Problem::form(format!("a `{}` has no `value`", param.name))),
    }
}

/// A `value`. Recursive, which the limit on the depth of documents makes safe.
fn read_value(value: &Element) -> Result<Value, Problem> {
    let mut types = value.elements();
    let Some(typed) = types.next() else { return Ok(Value::String(value.text())) };
    if types.next().is_some() {
        return Err(Problem::form("a `value` has more than one type"));
    }
    let wrong = |what: &str| Problem::form(format!("a `{}` is not {what}", typed.name));
    let number = || typed.trimmed();
    Ok(match typed.name.as_str() {
        "string" => Value::String(typed.text()),
        "int" | "i4" | "i8" | "i1" | "i2" => Value::Int(number().parse().map_err(|_| wrong("a whole number"))?),
        "boolean" => match number().as_str() {
            "0" => Value::Boolean(false),
            "1" => Value::Boolean(true),
            _ => return Err(wrong("0 or 1")),
        },
        "double" | "float" => match number().parse::<f64>() {
            Ok(double) if double.is_finite() => Value::Double(double),
            _ => return Err(wrong("a number")),
        },
        "dateTime.iso8601" => Value::DateTime(typed.trimmed()),
        "base64" => {
            let digits: String = typed.text().split_ascii_whitespace().collect();
            Value::Base64(BASE64.decode(digits).map_err(|_| wrong("base64"))?)
        }
        "array" => {
            let data = typed.child("data").ok_or_else(|| Problem::form("an `array` has no `data`"))?;
            Value::Array(data.children("value").map(read_value).collect::<Result<_, _>>()?)
        }
        "struct" => Value::Struct(read_members(typed)?),
        "nil" => Value::Nil,
        _ => return Err(Problem::form("a `value` has a type that XML-RPC does not know")),
    })
}

/// The members of a struct; of two with one name the later one counts, as in Python.
fn read_members(typed: &Element) -> Result<Vec<(String, Value)>, Problem> {
    let mut members: Vec<(String, Value)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for member in typed.children("member") {
        let name = member.child_text("name").ok_or_else(|| Problem::form("a `member` has no `name`"))?;
        let value = param(member)?;
        match places.get(&name).and_then(|place| members.get_mut(*place)) {
            Some(earlier) => earlier.1 = value,
            None => {
                places.insert(name.clone(), members.len());
                members.push((name, value));
            }
        }
    }
    Ok(members)
}
