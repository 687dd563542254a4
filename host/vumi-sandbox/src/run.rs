//! One run: a fresh instance for one message or event, under its limits, and a record of what it used.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use vumi_bindings::app::AppPre;
use vumi_bindings::app::vumi::app::types;
use vumi_core::{Confirm, Happening, Input, LogLevel, Outcome, Run};
use vumi_message::Timestamp;
use wasmtime::{Store, UpdateDeadline};

use crate::app::{App, AppShared};
use crate::convert;
use crate::engine::Sandbox;
use crate::logbook::printable;
use crate::meter::{CpuMeter, CpuTimed, Growth, Stop};
use crate::plan::Release;
use crate::state::{Cause, Guest, now};
use crate::tape::Tape;
use crate::verdict;

/// Longest text of a guest that is kept as the reason of something, in bytes.
pub(crate) const MAX_REASON: usize = 4 << 10;

fn cause(input: &Input) -> Cause {
    match input {
        Input::Message(message) => Cause::Message(Arc::clone(message)),
        Input::Event(event) => Cause::Event { id: event.event_id().to_owned() },
    }
}

fn user(input: &Input) -> Option<String> {
    match input {
        Input::Message(message) => message.user().map(str::to_owned),
        Input::Event(_) => None,
    }
}

/// What is left to do after a run.
#[derive(Debug)]
pub struct Finished {
    /// What it used and how it ended.
    pub run: Run,
    /// To be awaited before the run's message is acknowledged.
    pub confirms: Vec<Confirm>,
    /// The host could not do its part: the message is to be tried again, for this reason.
    pub again: Option<String>,
}

/// What a fresh instance is made for: one call of the contract.
pub(crate) trait Entry: Send {
    /// What the call answers.
    type Answer: Send;

    /// Makes the instance and calls it. The text is the guest's own error, or says why its answer makes no sense.
    fn enter(
        self,
        store: &mut Store<Guest>,
    ) -> impl Future<Output = wasmtime::Result<Result<Self::Answer, String>>> + Send;
}

/// One call of an app's handler.
struct Call {
    pre: Arc<AppPre<Guest>>,
    what: Handler,
}

/// The contract's two handlers.
enum Handler {
    Message(types::Message),
    Event(types::Event),
}

impl Entry for Call {
    type Answer = ();

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<(), String>> {
        let instance = self.pre.instantiate_async(&mut *store).await.map_err(beginning)?;
        let handler = instance.vumi_app_handler();
        match self.what {
            Handler::Message(message) => handler.call_on_message(store, &message).await,
            Handler::Event(event) => handler.call_on_event(store, &event).await,
        }
    }
}

/// Marks an error as one from before the call.
pub(crate) fn beginning(error: wasmtime::Error) -> wasmtime::Error {
    error.context(Beginning)
}

impl App {
    /// Runs the app once. Never fails: how it ended stands in the record.
    pub async fn run(&self, input: &Input) -> Finished {
        let plan = self.plan();
        let (release, is_live) = plan.choose(self.name(), input, self.senders());
        if let (Some(shadow), true) = (&plan.shadow, is_live) {
            return shadow.run(self, release, input).await;
        }
        let finished = self.runner().run_release(release, self.shared(), input).await;
        if !is_live {
            self.senders().note(&finished.run.message_id, self.name(), finished.run.sent);
        }
        finished
    }
}

/// Runs versions of an app.
#[derive(Clone)]
pub(crate) struct Runner {
    sandbox: Arc<Sandbox>,
}

impl Runner {
    pub(crate) fn new(sandbox: &Arc<Sandbox>) -> Self {
        Self { sandbox: Arc::clone(sandbox) }
    }

    /// Runs one version once, with what `shared` lets it reach.
    pub(crate) async fn run_release(&self, release: &Release, shared: &Arc<AppShared>, input: &Input) -> Finished {
        let pre = match release.component.version().ready().await {
            Ok(pre) => pre,
            Err(reason) => return shared.not_ready(input, release.number, reason),
        };
        let tape = shared.deck.tape(release.number, release.component.hash(), input);
        let place = self.sandbox.place().await;
        let finished = once(&self.sandbox, shared, place, pre, release.number, input, tape.as_ref()).await;
        shared.deck.keep(shared, tape, &finished.run);
        finished
    }
}

/// One run of an app.
pub(crate) async fn once(
    sandbox: &Sandbox,
    shared: &Arc<AppShared>,
    place: Option<OwnedSemaphorePermit>,
    pre: Arc<AppPre<Guest>>,
    version: Option<u32>,
    input: &Input,
    tape: Option<&Tape>,
) -> Finished {
    let what = match input {
        Input::Message(message) => Handler::Message(convert::message(message)),
        Input::Event(event) => Handler::Event(convert::event(event)),
    };
    let about = About { cause: cause(input), user: user(input), version };
    run(sandbox, shared, place, about, Call { pre, what }, tape).await.1
}

/// What a run is about.
pub(crate) struct About {
    /// What started it.
    pub(crate) cause: Cause,
    /// The user of the conversation, where there is one.
    pub(crate) user: Option<String>,
    /// The version, where versions are numbered.
    pub(crate) version: Option<u32>,
}

/// Makes a fresh instance in its place of the pool, calls it, and throws it away. The answer is `None` when it did not
/// end well; how it ended stands in the record.
pub(crate) async fn run<E: Entry>(
    sandbox: &Sandbox,
    shared: &Arc<AppShared>,
    place: Option<OwnedSemaphorePermit>,
    about: About,
    entry: E,
    tape: Option<&Tape>,
) -> (Option<E::Answer>, Finished) {
    let (at, began) = (now(), Instant::now());
    let About { cause, user, version } = about;
    let mut guest = Guest::new(Arc::clone(shared), cause, began + shared.timeout);
    guest.tape = tape.cloned();
    let mut store = Store::new(sandbox.engine(), guest);
    let cpu = Arc::new(CpuMeter::default());
    shared.arm(&mut store, &cpu);
    let answer = {
        let work = pin!(entry.enter(&mut store));
        tokio::time::timeout(shared.timeout, CpuTimed::new(work, Arc::clone(&cpu))).await
    };
    let guest = store.data_mut();
    let (answer, stop) = match verdict_of(answer, &guest.growth, shared.timeout) {
        Ok(answer) => (Some(answer), None),
        Err(stop) => (None, Some(stop)),
    };
    let guest = store.into_data();
    drop(place);
    guest.logbook.finish();
    (answer, shared.finish(guest, stop, &cpu, Frame { at, began, user, version }))
}

/// What is known of a run from its beginning.
struct Frame {
    at: Timestamp,
    began: Instant,
    user: Option<String>,
    version: Option<u32>,
}

impl AppShared {
    /// Sets the limits that the engine watches over.
    fn arm(&self, store: &mut Store<Guest>, cpu: &Arc<CpuMeter>) {
        let limits = &self.limits;
        store.limiter(|guest| &mut guest.growth);
        store.set_hostcall_fuel(limits.transfer.as_usize());
        store.set_epoch_deadline(1);
        let allowed = Duration::from_millis(limits.cpu_ms);
        let meter = Arc::clone(cpu);
        store.epoch_deadline_callback(move |context| {
            if meter.used_now() > allowed {
                let sentence = format!("it used more than {} ms of CPU time", allowed.as_millis());
                return Err(wasmtime::Error::new(Stop::new(Outcome::CpuLimit, sentence)));
            }
            if Instant::now() >= context.data().budget.deadline {
                return Err(wasmtime::Error::new(Stop::new(Outcome::Deadline, "its time for this message was over")));
            }
            // Others get their turn at every tick, so a busy guest delays its neighbours by no more than that.
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
    }

    fn finish(&self, guest: Guest, stop: Option<Stop>, cpu: &CpuMeter, frame: Frame) -> Finished {
        let Frame { at, began, user, version } = frame;
        let again = match (&stop, &guest.lost_message, &guest.host_fault) {
            (_, Some(reason), _) => Some(reason.clone()),
            (Some(_), None, Some(reason)) => Some(reason.clone()),
            (Some(stop), None, None) if stop.outcome == Outcome::HostFault => Some(stop.sentence.clone()),
            _ => None,
        };
        let outcome = match (&stop, &again) {
            (_, Some(_)) => Outcome::HostFault,
            (Some(stop), None) => stop.outcome,
            (None, None) => Outcome::Ok,
        };
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let run = Run {
            at,
            app: self.name.clone(),
            version,
            sandbox_id: self.sandbox_id.clone(),
            message_id: guest.cause.id().to_owned(),
            user,
            outcome,
            error: again.clone().or_else(|| stop.map(|stop| stop.sentence)),
            cpu_us: micros(cpu.used()),
            wall_us: micros(began.elapsed()),
            host_us: micros(guest.budget.host_time),
            peak_memory: guest.growth.peak_memory() as u64,
            host_calls: guest.budget.host_calls,
            sent: guest.budget.sent,
            log_bytes: guest.logbook.bytes(),
        };
        if let Some(error) = &run.error
            && !self.deck.is_silent()
        {
            let text = format!("Sandbox '{}' stopped ({}): {error}", run.sandbox_id, run.outcome.code());
            guest.host_log(LogLevel::Error, &text);
        }
        self.report(&run);
        Finished { run, confirms: guest.confirms, again }
    }

    /// A run that could not begin: its component could not be brought into memory.
    fn not_ready(&self, input: &Input, version: Option<u32>, reason: String) -> Finished {
        let run = Run {
            at: now(),
            app: self.name.clone(),
            version,
            sandbox_id: self.sandbox_id.clone(),
            message_id: cause(input).id().to_owned(),
            user: user(input),
            outcome: Outcome::HostFault,
            error: Some(reason.clone()),
            cpu_us: 0,
            wall_us: 0,
            host_us: 0,
            peak_memory: 0,
            host_calls: 0,
            sent: 0,
            log_bytes: 0,
        };
        self.report(&run);
        Finished { run, confirms: Vec::new(), again: Some(reason) }
    }

    /// Tells of a run: log line, numbers, stored record, live feed.
    fn report(&self, run: &Run) {
        if self.deck.is_silent() {
            return;
        }
        tracing::info!(
            target: "run",
            app = run.app,
            version = run.version,
            message_id = run.message_id,
            outcome = run.outcome.code(),
            cpu_us = run.cpu_us,
            wall_us = run.wall_us,
            host_us = run.host_us,
            memory = run.peak_memory,
            calls = run.host_calls,
            sent = run.sent,
        );
        self.gauges.count(run);
        self.feed.tell(|| Happening::Run(run.clone()));
        self.store.put_run(run.clone());
    }
}

/// Marks errors from before the handler was called.
#[derive(Debug, thiserror::Error)]
#[error("the instance could not be started")]
struct Beginning;

fn verdict_of<T>(
    answer: Result<wasmtime::Result<Result<T, String>>, tokio::time::error::Elapsed>,
    growth: &Growth,
    timeout: Duration,
) -> Result<T, Stop> {
    match answer {
        Ok(Ok(Ok(answer))) => Ok(answer),
        Ok(Ok(Err(text))) => Err(Stop::new(Outcome::HandlerError, printable(&text, MAX_REASON))),
        Ok(Err(error)) => {
            let mut stop = verdict::judge(&error, growth);
            if stop.outcome == Outcome::Trap && error.is::<Beginning>() {
                stop = Stop::new(Outcome::Instantiate, format!("its instance could not be started: {}", stop.sentence));
            }
            Err(stop)
        }
        Err(_) => Err(Stop::new(Outcome::Deadline, format!("it took longer than {} s", timeout.as_secs()))),
    }
}
