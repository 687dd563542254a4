//! The wire format: JSON-RPC in the three shapes that clients of Vumi speak (specification: tagpool, section 3).

use serde_json::{Value, json};
use vumi_message::{Payload, json as vumi_json};

use super::types::Given;

pub(super) const NOT_JSON: i64 = -32_700;
pub(super) const INVALID: i64 = -32_600;
pub(super) const UNKNOWN_METHOD: i64 = -32_601;
pub(super) const FAILED: i64 = 8_002;

/// What a caller is told when a call did not work.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: i64,
    pub(super) text: String,
}

impl Fault {
    pub(super) fn new(code: i64, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    fn to_value(&self) -> Payload {
        let kind = if self.code == UNKNOWN_METHOD { "NoSuchFunction" } else { "Fault" };
        let fields = [("fault", json!(kind)), ("faultCode", json!(self.code)), ("faultString", json!(self.text))];
        fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
    }

    fn to_value_2(&self) -> Payload {
        let fields = [("code", json!(self.code)), ("message", json!(self.text)), ("data", json!(self.text))];
        fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
    }
}

/// How the caller wants to be answered.
#[derive(Debug, PartialEq)]
pub(super) enum Shape {
    /// Before 1.0: neither version nor id.
    Bare,
    /// 1.0: with this id.
    One(Value),
    /// 2.0: with this id.
    Two(Value),
}

/// A call.
pub(super) struct Call {
    pub(super) shape: Shape,
    /// The method and its parameters, or what is wrong with the request.
    pub(super) request: Result<(String, Given), Fault>,
}

/// Reads a request.
///
/// # Errors
/// The answer to a body in which no call can be seen.
pub(super) fn read(body: &[u8]) -> Result<Call, Value> {
    let mut request = match vumi_json::parse(body) {
        Ok(Value::Object(request)) => request,
        Ok(Value::Array(_)) => return Err(unreadable(&Fault::new(INVALID, "Batch requests are not supported."))),
        Ok(_) => return Err(unreadable(&Fault::new(INVALID, "The request must be an object."))),
        Err(error) => return Err(unreadable(&Fault::new(NOT_JSON, error.to_string()))),
    };
    let id = request.shift_remove("id").unwrap_or(Value::Null);
    let two = match request.get("jsonrpc") {
        Some(Value::String(version)) => version == "2.0",
        Some(Value::Number(version)) => version.as_f64() == Some(2.0),
        _ => false,
    };
    let shape = match id {
        id if two => Shape::Two(id),
        id if is_false(&id) => Shape::Bare,
        id => Shape::One(id),
    };
    let request = method_of(request, two);
    Ok(Call { shape, request })
}

fn method_of(mut request: Payload, two: bool) -> Result<(String, Given), Fault> {
    let Some(Value::String(method)) = request.shift_remove("method") else {
        return Err(Fault::new(INVALID, "The request must have a `method`, a text."));
    };
    let params = match request.shift_remove("params") {
        None | Some(Value::Null) => Given::Positional(Vec::new()),
        Some(Value::Array(values)) => Given::Positional(values),
        Some(Value::Object(named)) if two => Given::Named(named),
        Some(Value::Object(_)) => return Err(Fault::new(FAILED, "Keyword parameters not yet supported.")),
        Some(_) => return Err(Fault::new(INVALID, "The `params` must be an array.")),
    };
    Ok((method, params))
}

/// What Python takes for false: an id of that kind is none.
fn is_false(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// The answer to a call.
pub(super) fn answer(shape: Shape, outcome: Result<Value, Fault>) -> Value {
    match (shape, outcome) {
        (Shape::Bare, Ok(result)) => Value::Array(vec![result]),
        (Shape::Bare, Err(fault)) => Value::Object(fault.to_value()),
        (Shape::One(id), Ok(result)) => json!({"result": result, "error": null, "id": id}),
        (Shape::One(id), Err(fault)) => json!({"result": null, "error": fault.to_value(), "id": id}),
        (Shape::Two(id), Ok(result)) => json!({"jsonrpc": "2.0", "result": result, "id": id}),
        (Shape::Two(id), Err(fault)) => json!({"jsonrpc": "2.0", "error": fault.to_value_2(), "id": id}),
    }
}

/// The answer where nobody can know which shape the caller reads: one in which each finds the fault where it looks.
fn unreadable(fault: &Fault) -> Value {
    let mut error = fault.to_value_2();
    error.extend(fault.to_value());
    let mut answer = fault.to_value();
    answer.insert("jsonrpc".to_owned(), "2.0".into());
    answer.insert("error".to_owned(), Value::Object(error));
    answer.insert("id".to_owned(), Value::Null);
    Value::Object(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(body: &Value) -> Shape {
        read(body.to_string().as_bytes()).ok().unwrap().shape
    }

    #[test]
    fn the_shape_follows_from_version_and_id() {
        for id in [json!(null), json!(0), json!(0.0), json!(""), json!(false), json!([]), json!({})] {
            assert_eq!(shape(&json!({"method": "m", "id": id})), Shape::Bare);
        }
        assert_eq!(shape(&json!({"method": "m"})), Shape::Bare);
        assert_eq!(shape(&json!({"method": "m", "id": "x"})), Shape::One("x".into()));
        assert_eq!(shape(&json!({"method": "m", "id": 0, "jsonrpc": "2.0"})), Shape::Two(0.into()));
        assert_eq!(shape(&json!({"method": "m", "jsonrpc": 2.0})), Shape::Two(Value::Null));
        assert_eq!(shape(&json!({"method": "m", "id": 1, "jsonrpc": "1.0"})), Shape::One(1.into()));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (body, code) in [("", NOT_JSON), ("{", NOT_JSON), ("[]", INVALID), ("5", INVALID), ("null", INVALID)] {
            let answer = read(body.as_bytes()).err().unwrap();
            // Each client finds the code where it looks for it.
            assert_eq!((&answer["faultCode"], &answer["error"]["faultCode"]), (&json!(code), &json!(code)), "{body}");
            assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &Value::Null), "{body}");
        }
        for (body, code) in [
            (r#"{}"#, INVALID),
            (r#"{"method": 5}"#, INVALID),
            (r#"{"method": "m", "params": "x"}"#, INVALID),
            (r#"{"method": "m", "params": {"a": 1}}"#, FAILED),
        ] {
            assert_eq!(read(body.as_bytes()).ok().unwrap().request.err().unwrap().code, code, "{body}");
        }
    }
}
