//! The resource `http` (specification: sandbox, section 7).

use serde_json::Value;
use vumi_bindings::app::vumi::app::http::{HttpRequest, Method};

use super::arguments::Arguments;
use super::multipart;
use super::{Done, Failure, failed};
use crate::state::Guest;

/// What could be asked of a certificate.
const VERIFY: [&str; 4] = ["VERIFY_NONE", "VERIFY_PEER", "VERIFY_CLIENT_ONCE", "VERIFY_FAIL_IF_NO_PEER_CERT"];

/// Protocols that could be asked for. All of them negotiate here: what is older than TLS 1.2 is not spoken any more.
const PROTOCOLS: [&str; 3] = ["SSLv23", "TLSv1", "SSLv3"];

impl Guest {
    pub(super) async fn legacy_http(&mut self, verb: &str, given: &Arguments) -> wasmtime::Result<Done> {
        let method = match verb {
            "get" => Method::Get,
            "put" => Method::Put,
            "delete" => Method::Delete,
            "head" => Method::Head,
            "post" => Method::Post,
            "patch" => Method::Patch,
            _ => return Ok(None),
        };
        let (request, verified) = match checked(method, given) {
            Ok(checked) => checked,
            Err(failure) => return Ok(failed(failure)),
        };
        let response = match self.request_web(request, verified).await? {
            Ok(response) => response,
            Err(error) => return Ok(failed(Failure::of(error))),
        };
        let Ok(body) = String::from_utf8(response.body) else {
            return Ok(failed(Failure::told("response body is not valid UTF-8")));
        };
        Ok(Some(Ok([("code".to_owned(), response.status.into()), ("body".to_owned(), body.into())]
            .into_iter()
            .collect())))
    }
}

/// The request, and whether certificates are to be looked at.
fn checked(method: Method, given: &Arguments) -> Result<(HttpRequest, bool), Failure> {
    let url = given.text("url").filter(|url| !url.is_empty()).ok_or_else(|| Failure::new("No URL given"))?;
    let mut headers = headers(given.given("headers"))?;
    let body = match given.given("data") {
        None => None,
        Some(Value::String(data)) => Some(data.clone().into_bytes()),
        Some(_) => return Err(Failure::told("'data' must be a string or null.")),
    };
    let body = match given.given("files") {
        None => body,
        Some(Value::Object(files)) if files.is_empty() => body,
        Some(Value::Object(_)) if body.is_some() => {
            return Err(Failure::told("'data' and 'files' cannot be given together."));
        }
        Some(Value::Object(files)) => {
            let form = multipart::form(files).map_err(Failure::told)?;
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            headers.push(("Content-Type".to_owned(), form.content_type));
            Some(form.body)
        }
        Some(_) => return Err(Failure::told("'files' must be an object or null.")),
    };
    protocol(given.given("ssl_method"))?;
    let verified = verified(given.given("verify_options"))?;
    Ok((HttpRequest { method, url: url.to_owned(), headers, body, timeout_ms: None }, verified))
}

fn headers(given: Option<&Value>) -> Result<Vec<(String, String)>, Failure> {
    let wrong = || Failure::told("'headers' must be an object of names and lists of values.");
    let mut headers = Vec::new();
    let given = match given {
        None => return Ok(headers),
        Some(given) => given.as_object().ok_or_else(wrong)?,
    };
    for (name, values) in given {
        match values {
            Value::String(value) => headers.push((name.clone(), value.clone())),
            Value::Array(values) => {
                for value in values {
                    headers.push((name.clone(), value.as_str().ok_or_else(wrong)?.to_owned()));
                }
            }
            _ => return Err(wrong()),
        }
    }
    Ok(headers)
}

fn protocol(given: Option<&Value>) -> Result<(), Failure> {
    match given {
        None => Ok(()),
        Some(Value::String(method)) if PROTOCOLS.contains(&method.as_str()) => Ok(()),
        Some(method) => Err(Failure::told(format!("Unknown ssl_method: {method}"))),
    }
}

/// Only a list of nothing but `VERIFY_NONE` turns checks off.
fn verified(given: Option<&Value>) -> Result<bool, Failure> {
    let options = match given {
        None => return Ok(true),
        Some(Value::Array(options)) if !options.is_empty() => options,
        Some(Value::Array(_)) => return Err(Failure::told("'verify_options' must not be empty.")),
        Some(_) => return Err(Failure::told("'verify_options' must be a list.")),
    };
    for option in options {
        if !option.as_str().is_some_and(|option| VERIFY.contains(&option)) {
            return Err(Failure::told(format!("Unknown verify option: {option}")));
        }
    }
    Ok(options.iter().any(|option| option != "VERIFY_NONE"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reason(given: Value) -> String {
        let Value::Object(fields) = given else { panic!("arguments are an object") };
        checked(Method::Post, &Arguments(fields)).map_or_else(|failure| failure.reason, |_| "ok".to_owned())
    }

    #[test]
    fn certificates_are_looked_at_unless_nobody_wants_that() {
        let look = |given: Value| verified(Some(&given)).ok();
        assert_eq!(look(json!(["VERIFY_NONE"])), Some(false));
        assert_eq!(look(json!(["VERIFY_NONE", "VERIFY_NONE"])), Some(false));
        assert_eq!(look(json!(["VERIFY_NONE", "VERIFY_PEER"])), Some(true));
        assert_eq!(look(json!(["VERIFY_PEER"])), Some(true));
        assert_eq!((look(json!([])), look(json!(["x"])), look(json!("VERIFY_NONE"))), (None, None, None));
        assert_eq!(verified(None).ok(), Some(true));
    }

    #[test]
    fn wrong_arguments_are_named() {
        assert_eq!(reason(json!({})), "No URL given");
        assert_eq!(reason(json!({"url": 5})), "No URL given");
        assert!(reason(json!({"url": "u", "headers": {"a": 5}})).starts_with("'headers'"));
        assert!(reason(json!({"url": "u", "data": {}})).starts_with("'data'"));
        assert!(reason(json!({"url": "u", "files": {"f": {}}})).contains("`f`"));
        assert!(reason(json!({"url": "u", "ssl_method": "SSLv2"})).starts_with("Unknown ssl_method"));
        let both =
            json!({"url": "u", "data": "x", "files": {"f": {"file_name": "a", "content_type": "b", "data": ""}}});
        assert!(reason(both).contains("together"));
        assert_eq!(reason(json!({"url": "u", "headers": {"a": "1", "b": ["2", "3"]}, "data": null})), "ok");
    }
}
