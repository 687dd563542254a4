//! `vumi:app/http`: requests to the web, to the places that the app's owner allowed (specification: sandbox,
//! section 7).
//!
//! The exchange runs on the host's I/O runtime, so that it goes on while guests are busy; it ends with the run.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;
use vumi_bindings::app::vumi::app::http::{Host, HttpRequest, HttpResponse, Method as WitMethod};
use vumi_bindings::app::vumi::app::types::Error;

use crate::shadow;
use crate::state::{Guest, wait};
use crate::tape::request_value;
use crate::web::{Method, WebBudget, WebError, WebRequest, WebResponse};

fn method(method: WitMethod) -> Method {
    match method {
        WitMethod::Get => Method::Get,
        WitMethod::Put => Method::Put,
        WitMethod::Delete => Method::Delete,
        WitMethod::Head => Method::Head,
        WitMethod::Post => Method::Post,
        WitMethod::Patch => Method::Patch,
    }
}

/// What an error of the exchange means for the guest.
fn error(error: &WebError) -> Error {
    let text = error.to_string();
    match error {
        WebError::Blocked(_) => Error::Denied(text),
        WebError::Invalid(_) => Error::Invalid(text),
        WebError::TooLarge(_) => Error::Quota(text),
        _ => Error::Unavailable(text),
    }
}

impl Guest {
    async fn exchange(&mut self, request: HttpRequest, verified: bool) -> wasmtime::Result<Result<WebResponse, Error>> {
        let limits = &self.app.limits;
        if self.budget.http_requests >= limits.http_requests {
            return Ok(Err(Error::Quota(format!(
                "this run has made {} requests, the limit http_requests",
                limits.http_requests
            ))));
        }
        self.budget.http_requests += 1;
        let asked = request.timeout_ms.map_or(self.app.http_timeout, |ms| Duration::from_millis(ms.into()));
        let timeout = self.budget.left(asked.min(self.app.http_timeout));
        let mut budget = WebBudget {
            timeout,
            data_limit: self.app.http_data_limit,
            bytes_left: limits.http_bytes.0.saturating_sub(self.budget.http_bytes),
        };
        let request = WebRequest {
            method: method(request.method),
            url: request.url,
            headers: request.headers,
            body: request.body,
        };
        if let Some(answer) = self.answered_on_stage(&request, &mut budget) {
            self.budget.http_bytes = self.app.limits.http_bytes.0.saturating_sub(budget.bytes_left);
            return Ok(answer.map_err(|problem| error(&problem)));
        }
        if let Some(answer) = shadow::answered(&request) {
            return Ok(answer.map_err(|problem| error(&problem)));
        }
        let noted = shadow::is_watched().then(|| request.clone());
        let app = Arc::clone(&self.app);
        let work = AbortOnDropHandle::new(self.app.io.spawn(async move {
            let answer = match verified {
                true => app.web.request(request, &mut budget).await,
                false => app.web.request_unverified(request, &mut budget).await,
            };
            (answer, budget.bytes_left)
        }));
        // The exchange has its own time limit; this wait only adds the message's.
        let answer = match wait(self.budget.deadline, timeout + Duration::from_secs(1), work).await? {
            Some(Ok((answer, bytes_left))) => {
                self.budget.http_bytes = self.app.limits.http_bytes.0.saturating_sub(bytes_left);
                if let Some(request) = noted {
                    shadow::exchanged(&request, &answer);
                }
                answer.map_err(|problem| error(&problem))
            }
            Some(Err(_)) => Err(Error::Unavailable("the exchange was broken off".into())),
            None => Err(Error::Unavailable("the exchange took too long".into())),
        };
        Ok(answer)
    }
}

impl Guest {
    async fn ask_web(&mut self, request: HttpRequest, verified: bool) -> wasmtime::Result<Result<HttpResponse, Error>> {
        let began = self.begin()?;
        let answer = self.exchange(request, verified).await?;
        self.budget.end(began);
        Ok(answer.map(|response| HttpResponse {
            status: response.status,
            headers: response.headers,
            body: response.body,
        }))
    }
}

impl Guest {
    /// Makes a request. Only apps of Vumi's sandbox may have certificates not looked at.
    pub(crate) async fn request_web(
        &mut self,
        request: HttpRequest,
        verified: bool,
    ) -> wasmtime::Result<Result<HttpResponse, Error>> {
        let unanswered = || Err(Error::Unavailable("the recording has no answer to this request".into()));
        let args = || {
            let mut args = vec![request_value(&request)];
            args.extend((!verified).then(|| "unverified".into()));
            args
        };
        if let Some(answer) = self.cue("http.request", args, unanswered)? {
            return Ok(answer);
        }
        let answer = self.ask_web(request, verified).await;
        self.note(&answer);
        answer
    }
}

impl Host for Guest {
    async fn request(&mut self, request: HttpRequest) -> wasmtime::Result<Result<HttpResponse, Error>> {
        self.request_web(request, true).await
    }
}
