//! The live stream: Server-Sent Events, as <https://html.spec.whatwg.org/multipage/server-sent-events.html> has them.
//!
//! A client reads at its own pace. What it does not take in time is dropped for it alone, and it is told how much
//! that was; nobody else waits.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use utoipa::IntoParams;

use super::ApiState;
use super::params;
use crate::caller::Caller;
use crate::extract::ApiQuery;
use crate::hub::Missed;
use crate::model::{Sequenced, SystemEvent};
use crate::problem::Problem;
use crate::tenure;

/// How often a silent stream gets a comment, so that proxies and our own idle limit see that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Which events. One that names another app, transport or user, or none at all, does not pass the filter.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    /// Only events about this app.
    app: Option<String>,
    /// Only events about this transport.
    transport: Option<String>,
    /// Only events about this user's address.
    user: Option<String>,
}

impl EventParams {
    fn passes(&self, event: &SystemEvent) -> bool {
        let matches = |wanted: &Option<String>, is: Option<&str>| wanted.is_none() || wanted.as_deref() == is;
        matches(&self.app, event.app())
            && matches(&self.transport, event.transport())
            && matches(&self.user, event.user())
    }
}

/// Everything that happens, as it happens
///
/// Server-Sent Events. The event names are `message`, `log`, `run`, `status`, `phone` and `build` (data: the content of
/// the `SystemEvent` of that name), `ready` (the stream is live from here; data: `{"last_id": n}`) and `lagged` (data:
/// `{"missed": n}`, the number of events, before the filter, that this client could not get; null when that is not known).
#[utoipa::path(
    get, path = "/events", tag = "messages", operation_id = "events",
    params(
        EventParams,
        ("Last-Event-ID" = Option<u64>, Header, description = "Go on after this event, if it is still remembered"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 503, body = Problem, description = "Too many streams are open"),
    ),
)]
pub(crate) async fn stream(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    ApiQuery(filter): ApiQuery<EventParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = EventParams {
        app: params::text("app", filter.app)?,
        transport: params::text("transport", filter.transport)?,
        user: params::text("user", filter.user)?,
    };
    let permit = Arc::clone(&state.streams)
        .try_acquire_owned()
        .map_err(|_| Problem::busy("too many event streams are open", Duration::from_secs(10)))?;
    let subscription = state.control.events().subscribe(last_seen(&headers));

    let mut first = Vec::new();
    match subscription.missed {
        Missed::Nothing => {}
        Missed::Events(count) => first.extend(lagged(Some(count))),
        Missed::Unknown => first.extend(lagged(None)),
    }
    let replay = subscription.replay.iter();
    first.extend(replay.filter_map(|event| encode(&filter, event)));
    // Its id lets a client that gets nothing else still come back to the right place.
    let last_id = subscription.last_id;
    first.extend(named("ready", &json!({ "last_id": last_id })).map(|e| e.id(last_id.to_string())));

    let live = BroadcastStream::new(subscription.receiver).filter_map(move |received| {
        // The permit lives as long as the stream does.
        let _ = &permit;
        let event = match received {
            Ok(event) => encode(&filter, &event),
            Err(BroadcastStreamRecvError::Lagged(count)) => lagged(Some(count)),
        };
        std::future::ready(event)
    });
    let (shutdown, control, removals) = (state.shutdown, state.control, state.removals.subscribe());
    let end = async move {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tenure::over(caller, control, removals) => {}
        }
    };
    let events = stream::iter(first).chain(live).take_until(end).map(Ok::<_, Infallible>);
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive"));
    // nginx would otherwise collect the stream before it passes it on.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
    Ok(([unbuffered], sse).into_response())
}

/// The id in `Last-Event-ID`. One that we never gave out is treated like one of another process.
fn last_seen(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get("last-event-id")?.as_bytes();
    if value.is_empty() {
        return None;
    }
    let id = std::str::from_utf8(value).ok().and_then(|id| id.parse().ok());
    Some(id.unwrap_or(0))
}

fn encode(filter: &EventParams, event: &Sequenced) -> Option<Event> {
    if !filter.passes(&event.event) {
        return None;
    }
    let name = event.event.name();
    let encoded = match &event.event {
        SystemEvent::Message(message) => named(name, message),
        SystemEvent::Log(line) => named(name, line),
        SystemEvent::Run(run) => named(name, run),
        SystemEvent::Status(change) => named(name, change),
        SystemEvent::Phone(update) => named(name, update),
        SystemEvent::Build(build) => named(name, build),
    };
    encoded.map(|encoded| encoded.id(event.id.to_string()))
}

fn lagged(missed: Option<u64>) -> Option<Event> {
    named("lagged", &json!({ "missed": missed }))
}

fn named(name: &str, data: &impl Serialize) -> Option<Event> {
    match Event::default().event(name).json_data(data) {
        Ok(event) => Some(event),
        Err(error) => {
            tracing::error!(%error, name, "an event cannot be written as JSON");
            None
        }
    }
}
