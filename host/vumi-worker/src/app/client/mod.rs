//! The relays' HTTP client (specification: http_relay, section 2): one request out, its answer in, under a time limit
//! and a size limit.
//!
//! Nothing acts without being asked: no proxy from the environment, no cookies, no retries. As Vumi did, a redirect is
//! followed for GET and HEAD only, a 303 becomes a GET for every method, and no connection is used twice (a server may
//! close an idle one at the very moment at which a message is sent over it, and the message would be lost).

mod url;

use std::error::Error as _;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Method, Request, Response, StatusCode, Url};
use tokio::sync::OnceCell;
use vumi_core::{Error, Result};

pub use url::HttpUrl;

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 20;

/// For the connection alone, so that a name's next address gets its turn.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Carries out the requests of one application.
pub(crate) struct Client {
    timeout: Duration,
    data_limit: usize,
    /// Built on first use: that reads the system's certificates.
    inner: OnceCell<reqwest::Client>,
}

/// A request with a JSON body.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a HttpUrl,
    /// The header `Authorization`, if one is sent.
    pub(crate) authorization: Option<&'a HeaderValue>,
    pub(crate) body: String,
}

/// The answer at the end of all redirects.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Only if it was wanted.
    pub(crate) body: Option<Vec<u8>>,
}

/// The method of this name, in upper case.
///
/// # Errors
/// One sentence for a name that no method can have.
pub(crate) fn method(key: &str, name: &str) -> Result<Method> {
    Method::from_bytes(name.to_ascii_uppercase().as_bytes())
        .map_err(|_| Error::permanent(format!("{key}: `{name}` is no HTTP method; write POST, for instance")))
}

/// Checks an authentication method: there is only one.
///
/// # Errors
/// `HTTP Authentication method 'x' not supported`.
pub(crate) fn check_auth_method(name: &str) -> Result<()> {
    if name == "basic" {
        return Ok(());
    }
    Err(Error::permanent(format!("HTTP Authentication method '{name}' not supported")))
}

/// `Basic base64(username ":" password)`, which is never shown.
///
/// # Errors
/// None in fact: base64 is valid in a header.
pub(crate) fn basic(username: &str, password: &str) -> Result<HeaderValue> {
    let pair = STANDARD.encode(format!("{username}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {pair}"))
        .map_err(|_| Error::permanent("the user name and password cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

impl Client {
    /// `timeout` is for a whole exchange, redirects and body included; `data_limit`, in bytes, for the body.
    pub(crate) fn new(timeout: Duration, data_limit: usize) -> Self {
        Self { timeout, data_limit, inner: OnceCell::new() }
    }

    /// Sends a request. The answer's body is read if `wanted` says so on seeing its status and headers.
    ///
    /// # Errors
    /// Permanent, naming URL and cause: nobody answered (in time), a redirect that is not followed, a body that is too
    /// large.
    pub(crate) async fn send(&self, call: Call<'_>, wanted: impl Fn(StatusCode, &HeaderMap) -> bool) -> Result<Answer> {
        let url = call.url;
        let answer = tokio::time::timeout(self.timeout, self.exchange(call, wanted)).await;
        let problem = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(problem)) => problem,
            Err(_) => format!("it did not answer within {} s", self.timeout.as_secs()),
        };
        Err(Error::permanent(format!("{url}: {problem}")))
    }

    async fn exchange(
        &self,
        call: Call<'_>,
        wanted: impl Fn(StatusCode, &HeaderMap) -> bool,
    ) -> Result<Answer, String> {
        let mut url = call.url.parse()?;
        let mut method = call.method.clone();
        let mut body = Some(Bytes::from(call.body));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        headers.extend(call.authorization.map(|value| (AUTHORIZATION, value.clone())));
        let client = self.client().await?;
        for _ in 0..=MAX_REDIRECTS {
            let mut request = Request::new(method.clone(), url.clone());
            *request.headers_mut() = headers.clone();
            *request.body_mut() = body.clone().map(Into::into);
            let response = client.execute(request).await.map_err(cause)?;
            let Some(next) = redirect(&method, &url, &response)? else {
                return self.read(response, wanted).await;
            };
            if response.status() == StatusCode::SEE_OTHER {
                method = Method::GET;
                body = None;
                headers.remove(CONTENT_TYPE);
            }
            if next.origin() != url.origin() {
                headers.remove(AUTHORIZATION);
            }
            url = next;
        }
        Err(format!("more than {MAX_REDIRECTS} redirects"))
    }

    /// Reads the body as a stream: more than the limit is never held.
    async fn read(
        &self,
        mut response: Response,
        wanted: impl Fn(StatusCode, &HeaderMap) -> bool,
    ) -> Result<Answer, String> {
        let status = response.status();
        if !wanted(status, response.headers()) {
            return Ok(Answer { status, body: None });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(cause)? {
            let received = body.len() + chunk.len();
            if received > self.data_limit {
                return Err(format!("Received {received} bytes, maximum of {} bytes allowed.", self.data_limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body: Some(body) })
    }

    /// The library's client. A failure is not kept: the next request tries again.
    async fn client(&self) -> Result<&reqwest::Client, String> {
        let build = || async {
            // Reads files.
            let built = tokio::task::spawn_blocking(|| {
                let builder = reqwest::Client::builder()
                    .no_proxy()
                    .no_gzip()
                    .redirect(Policy::none())
                    .referer(false)
                    .retry(reqwest::retry::never())
                    .connect_timeout(CONNECT_TIMEOUT)
                    .pool_max_idle_per_host(0);
                builder.build().map_err(cause)
            });
            built.await.map_err(|error| error.to_string())?
        };
        let built: Result<_, String> = self.inner.get_or_try_init(build).await;
        built.map_err(|problem| format!("the HTTP client could not be built: {problem}"))
    }
}

/// Where a redirect leads; `None` for what is no redirect.
fn redirect(method: &Method, url: &Url, response: &Response) -> Result<Option<Url>, String> {
    let status = response.status();
    let keeps_method = match status {
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => true,
        StatusCode::SEE_OTHER => false,
        _ => return Ok(None),
    };
    // A redirect that leads nowhere is an ordinary answer.
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    let code = status.as_u16();
    if keeps_method && *method != Method::GET && *method != Method::HEAD {
        return Err(format!(
            "its answer {code} is a redirect, which is followed for GET and HEAD only, not for {method}"
        ));
    }
    let location = location.to_str().map_err(|_| format!("its answer {code} redirects to what is no text"))?;
    let next = url.join(location).map_err(|error| format!("its answer {code} redirects to no URL: {error}"))?;
    Ok(Some(next))
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
    const SHOWN: usize = 300;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect()
}
