//! A running host, spoken to through its admin API: what `vumi-host deploy`, `apps`, `dead` and the others share.

pub(crate) mod apps;
mod ask;
mod changes;
mod component;
mod deploy;
mod describe;
mod recordings;
mod script;
mod secrets;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod tokens;
pub(crate) mod transfer;

use std::convert::Infallible;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use vumi_admin::Secret;
use vumi_core::Error;

pub(crate) use component::{MOST_BYTES, file as component_file, hash, local, local_component, save};
pub(crate) use deploy::execute as deploy;
pub(crate) use recordings::execute as recordings;
pub(crate) use tokens::{audit, execute as token};

use crate::cli::{Host, Slice};
use crate::commands::{Failure, say};
use transfer::Transfer;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long an upload may take: the host compiles the component before it answers.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(600);

/// The admin API of a running host.
pub(crate) struct Remote {
    client: reqwest::Client,
    url: Url,
    token: Option<Secret>,
}

/// Names and values behind the `?` of an address.
pub(crate) type Query<'a> = &'a [(&'a str, String)];

impl Remote {
    /// Looks at the address; nothing is sent yet.
    pub(crate) fn new(host: &Host) -> Result<Self, Failure> {
        let wrong = || Failure::Usage(format!("`{}` is no address of a host: write http://127.0.0.1:8080", host.url));
        let url: Url = host.url.parse().map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err(wrong());
        }
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(|error| Error::permanent("no HTTP client").because(error))?;
        Ok(Self { client, url, token: host.token.clone() })
    }

    /// Asks for something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str], query: Query<'_>) -> Result<T, Failure> {
        read(self.send(self.request(Method::GET, path, query)).await?).await
    }

    /// The same; `None` when the host has no such thing.
    pub(crate) async fn find<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Option<T>, Failure> {
        let response = self.exchange(self.request(Method::GET, path, &[])).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        read(accepted(response).await?).await.map(Some)
    }

    /// Has something done; what the host answers does not matter.
    pub(crate) async fn order(&self, method: Method, path: &[&str]) -> Result<(), Failure> {
        self.send(self.request(method, path, &[])).await.map(drop)
    }

    /// Has something done that takes a body.
    pub(crate) async fn tell(&self, method: Method, path: &[&str], body: &impl Serialize) -> Result<(), Failure> {
        self.send(self.request(method, path, &[]).json(body)).await.map(drop)
    }

    /// Has something done and reads the answer.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        let mut request = self.request(method, path, &[]);
        if let Some(body) = body {
            request = request.json(body);
        }
        read(self.send(request).await?).await
    }

    /// Sends a component.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: Query<'_>,
        component: Bytes,
    ) -> Result<T, Failure> {
        let transfer = Transfer::start("uploading", Some(component.len() as u64));
        let kind = if component.starts_with(b"\0asm") { "application/wasm" } else { "text/javascript" };
        let request = self
            .request(Method::POST, path, query)
            .timeout(UPLOAD_PATIENCE)
            .header(header::CONTENT_TYPE, kind)
            .header(header::CONTENT_LENGTH, component.len())
            .body(reqwest::Body::wrap_stream(
                transfer.stream::<Infallible>(component, "the host checks and compiles it"),
            ));
        let sent = self.send(request).await;
        transfer.end();
        read(sent?).await
    }

    /// Gets bytes, [`MOST_BYTES`] at most.
    async fn download(&self, path: &[&str]) -> Result<Bytes, Failure> {
        let request = self.request(Method::GET, path, &[]).timeout(UPLOAD_PATIENCE);
        let mut response = self.send(request).await?;
        let transfer = Transfer::start("downloading", response.content_length());
        let mut bytes = BytesMut::new();
        let broken = |error: reqwest::Error| Error::temporary("the download broke off").because(error.without_url());
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            bytes.extend_from_slice(&chunk);
            transfer.add(chunk.len());
            if bytes.len() as u64 > MOST_BYTES {
                return Err(Error::permanent(format!("the host sends more than {MOST_BYTES} bytes")).into());
            }
        }
        transfer.end();
        Ok(bytes.freeze())
    }

    /// The component of a version.
    pub(crate) async fn component(&self, app: &str, version: u32) -> Result<Bytes, Failure> {
        self.download(&["deployments", app, "versions", &version.to_string(), "component"]).await
    }

    fn request(&self, method: Method, path: &[&str], query: Query<'_>) -> RequestBuilder {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        accepted(self.exchange(request).await?).await
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Response, Failure> {
        request.send().await.map_err(|error| {
            let text = if error.is_timeout() && !error.is_connect() {
                format!("the host at {} takes too long to answer", self.url)
            } else {
                format!("no host answers at {}: is it running, and is this its admin address?", self.url)
            };
            Error::temporary(text).because(error.without_url()).into()
        })
    }
}

/// The answer, or what the host has against the request.
async fn accepted(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    if status == StatusCode::UNAUTHORIZED {
        let text = "this host wants its token: give --token, or set VUMI_ADMIN_TOKEN";
        return Err(Failure::Usage(text.into()));
    }
    let problem: Option<Value> = response.json().await.ok();
    let detail = problem.as_ref().and_then(|body| body.get("detail")?.as_str().map(str::to_owned));
    let text = detail.unwrap_or_else(|| format!("the host answered {status}"));
    Err(if status.is_server_error() { Error::temporary(text).into() } else { Failure::Usage(text) })
}

/// What an answer says. By way of a `Value`: with numbers of any precision, flattened structs cannot be read straight
/// from text.
async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Failure> {
    let strange = "this host answers differently from what this version understands";
    let value: Value = response.json().await.map_err(|error| Error::permanent(strange).because(error.without_url()))?;
    serde_json::from_value(value).map_err(|error| Error::permanent(strange).because(error).into())
}

/// The part of a list that was asked for.
pub(crate) fn page(slice: Slice) -> Vec<(&'static str, String)> {
    let before = slice.before.map(|before| ("before", before.to_string()));
    std::iter::once(("limit", slice.limit.to_string())).chain(before).collect()
}

/// Prints JSON as it is, for programs.
pub(crate) fn say_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value);
    say(&text.map_err(|error| Error::permanent("the answer cannot be shown").because(error))?)
}
