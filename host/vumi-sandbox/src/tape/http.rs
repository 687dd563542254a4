//! Requests and responses on a tape. What proves who somebody is never gets there: the values of some headers, and the
//! user and password in an address.

use serde_json::{Value, json};
use vumi_bindings::app::vumi::app::http::{HttpRequest, HttpResponse, Method};

use super::bodies::{body_bytes, body_value};
use super::mask::MASKED;
use super::values::Taped;

/// Headers whose values are never written down.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "set-cookie", "proxy-authorization"];

fn headers(headers: &[(String, String)]) -> Value {
    let pair = |(name, value): &(String, String)| {
        let secret = CREDENTIALS.iter().any(|credential| name.eq_ignore_ascii_case(credential));
        json!([name, if secret { MASKED } else { value.as_str() }])
    };
    headers.iter().map(pair).collect()
}

/// The address without user and password.
fn address(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{MASKED}@{host}{path}"),
        None => url.to_owned(),
    }
}

/// A request, as the argument of its call.
pub(crate) fn request_value(request: &HttpRequest) -> Value {
    let method = match request.method {
        Method::Get => "GET",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Patch => "PATCH",
    };
    json!({
        "method": method,
        "url": address(&request.url),
        "headers": headers(&request.headers),
        "body": request.body.as_deref().map(body_value),
        "timeout_ms": request.timeout_ms,
    })
}

impl Taped for HttpResponse {
    fn put(&self) -> Value {
        json!({ "status": self.status, "headers": headers(&self.headers), "body": body_value(&self.body) })
    }

    fn take(value: &Value) -> Option<Self> {
        let header = |pair: &Value| {
            let text = |at: usize| pair.get(at).and_then(Value::as_str).map(str::to_owned);
            Some((text(0)?, text(1)?))
        };
        Some(Self {
            status: value.get("status")?.as_u64()?.try_into().ok()?,
            headers: value.get("headers")?.as_array()?.iter().map(header).collect::<Option<_>>()?,
            body: body_bytes(value.get("body")?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_written_down() {
        let request = HttpRequest {
            method: Method::Post,
            url: "https://me:pass@example.org/a?b=c@d".into(),
            headers: vec![
                ("Authorization".into(), "Bearer t0ken".into()),
                ("COOKIE".into(), "sid=5".into()),
                ("accept".into(), "*/*".into()),
            ],
            body: Some(b"hi".to_vec()),
            timeout_ms: Some(5),
        };
        let value = request_value(&request);
        assert_eq!(value["url"], "https://[masked]@example.org/a?b=c@d");
        assert_eq!(value["headers"], json!([["Authorization", "[masked]"], ["COOKIE", "[masked]"], ["accept", "*/*"]]));
        assert_eq!((&value["body"]["text"], &value["timeout_ms"]), (&json!("hi"), &json!(5)));
        let response =
            HttpResponse { status: 200, headers: vec![("Set-Cookie".into(), "sid=5".into())], body: Vec::new() };
        assert!(!response.put().to_string().contains("sid"));
    }

    #[test]
    fn a_response_comes_back_as_it_was() {
        let response = HttpResponse {
            status: 404,
            headers: vec![("a".into(), "1".into()), ("a".into(), "2".into())],
            body: b"\xffx".to_vec(),
        };
        let back = HttpResponse::take(&response.put()).unwrap();
        assert_eq!((back.status, back.headers, back.body), (response.status, response.headers, response.body));
        assert!(HttpResponse::take(&json!({"status": 70_000, "headers": [], "body": {"text": ""}})).is_none());
    }
}
