//! Requests to the network's HTTP server: one out, its answer in, under a time limit, a size limit and a rate limit.
//!
//! A request is repeated only while nobody has taken the connection, since after that it may have arrived. Redirects
//! are followed for GET only, as Vumi did. No proxy of the environment is used, and nothing of a URL but its host is
//! ever logged: queries often hold passwords.

use std::borrow::Cow;
use std::error::Error as _;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Url};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;
use vumi_core::{Backoff, Error};

use super::form;
use super::keys::WebKeys;
use crate::base::WhenUnsure;

/// For the connection alone, so that a name's next address gets its turn.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections without work are kept for so long. Servers close theirs later, so that few requests meet a connection
/// that is just being closed.
const IDLE: Duration = Duration::from_secs(4);

/// The largest answer that is read.
const DATA_LIMIT: usize = 1 << 20;

/// Characters of an answer that stand in a reason.
const EXCERPT: usize = 1000;

/// A request to be sent. It shows itself as its method and the place that it goes to.
#[derive(Clone)]
pub struct Call {
    method: Method,
    url: String,
    query: Vec<(String, String)>,
    headers: Vec<(Cow<'static, str>, String)>,
    /// Names of headers that hold secrets.
    sensitive: Vec<Cow<'static, str>>,
    secret: Option<String>,
    body: Bytes,
    timeout: Option<Duration>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Status code.
    pub status: u16,
    /// The phrase behind the status code, e.g. `Payment Required`.
    pub reason: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The URL or a header cannot be used.
    #[error("a request to {0} cannot be made: {1}")]
    Impossible(String, String),
    /// Nobody took the connection: the request did not arrive.
    #[error("{0} takes no connection: {1}")]
    NotConnected(String, String),
    /// It may have arrived, but there is no answer. The flag says whether it may be sent again (`when_unsure`).
    #[error("{0} did not answer: {1}")]
    NoAnswer(String, String, bool),
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotConnected(..) | CallError::NoAnswer(_, _, true) => Error::temporary(error.to_string()),
            CallError::Impossible(..) | CallError::NoAnswer(_, _, false) => Error::permanent(error.to_string()),
        }
    }
}

impl Call {
    /// A request with any method.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            query: Vec::new(),
            headers: Vec::new(),
            sensitive: Vec::new(),
            secret: None,
            body: Bytes::new(),
            timeout: None,
        }
    }

    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// A POST without a body.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::POST, url)
    }

    /// With these parameters in the query, behind those that the URL has.
    #[must_use]
    pub fn query(mut self, pairs: &[(&str, &str)]) -> Self {
        self.query.extend(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// With these parameters as a form.
    #[must_use]
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        self.body("application/x-www-form-urlencoded", form::encode(pairs.iter().copied()))
    }

    /// With JSON.
    #[must_use]
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// With a header in place of any other one of this name.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
        self.headers.push((name, value.into()));
        self
    }

    /// With HTTP Basic.
    #[must_use]
    pub fn basic(mut self, username: &str, password: &str) -> Self {
        self.secret = Some(format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))));
        self
    }

    /// With a bearer token.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        self.secret = Some(format!("Bearer {token}"));
        self
    }

    /// With a header that holds a secret, e.g. a key, in place of any other one of this name. It is never shown.
    #[must_use]
    pub fn secret_header(self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let name = name.into();
        let mut call = self.header(name.clone(), value);
        call.sensitive.push(name);
        call
    }

    /// With a time limit of its own.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What is shown of where it goes: no path and no query.
    fn place(&self) -> String {
        match Url::parse(&self.url) {
            Ok(url) => match (url.host_str(), url.port()) {
                (Some(host), Some(port)) => format!("{}://{host}:{port}", url.scheme()),
                (Some(host), None) => format!("{}://{host}", url.scheme()),
                (None, _) => "a URL without a host".to_owned(),
            },
            Err(_) => "what is no URL".to_owned(),
        }
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({} {})", self.method, self.place())
    }
}

impl Answered {
    /// Whether the status code is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the same request may go well later: too many requests, or the server has a fault.
    pub fn is_temporary(&self) -> bool {
        matches!(self.status, 408 | 425 | 429 | 500..)
    }

    /// The body as text; what is no UTF-8 is shown as such.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body's beginning as text, for reasons: networks answer with whole pages when something is wrong.
    pub fn excerpt(&self) -> String {
        self.text().chars().take(EXCERPT).collect()
    }

    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The beginning of the body on one line, where a reason is made of it here; `no text` where it is empty.
    pub fn one_line(&self) -> String {
        let text = self.text();
        let words: Vec<&str> = text.split_whitespace().collect();
        let line: String = words.join(" ").chars().filter(|c| !c.is_control()).take(200).collect();
        if line.is_empty() { "no text".to_owned() } else { line }
    }

    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }
}

/// Sends requests for one transport.
pub struct Client {
    timeout: Duration,
    tries: u32,
    resend: bool,
    rate: Option<Rate>,
    /// Built on first use: that reads the system's certificates. The first follows redirects.
    inner: OnceCell<(reqwest::Client, reqwest::Client)>,
}

impl Client {
    pub(super) fn new(keys: &WebKeys, when_unsure: WhenUnsure) -> Self {
        Self {
            timeout: Duration::from_millis(keys.outbound_timeout_ms),
            tries: keys.outbound_tries,
            resend: when_unsure == WhenUnsure::Resend,
            rate: (keys.outbound_per_second > 0.0).then(|| Rate::new(keys.outbound_per_second)),
            inner: OnceCell::new(),
        }
    }

    /// Sends a request and reads the answer, whatever its status code.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, call: Call) -> Result<Answered, CallError> {
        let place = call.place();
        let impossible = |why: String| CallError::Impossible(place.clone(), why);
        let request = build(&call).map_err(impossible)?;
        let client = self.client(&call.method).await.map_err(impossible)?;
        let mut backoff = Backoff::for_messages();
        let mut tries_left = self.tries;
        loop {
            if let Some(rate) = &self.rate {
                rate.turn().await;
            }
            let again = request.try_clone().ok_or_else(|| impossible("its body cannot be sent".to_owned()))?;
            let exchange = exchange(&client, again);
            let limit = call.timeout.unwrap_or(self.timeout);
            tries_left = tries_left.saturating_sub(1);
            match tokio::time::timeout(limit, exchange).await {
                Ok(Ok(answered)) => return Ok(answered),
                Ok(Err(Failed::Connecting(why))) if tries_left == 0 => {
                    return Err(CallError::NotConnected(place, why));
                }
                Ok(Err(Failed::Connecting(_))) => tokio::time::sleep(backoff.next_delay()).await,
                Ok(Err(Failed::Answering(why))) => return Err(CallError::NoAnswer(place, why, self.resend)),
                Err(_) => {
                    let why = format!("not within {} ms", limit.as_millis());
                    return Err(CallError::NoAnswer(place, why, self.resend));
                }
            }
        }
    }

    /// The error for an answer that does not say whether the network has taken the message (`when_unsure`). `place` is
    /// who answered.
    pub fn unsure(&self, place: &str, answered: &Answered) -> CallError {
        let why = format!("its answer with status {} cannot be understood: {}", answered.status, answered.one_line());
        CallError::NoAnswer(place.to_owned(), why, self.resend)
    }

    /// The library's client for a method. A failure to build it is not kept: the next request tries again.
    async fn client(&self, method: &Method) -> Result<reqwest::Client, String> {
        let build = || async {
            // Reads files.
            let built = tokio::task::spawn_blocking(|| {
                let client = |redirects| {
                    reqwest::Client::builder()
                        .no_proxy()
                        .no_gzip()
                        .redirect(redirects)
                        .referer(false)
                        .retry(reqwest::retry::never())
                        .connect_timeout(CONNECT_TIMEOUT)
                        .pool_idle_timeout(IDLE)
                        .build()
                        .map_err(cause)
                };
                Ok((client(Policy::limited(10))?, client(Policy::none())?))
            });
            built.await.map_err(|error| error.to_string())?
        };
        let built: Result<_, String> = self.inner.get_or_try_init(build).await;
        let (following, staying) = built.map_err(|why| format!("the HTTP client could not be built: {why}"))?;
        Ok(if *method == Method::GET { following.clone() } else { staying.clone() })
    }
}

/// Whether requests can go to the URL in a configuration key.
///
/// # Errors
/// One sentence when they cannot.
pub fn check_url(key: &str, url: &str) -> vumi_core::Result<()> {
    let checked = build(&Call::get(url)).map(drop);
    checked.map_err(|why| Error::permanent(format!("`{key}` cannot be used: {why}")))
}

enum Failed {
    Connecting(String),
    Answering(String),
}

fn build(call: &Call) -> Result<reqwest::Request, String> {
    let mut url = Url::parse(&call.url).map_err(|error| format!("it is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it is no URL of the web: it must begin with http:// or https://".to_owned());
    }
    if !call.query.is_empty() {
        let more = form::encode(call.query.iter().map(|(name, value)| (name, value)));
        let query = url.query().filter(|query| !query.is_empty()).map(|query| format!("{query}&{more}"));
        url.set_query(Some(query.as_deref().unwrap_or(&more)));
    }
    let mut request = reqwest::Request::new(call.method.clone(), url);
    for (name, value) in &call.headers {
        let mut value =
            HeaderValue::from_bytes(value.as_bytes()).map_err(|_| format!("the header {name} cannot be sent"))?;
        value.set_sensitive(call.sensitive.contains(name));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no name of a header"))?;
        request.headers_mut().insert(name, value);
    }
    if let Some(secret) = &call.secret {
        let mut value = HeaderValue::from_bytes(secret.as_bytes()).map_err(|_| "the credentials cannot be sent")?;
        value.set_sensitive(true);
        request.headers_mut().insert("authorization", value);
    }
    if !call.body.is_empty() {
        *request.body_mut() = Some(call.body.clone().into());
    } else if call.method == Method::POST || call.method == Method::PUT {
        // Many servers refuse such a request without a length, and the library leaves out that of an empty body.
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    Ok(request)
}

async fn exchange(client: &reqwest::Client, request: reqwest::Request) -> Result<Answered, Failed> {
    let mut response = client.execute(request).await.map_err(|error| {
        if error.is_connect() { Failed::Connecting(cause(error)) } else { Failed::Answering(cause(error)) }
    })?;
    let status = response.status();
    let phrase = response.extensions().get::<hyper::ext::ReasonPhrase>();
    let reason = match phrase {
        Some(phrase) => String::from_utf8_lossy(phrase.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    };
    let headers = response.headers().clone();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failed::Answering(cause(error)))? {
        if body.len() + chunk.len() > DATA_LIMIT {
            return Err(Failed::Answering(format!("its answer is larger than {DATA_LIMIT} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answered { status: status.as_u16(), reason, headers, body: body.into() })
}

/// The innermost cause of a failure of the library, whose own text repeats the whole URL.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(inner) = next {
        text = inner.to_string();
        next = inner.source();
    }
    text
}

/// Lets so many through per second, evenly.
struct Rate {
    gap: Duration,
    next: Mutex<Instant>,
}

impl Rate {
    fn new(per_second: f64) -> Self {
        Self {
            gap: Duration::from_secs_f64(1.0 / per_second.clamp(0.000_1, 1_000_000.0)),
            next: Mutex::new(Instant::now()),
        }
    }

    async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().await;
            let at = (*next).max(Instant::now());
            *next = at + self.gap;
            at
        };
        tokio::time::sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        let call = Call::get("http://u:p@h.example:81/send?password=x").query(&[("pw", "y")]).basic("u", "p");
        assert_eq!(call.place(), "http://h.example:81");
        assert_eq!(Call::get("no url").place(), "what is no URL");
    }

    #[test]
    fn queries_are_joined() {
        let request = build(&Call::get("http://h/p?a=1").query(&[("b", "x y"), ("c", "ö")])).unwrap();
        assert_eq!(request.url().as_str(), "http://h/p?a=1&b=x+y&c=%C3%B6");
        let request = build(&Call::post("http://h/p").form(&[("b", "x y")])).unwrap();
        assert_eq!(request.body().unwrap().as_bytes().unwrap(), b"b=x+y");
        for odd in ["ftp://h/", "", "h/p"] {
            assert!(build(&Call::get(odd)).is_err(), "{odd}");
            assert!(check_url("url", odd).unwrap_err().to_string().starts_with("`url` cannot be used: it is no URL"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_holds() {
        let rate = Rate::new(10.0);
        let began = Instant::now();
        for _ in 0..11 {
            rate.turn().await;
        }
        assert_eq!(began.elapsed(), Duration::from_secs(1));
    }
}
