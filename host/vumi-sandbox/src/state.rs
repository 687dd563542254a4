//! The state of one run: what the host functions of one instance can reach.
//!
//! It lives from the start of a run to its end, inside the engine's store, and belongs to that run alone. The
//! resources under `resources/` are implemented on it, one file each.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use vumi_core::{Confirm, LogLevel, Outcome};
use vumi_message::{Timestamp, UserMessage};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::app::AppShared;
use crate::logbook::Logbook;
use crate::meter::{Budget, Growth, Stop};
use crate::tape::Tape;
use crate::wasi;

/// See the module's text.
pub(crate) struct Guest {
    pub(crate) app: Arc<AppShared>,
    pub(crate) budget: Budget,
    pub(crate) growth: Growth,
    pub(crate) logbook: Arc<Logbook>,
    /// The message or event that started the run.
    pub(crate) cause: Cause,
    /// Confirms of what was sent; the run's message is not acknowledged before they have come.
    pub(crate) confirms: Vec<Confirm>,
    /// A fault of the host that the guest was told of as `unavailable`. A guest that then ended well has coped;
    /// otherwise its message is tried again.
    pub(crate) host_fault: Option<String>,
    /// The broker did not take a message: whatever the guest made of that, its message is tried again.
    pub(crate) lost_message: Option<String>,
    /// The tape of a run that is recorded or replayed.
    pub(crate) tape: Option<Tape>,
    wasi: Option<WasiCtx>,
    table: ResourceTable,
}

/// What started a run.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// A message from a user.
    Message(Arc<UserMessage>),
    /// An event about the message with this id.
    Event {
        /// The event's own id.
        id: String,
    },
}

impl Cause {
    /// The id that the ids of sent messages are derived from.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Message(message) => message.message_id(),
            Self::Event { id } => id,
        }
    }
}

impl Guest {
    pub(crate) fn new(app: Arc<AppShared>, cause: Cause, deadline: Instant) -> Self {
        let limits = &app.limits;
        let logbook = Logbook::new(Arc::clone(&app), cause.id().to_owned());
        Self {
            budget: Budget::new(deadline, limits.host_calls),
            growth: Growth::new(limits.memory.as_usize(), limits.table_elements),
            logbook: Arc::new(logbook),
            cause,
            confirms: Vec::new(),
            host_fault: None,
            lost_message: None,
            tape: None,
            wasi: None,
            table: wasi::table(),
            app,
        }
    }

    /// Counts a host call and starts its clock.
    pub(crate) fn begin(&mut self) -> wasmtime::Result<Instant> {
        self.budget.begin().map_err(wasmtime::Error::new)
    }

    /// Writes a line of the host to the app's log; these do not count against the guest's log bytes.
    pub(crate) fn host_log(&self, level: LogLevel, text: &str) {
        self.logbook.host(level, text);
    }
}

/// Waits for a host-side future, at most as long as the message has left and never longer than `cap`.
///
/// # Errors
/// The stop of the run when the message's time is over; `Ok(None)` when only `cap` passed.
pub(crate) async fn wait<T>(
    deadline: Instant,
    cap: Duration,
    future: impl Future<Output = T>,
) -> wasmtime::Result<Option<T>> {
    // What is ready at once, as memory always is, needs no timer.
    let mut future = pin!(future);
    if let Poll::Ready(answer) = futures_util::poll!(future.as_mut()) {
        return Ok(Some(answer));
    }
    let left = deadline.saturating_duration_since(Instant::now());
    match tokio::time::timeout(left.min(cap), future).await {
        Ok(answer) => Ok(Some(answer)),
        Err(_) if Instant::now() >= deadline => {
            let sentence = "its time for this message was over during a host call";
            Err(wasmtime::Error::new(Stop::new(Outcome::Deadline, sentence)))
        }
        Err(_) => Ok(None),
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // Most messages never reach for WASI: the context is made when the first call comes.
        let ctx = self.wasi.get_or_insert_with(|| wasi::context(&self.logbook, self.tape.as_ref()));
        WasiCtxView { ctx, table: &mut self.table }
    }
}

/// The time as the message types have it.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
