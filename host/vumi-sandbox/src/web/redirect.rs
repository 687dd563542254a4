//! One step of an exchange, and what a redirect makes of it.
//!
//! Redirects are followed by hand, because every target has to pass the policy and because what goes along depends on
//! where it goes: credentials stay behind when the origin changes. The rules are those of Vumi's sandbox resource
//! `http`, which are Twisted's.

use bytes::Bytes;
use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue,
    LOCATION, PROXY_AUTHORIZATION, SET_COOKIE,
};
use reqwest::{Method, Request, Response, StatusCode, Url};

use super::error::WebError;
use super::policy::WebPolicy;

/// How many redirects are followed.
pub(super) const MAX_REDIRECTS: usize = 20;
/// Length of a URL, in bytes.
const MAX_URL: usize = 16 * 1024;

/// What is sent next.
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) url: Url,
    /// Without the cookies of `jar`.
    headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    /// Cookies that servers set during this exchange; gone with it.
    jar: Jar,
}

impl Hop {
    /// The first step.
    ///
    /// # Errors
    /// [`WebError::Invalid`] for a URL that is none, [`WebError::Blocked`] for one that the policy closes.
    pub(super) fn first(
        policy: &WebPolicy,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Self, WebError> {
        if url.is_empty() {
            return Err(WebError::Invalid("No URL given".to_owned()));
        }
        // The parser drops line breaks within a URL without a word; whoever sends them is up to something.
        if url.chars().any(char::is_control) {
            return Err(WebError::Invalid("The URL has a control character in it, such as a line break.".to_owned()));
        }
        let url = Url::parse(url).map_err(|error| {
            WebError::Invalid(format!("The URL cannot be read: {error}; it must begin with http:// or https://."))
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(WebError::Invalid("The URL must begin with http:// or https://.".to_owned()));
        }
        let url = prepared(url).map_err(WebError::Invalid)?;
        policy.check_url(&url)?;
        Ok(Self { method, url, headers, body, jar: Jar::default() })
    }

    /// The request of this step, with the cookies that belong to it.
    pub(super) fn request(&self) -> Request {
        let mut request = Request::new(self.method.clone(), self.url.clone());
        *request.headers_mut() = self.headers.clone();
        if let Some(from_jar) = self.jar.cookies(&self.url) {
            let own = self.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
            let all: Vec<&[u8]> = own.chain([from_jar.as_bytes()]).collect();
            // Joining valid values gives a valid value.
            if let Ok(value) = HeaderValue::from_bytes(&all.join(b"; ".as_slice())) {
                request.headers_mut().insert(COOKIE, value);
            }
        }
        *request.body_mut() = self.body.clone().map(Into::into);
        request
    }

    /// Becomes the next step when `response` is a redirect; otherwise the response is the last.
    ///
    /// # Errors
    /// [`WebError::RedirectRefused`] when the redirect is not followed for this method or its target is not a URL,
    /// [`WebError::Blocked`] when the policy closes the target.
    pub(super) fn follow(&mut self, policy: &WebPolicy, response: &Response) -> Result<bool, WebError> {
        let status = response.status();
        let keeps_method = match status {
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => true,
            StatusCode::SEE_OTHER => false,
            _ => return Ok(false),
        };
        // A redirect that leads nowhere is an ordinary response.
        let Some(location) = response.headers().get(LOCATION) else { return Ok(false) };
        if keeps_method && self.method != Method::GET && self.method != Method::HEAD {
            return Err(WebError::RedirectRefused(format!(
                "The answer {} is a redirect, which is followed for GET and HEAD only, not for {}.",
                status.as_u16(),
                self.method
            )));
        }
        let target = target(&self.url, location).map_err(|problem| {
            WebError::RedirectRefused(format!("The answer {} redirects to no usable URL: {problem}", status.as_u16()))
        })?;
        policy.check_url(&target)?;

        self.jar.set_cookies(&mut response.headers().get_all(SET_COOKIE).iter(), &self.url);
        if !keeps_method {
            self.method = Method::GET;
            self.body = None;
            for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION] {
                self.headers.remove(name);
            }
        }
        if target.origin() != self.url.origin() {
            for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
                self.headers.remove(name);
            }
        }
        self.url = target;
        Ok(true)
    }
}

fn target(base: &Url, location: &HeaderValue) -> Result<Url, String> {
    let text = std::str::from_utf8(location.as_bytes()).map_err(|_| "its Location header is not text.".to_owned())?;
    let url = base.join(text).map_err(|error| format!("{error}."))?;
    prepared(url)
}

/// Brings a URL into the form that is sent: no fragment, no dot after the host name (with it, servers, certificates
/// and cookies would take the host for another one).
fn prepared(mut url: Url) -> Result<Url, String> {
    if url.as_str().len() > MAX_URL {
        return Err(format!("The URL is longer than {MAX_URL} bytes."));
    }
    url.set_fragment(None);
    if let Some(name) = url.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned) {
        url.set_host(Some(&name)).map_err(|_| "The URL's host is not a name.".to_owned())?;
    }
    Ok(url)
}
