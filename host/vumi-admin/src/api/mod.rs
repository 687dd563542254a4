//! The JSON API. One file per subject; each handler asks [`Control`](crate::Control) and shapes the answer.

mod access;
mod apps;
mod checks;
mod deployments;
mod events;
mod messages;
mod params;
mod queues;
mod recordings;
mod secrets;
mod simulator;
mod system;
mod trials;
mod versions;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::control::Control;
use crate::openapi::Document;
use crate::probes;
use crate::problem::Problem;
use crate::transfer::Transfers;

/// How long a request may take, event streams and uploads apart.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long an upload may take: the component has to come, and to be compiled.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(300);
/// How many event streams may be open at a time.
const MAX_STREAMS: usize = 100;

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub(crate) control: Arc<dyn Control>,
    /// Permits for event streams.
    pub(crate) streams: Arc<Semaphore>,
    /// Permits for components.
    pub(crate) transfers: Transfers,
    /// Ends the event streams, which would never end by themselves.
    pub(crate) shutdown: CancellationToken,
    /// Changes with every token that is removed.
    pub(crate) removals: Arc<watch::Sender<u64>>,
    /// The OpenAPI document as JSON.
    pub(crate) document: Arc<str>,
}

impl ApiState {
    pub(crate) fn new(control: Arc<dyn Control>, shutdown: CancellationToken) -> Self {
        Self {
            control,
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            transfers: Transfers::new(),
            shutdown,
            removals: Arc::new(watch::Sender::new(0)),
            document: "{}".into(),
        }
    }

    pub(crate) fn with_document(mut self, document: &utoipa::openapi::OpenApi) -> Self {
        match document.to_json() {
            Ok(json) => self.document = json.into(),
            Err(error) => tracing::error!(%error, "the OpenAPI document cannot be written"),
        }
        self
    }
}

/// All routes with their descriptions.
pub(crate) fn router() -> OpenApiRouter<ApiState> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(system::openapi))
        .routes(routes!(system::system))
        .routes(routes!(system::transports))
        .routes(routes!(system::dispatchers))
        .routes(routes!(system::workers))
        .routes(routes!(apps::list))
        .routes(routes!(apps::one))
        .routes(routes!(apps::runs))
        .routes(routes!(apps::logs))
        .routes(routes!(apps::kv))
        .routes(routes!(queues::list))
        .routes(routes!(queues::dead))
        .routes(routes!(queues::requeue))
        .routes(routes!(queues::drop_one))
        .routes(routes!(messages::list))
        .routes(routes!(simulator::phones))
        .routes(routes!(simulator::phone))
        .routes(routes!(simulator::send))
        .routes(routes!(deployments::list))
        .routes(routes!(deployments::one))
        .routes(routes!(deployments::remove))
        .routes(routes!(deployments::activate))
        .routes(routes!(deployments::roll_back))
        .routes(routes!(deployments::settings))
        .routes(routes!(trials::set_canary))
        .routes(routes!(trials::end_canary))
        .routes(routes!(trials::set_shadow))
        .routes(routes!(trials::end_shadow))
        .routes(routes!(trials::differences))
        .routes(routes!(versions::component))
        .routes(routes!(versions::remove))
        .routes(routes!(secrets::set))
        .routes(routes!(secrets::remove))
        .routes(routes!(recordings::list))
        .routes(routes!(recordings::one))
        .routes(routes!(access::list, access::create))
        .routes(routes!(access::remove))
        .routes(routes!(access::audit));
    let probes = OpenApiRouter::new().routes(routes!(probes::health)).routes(routes!(probes::metrics));
    let streams = OpenApiRouter::new().routes(routes!(events::stream));
    let uploads = OpenApiRouter::new().routes(routes!(versions::upload)).layer(middleware::from_fn(upload_deadline));
    OpenApiRouter::with_openapi(Document::openapi())
        .nest("/api/v1", v1)
        .merge(probes)
        .layer(middleware::from_fn(deadline))
        .merge(OpenApiRouter::new().nest("/api/v1", streams))
        .merge(OpenApiRouter::new().nest("/api/v1", uploads))
}

async fn deadline(request: Request, next: Next) -> Response {
    within(TIMEOUT, next.run(request)).await
}

async fn upload_deadline(request: Request, next: Next) -> Response {
    within(UPLOAD_TIMEOUT, next.run(request)).await
}

async fn within(limit: Duration, answer: impl Future<Output = Response>) -> Response {
    match tokio::time::timeout(limit, answer).await {
        Ok(response) => response,
        Err(_) => {
            let detail = "the host took too long to answer; whether an order was carried out is not known";
            Problem::busy(detail, Duration::from_secs(5)).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_that_hangs_is_answered_in_time() {
        let answer = within(Duration::from_millis(1), std::future::pending()).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"5".parse().unwrap()));
        let quick = async { "here".into_response() };
        assert_eq!(within(Duration::from_secs(10), quick).await.status(), 200);
    }
}
