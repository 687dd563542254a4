//! Putting it together: listener, guard, routes, and an orderly end.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::api::{self, ApiState};
use crate::assets;
use crate::connections::{BoundedListener, Peer};
use crate::control::Control;
use crate::error::AdminError;
use crate::guard::{self, Guard};
use crate::linger;
use crate::options::AdminOptions;
use crate::problem::Problem;
use crate::rules;

/// The largest request body in bytes, components apart. The largest that makes sense is a secret.
const BODY_LIMIT: usize = 64 * 1024;
/// How long requests that are under way may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Checks the options and takes the address.
///
/// # Errors
/// What [`AdminOptions::check`] says, or [`AdminError::Bind`] when the address is not to be had.
pub async fn bind(options: &AdminOptions) -> Result<TcpListener, AdminError> {
    options.check()?;
    let listen = options.listen;
    TcpListener::bind(listen).await.map_err(|source| AdminError::Bind { listen, source })
}

/// Serves until `shutdown` is cancelled, then ends the event streams, lets other requests finish within 5 seconds
/// and returns. What counts for the token rule is the address that `listener` really has.
///
/// # Errors
/// What [`AdminOptions::check`] says about that address; [`AdminError::Serve`] when the listener fails.
pub async fn serve(
    listener: TcpListener,
    options: AdminOptions,
    control: Arc<dyn Control>,
    shutdown: CancellationToken,
) -> Result<(), AdminError> {
    let listen = listener.local_addr()?;
    let token = options.token;
    AdminOptions { listen, token: token.clone() }.check()?;
    let guard = Guard::new(token, listen, Arc::clone(&control));
    let app = router(ApiState::new(control, shutdown.clone()), guard);
    info!(%listen, "admin server listens");
    let server = axum::serve(BoundedListener::new(listener), app.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(shutdown.clone().cancelled_owned())
        .into_future();
    let out_of_patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server => ended?,
        () = out_of_patience => warn!("admin server: requests were still under way at the end of the grace period"),
    }
    Ok(())
}

fn router(state: ApiState, guard: Guard) -> Router {
    let (routes, document) = api::router().split_for_parts();
    let state = state.with_document(&rules::describe(document));
    routes
        .with_state(state)
        .route("/", get(assets::index))
        .route("/assets/{*path}", get(assets::file))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(Arc::new(guard), guard::guard))
        .layer(middleware::map_request(linger::hold))
}

async fn not_found(request: Request) -> Problem {
    let detail = format!("there is nothing at {}; /api/v1/openapi.json lists what there is", request.uri().path());
    Problem::new(StatusCode::NOT_FOUND, detail)
}

async fn method_not_allowed(request: Request) -> Problem {
    let detail = format!("{} does not take {}", request.uri().path(), request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
