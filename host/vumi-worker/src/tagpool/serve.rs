//! The HTTP server of the tag pools' API.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use vumi_core::feed::worker_name;
use vumi_core::{Context, Error, Happening, Result, Worker};
use vumi_message::json;

use super::api::respond;
use super::pools::TagPools;
use crate::bounded::Bounded;
use crate::endpoint::Listen;
use vumi_core::secret::Secret;

/// The largest request body in bytes: room to declare some hundred thousand tags at once.
const BODY_LIMIT: usize = 8 * 1024 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long requests that are under way may take once the worker is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What callers must send.
pub(super) struct Guard(Secret);

impl Guard {
    pub(super) fn new(username: &str, password: &Secret) -> Self {
        Self(Secret::new(format!("{username}:{}", password.expose())))
    }

    /// Whether a request carries it (RFC 7617).
    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.split_once(' '));
        let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        given.and_then(|(_, text)| STANDARD.decode(text.trim()).ok()).is_some_and(|given| self.0.matches(&given))
    }
}

/// The worker.
pub(super) struct TagpoolApi {
    pub(super) context: Context,
    pub(super) listen: Listen,
    pub(super) pools: TagPools,
    pub(super) web_path: String,
    pub(super) health_path: String,
    pub(super) guard: Option<Guard>,
}

#[async_trait]
impl Worker for TagpoolApi {
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let listener = self.listen.bind().await?;
        let at = listener.local_addr().map_err(|error| Error::temporary("a listener has no address").because(error))?;
        if self.guard.is_none() && !at.ip().to_canonical().is_loopback() {
            tracing::warn!(%at, "other machines can change the tag pools: set `username` and `password`");
        }
        let name = worker_name("worker", &self.context.name);
        self.context.feed.tell(|| Happening::Ready { name, at: Some(at.to_string()) });
        let app = Router::new().fallback(serve).with_state(Arc::clone(&self));
        let server = axum::serve(Bounded::new(listener), app)
            .with_graceful_shutdown(shutdown.clone().cancelled_owned())
            .into_future();
        let out_of_patience = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            ended = server => {
                ended.map_err(|error| Error::temporary("the server of the tag pools ended").because(error))
            }
            () = out_of_patience => Ok(()),
        }
    }
}

async fn serve(State(api): State<Arc<TagpoolApi>>, request: Request) -> Response {
    let path = request.uri().path();
    let is = |wanted: &str| segments(path).eq(segments(wanted));
    if is(&api.health_path) {
        return match *request.method() {
            Method::GET | Method::HEAD => "OK".into_response(),
            _ => only("GET, HEAD"),
        };
    }
    if !is(&api.web_path) {
        return (StatusCode::NOT_FOUND, "there is nothing here\n").into_response();
    }
    if *request.method() != Method::POST {
        return only("POST");
    }
    if api.guard.as_ref().is_some_and(|guard| !guard.lets_in(request.headers())) {
        let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"tag pools\", charset=\"UTF-8\"")];
        return (StatusCode::UNAUTHORIZED, ask, "send user name and password\n").into_response();
    }
    let body = match timeout(PATIENCE, to_bytes(request.into_body(), BODY_LIMIT)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            return (StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 8 MiB, or broke off\n").into_response();
        }
        Err(_) => return (StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time\n").into_response(),
    };
    let answer = json::to_text(&respond(&api.pools, &body).await);
    ([(header::CONTENT_TYPE, "application/json")], answer).into_response()
}

fn only(methods: &'static str) -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, methods)]).into_response()
}

/// The parts of a path; slashes at its ends are immaterial.
pub(super) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}
