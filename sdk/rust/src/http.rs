//! Requests to the web, to the places that the app's owner allowed.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use crate::bindings::vumi::app::http;
use crate::{Error, Result};

pub use crate::bindings::vumi::app::http::Method;

/// A request; [`Request::send`] sends it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Request {
    fields: http::HttpRequest,
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

    /// Sends it and waits for the whole response.
    ///
    /// # Errors
    /// [`Error::Denied`] when the target is not allowed; other errors when the exchange failed. A 404 or 500 is a
    /// response, not an error.
    pub fn send(self) -> Result<Response> {
        let response = http::request(&self.fields)?;
        Ok(Response { fields: response })
    }
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response {
    fields: http::HttpResponse,
}

impl Response {
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
