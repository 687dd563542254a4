//! The state of one run: what the host functions of one instance can reach.
//!
//! It lives from the start of a run to its end, inside the engine's store, and belongs to that run alone; where instances
//! are reused it is renewed for each run. The resources under `resources/` are implemented on it, one file each.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use vumi_core::{Confirm, LogLevel, Outcome};
use vumi_message::{Timestamp, UserMessage};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::app::AppShared;
use crate::logbook::Logbook;
use crate::meter::{Budget, Growth, Stop};
use crate::script::Traces;
use crate::tape::Tape;

/// See the module's text.
pub(crate) struct Guest {
    pub(crate) app: Arc<AppShared>,
    pub(crate) budget: Budget,
    pub(crate) growth: Growth,
    /// Made when the first line comes: most runs write none.
    pub(crate) logbook: OnceLock<Arc<Logbook>>,
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
    /// What stack traces of a script are read with.
    pub(crate) traces: Option<Arc<Traces>>,
    wasi: Option<WasiCtx>,
    table: ResourceTable,
}

/// What started a run.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// A message from a user.
    Message(Arc<UserMessage>),
    /// An event.
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
        Self {
            budget: Budget::new(deadline, limits.host_calls),
            growth: Growth::new(limits.memory.as_usize(), limits.table_elements),
            logbook: OnceLock::new(),
            cause,
            confirms: Vec::new(),
            host_fault: None,
            lost_message: None,
            tape: None,
            traces: None,
            wasi: None,
            table: crate::wasi::table(),
            app,
        }
    }

    /// Begins again for the next run of the same instance. What belongs to the instance stays: its memory and tables,
    /// its handles, the streams that it holds.
    pub(crate) fn renew(&mut self, cause: Cause, deadline: Instant) {
        // Every field is named, so that a new one is not forgotten here.
        let Self {
            app,
            budget,
            growth,
            logbook,
            cause: old_cause,
            confirms,
            host_fault,
            lost_message,
            tape,
            // The instance's own, as its memory is.
            traces: _,
            wasi: _,
            table: _,
        } = self;
        *budget = Budget::new(deadline, app.limits.host_calls);
        growth.renew();
        if let Some(logbook) = logbook.get() {
            logbook.renew(cause.clone());
        }
        *old_cause = cause;
        confirms.clear();
        *host_fault = None;
        *lost_message = None;
        // A run that is recorded gets an instance of its own.
        *tape = None;
    }

    /// Counts a host call and starts its clock.
    pub(crate) fn begin(&mut self) -> wasmtime::Result<Instant> {
        self.budget.begin().map_err(wasmtime::Error::new)
    }

    /// The run's log.
    pub(crate) fn logbook(&self) -> &Arc<Logbook> {
        self.logbook.get_or_init(|| Arc::new(Logbook::new(Arc::clone(&self.app), self.cause.clone())))
    }

    /// Writes a line of the host to the app's log; these do not count against the guest's log bytes.
    pub(crate) fn host_log(&self, level: LogLevel, text: &str) {
        self.logbook().host(level, text);
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
        let Self { app, cause, logbook, tape, wasi, table, .. } = self;
        let logbook = || logbook.get_or_init(|| Arc::new(Logbook::new(Arc::clone(app), cause.clone())));
        let ctx = wasi.get_or_insert_with(|| crate::wasi::context(logbook(), tape.as_ref(), app.stage.get()));
        WasiCtxView { ctx, table }
    }
}

/// The time as the message types have it.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
