//! Requests to the web, to the places that the app's owner allowed.
//!
//! ```
//! use serde::Deserialize;
//! use vumi_sdk::http::{self, Retry};
//!
//! #[derive(Deserialize)]
//! struct Created {
//!     id: u32,
//! }
//!
//! # vumi_sdk::testing::on_http(|_| Ok(http::Response::of(201, "{\"id\": 7}")));
//! let created: Created = http::post("https://clinic.example/patients")
//!     .json(&serde_json::json!({ "name": "Anna" }))?
//!     .retry(Retry::default())
//!     .fetch()?;
//! assert_eq!(created.id, 7);
//! # Ok::<(), vumi_sdk::Error>(())
//! ```

mod retry;

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use crate::bindings::vumi::app::http;
use crate::{Error, Result, host};

pub use crate::bindings::vumi::app::http::Method;
pub use retry::Retry;

/// A request; [`Request::send`] sends it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Request {
    fields: http::HttpRequest,
    retry: Option<Retry>,
}

/// A GET request.
pub fn get(url: impl Into<String>) -> Request {
    Request::new(Method::Get, url)
}

/// A POST request.
pub fn post(url: impl Into<String>) -> Request {
    Request::new(Method::Post, url)
}

impl Request {
    /// A request.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            fields: http::HttpRequest { method, url: url.into(), headers: Vec::new(), body: None, timeout_ms: None },
            retry: None,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.fields.body = Some(body.into());
        self
    }

    /// Sets the body to a value as JSON, and the content type with it.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<Self> {
        let body = serde_json::to_vec(value)?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// Gives up after this time.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.fields.timeout_ms = Some(u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
        self
    }

    /// Tries again when the exchange failed or the server asks to come back later. A request that changes something may
    /// then reach the server twice.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Sends it and waits for the whole response.
    ///
    /// # Errors
    /// [`Error::Denied`] when the target is not allowed; other errors when the exchange failed. A 404 or 500 is a
    /// response, not an error.
    pub fn send(self) -> Result<Response> {
        match self.retry {
            Some(retry) => retry.run(self.fields),
            None => Ok(Response { fields: host::request(&self.fields)? }),
        }
    }

    /// Sends it, and reads the response as JSON.
    ///
    /// # Errors
    /// As [`Request::send`]; [`Error::Status`] for a status other than 200 to 299; [`Error::Json`] when the response is
    /// not of the shape of `T`.
    pub fn fetch<T: DeserializeOwned>(self) -> Result<T> {
        // Neither the query nor a password belongs into an error.
        let shown = shown(&self.fields.url).to_owned();
        let response = self.header("accept", "application/json").send()?;
        if !response.is_success() {
            return Err(Error::Status(response.status(), format!("{shown} answered {}", response.status())));
        }
        response.json()
    }
}

/// What of a URL may stand in an error: neither its query nor what stands before an `@`.
fn shown(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = url.get(..end).unwrap_or_default();
    url.rsplit_once('@').map_or(url, |(_, after)| after)
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response {
    fields: http::HttpResponse,
}

impl Response {
    /// A response of one's own, for tests.
    pub fn of(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { fields: http::HttpResponse { status, headers: Vec::new(), body: body.into() } }
    }

    /// The same with one more header, for tests.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.headers.push((name.into(), value.into()));
        self
    }

    #[cfg(any(doc, not(target_arch = "wasm32")))]
    pub(crate) fn into_fields(self) -> http::HttpResponse {
        self.fields
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.fields.status
    }

    /// True for 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status())
    }

    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.fields.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.fields.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        core::str::from_utf8(&self.fields.body).map_err(|_| Error::new("response body is not valid UTF-8"))
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is no JSON, or not of the shape of `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_slice(&self.fields.body)?)
    }
}
