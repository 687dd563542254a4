//! What stands in for the host: everything in memory, one desk per thread.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::Error;
use crate::bindings::vumi::app::{http, log, metrics};
use crate::log::Level;

/// A message that the app sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// To whom; none for a reply.
    pub to_addr: Option<String>,
    /// The text.
    pub content: String,
    /// Whether it ends the session.
    pub closes: bool,
    /// Whether it went to the whole group.
    pub to_group: bool,
    /// The endpoint that was asked for.
    pub endpoint: Option<String>,
}

/// A value that the app measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Fired {
    /// Its name.
    pub name: String,
    /// The value.
    pub value: f64,
    /// How several become one.
    pub aggregator: metrics::Aggregator,
}

pub(super) type Answer = dyn FnMut(&http::HttpRequest) -> Result<http::HttpResponse, Error>;

#[derive(Default)]
pub(super) struct Desk {
    /// Values, and when they expire by the desk's clock.
    pub(super) kv: BTreeMap<String, (String, Option<Duration>)>,
    pub(super) sent: Vec<Sent>,
    pub(super) fired: Vec<Fired>,
    pub(super) logs: Vec<(log::Level, String)>,
    pub(super) config: BTreeMap<String, String>,
    pub(super) http: Option<Box<Answer>>,
    pub(super) clock: Duration,
    pub(super) slept: Vec<Duration>,
    pub(super) messages: u64,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

pub(super) fn with<T>(act: impl FnOnce(&mut Desk) -> T) -> T {
    DESK.with(|desk| act(&mut desk.borrow_mut()))
}

/// Clears the desk of this thread. A test has one of its own from the start.
pub fn reset() {
    with(|desk| *desk = Desk::default());
}

/// Moves the clock: what has expired in kv is gone.
pub fn advance(time: Duration) {
    with(|desk| desk.clock += time);
}

/// Gives the app a configuration key.
pub fn set_config(key: &str, value: &str) {
    with(|desk| desk.config.insert(key.to_owned(), value.to_owned()));
}

/// Answers the app's requests from now on. Without it every request is refused.
///
/// ```
/// use vumi_sdk::{http, testing};
///
/// testing::on_http(|request| {
///     assert_eq!(request.url, "https://clinic.example/patients/7");
///     Ok(http::Response::of(200, r#"{"name": "Anna"}"#))
/// });
/// let patient: serde_json::Value = http::get("https://clinic.example/patients/7").fetch()?;
/// assert_eq!(patient["name"], "Anna");
/// # Ok::<(), vumi_sdk::Error>(())
/// ```
pub fn on_http(mut answer: impl FnMut(&http::HttpRequest) -> Result<crate::http::Response, Error> + 'static) {
    with(|desk| desk.http = Some(Box::new(move |request| answer(request).map(crate::http::Response::into_fields))));
}

/// The messages sent since the last call.
pub fn sent() -> Vec<Sent> {
    with(|desk| std::mem::take(&mut desk.sent))
}

/// The values measured since the last call.
pub fn metrics() -> Vec<Fired> {
    with(|desk| std::mem::take(&mut desk.fired))
}

/// The log since the last call.
pub fn logs() -> Vec<(Level, String)> {
    with(|desk| std::mem::take(&mut desk.logs))
}

/// How long the app waited between tries, each time, since the last call. Nobody really waits.
pub fn slept() -> Vec<Duration> {
    with(|desk| std::mem::take(&mut desk.slept))
}

/// The JSON text under a key of kv.
pub fn stored(key: &str) -> Option<String> {
    super::calls::kv_get(key).ok().flatten()
}

/// How many seconds a key of kv still has; none when it stays, or is not there.
pub fn ttl_seconds(key: &str) -> Option<u64> {
    with(|desk| {
        let (_, expires) = desk.kv.get(key)?;
        expires.map(|expires| expires.saturating_sub(desk.clock).as_secs())
    })
}
