//! One run: a fresh instance for one message or event, under its limits, and a record of what it used. (Runs of
//! instances that live longer: `reuse`.)

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use vumi_core::{Confirm, Happening, Input, LogLevel, Outcome, Run};
use vumi_message::Timestamp;
use wasmtime::{Store, UpdateDeadline};

use crate::app::{App, AppShared};
use crate::cpu::{CpuMeter, Timed};
use crate::engine::{Sandbox, TICK};
use crate::logbook::printable;
use crate::meter::{Growth, Stop};
use crate::plan::Release;
use crate::reuse::{Pool, Source};
use crate::script::{Handler, Runnable};
use crate::state::{Cause, Guest, now};
use crate::tape::Tape;
use crate::turns::{InTurn, Turn, Turns};
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
struct Call<'a> {
    ready: &'a Runnable,
    what: &'a Handler,
}

impl Entry for Call<'_> {
    type Answer = ();

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<(), String>> {
        match self.ready.instance(store).await? {
            Ok(instance) => instance.call(self.what, store).await,
            Err(text) => Ok(Err(text)),
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
        let other = self.shared().named_by(input);
        // Instances that go on are the app's own.
        let pool = self.pool().filter(|_| is_live && other.is_none());
        let shared = other.as_ref().unwrap_or_else(|| self.shared());
        let finished = self.runner().run_release(release, shared, pool, input).await;
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
    /// An instance comes from `pool` where there is one, unless the run is recorded.
    pub(crate) async fn run_release(
        &self,
        release: &Release,
        shared: &Arc<AppShared>,
        pool: Option<&Arc<Pool>>,
        input: &Input,
    ) -> Finished {
        let ready = match release.component.version().ready().await {
            Ok(ready) => ready,
            Err(reason) => return shared.not_ready(input, release.number, reason),
        };
        let tape = shared.deck.tape(release.number, release.component.hash(), input);
        let place = self.sandbox.place().await;
        if let (Some(pool), None) = (pool, &tape) {
            let (about, what) = (About::of(input, release.number), Handler::of(input, &ready));
            let source = Source { version: Arc::clone(release.component.version()), ready };
            return pool.run(&self.sandbox, shared, place, about, source, &what).await;
        }
        let finished = once(&self.sandbox, shared, place, &ready, release.number, input, tape.as_ref()).await;
        shared.deck.keep(shared, tape, &finished.run);
        finished
    }
}

/// One run of an app.
pub(crate) async fn once(
    sandbox: &Sandbox,
    shared: &Arc<AppShared>,
    place: Option<OwnedSemaphorePermit>,
    ready: &Runnable,
    version: Option<u32>,
    input: &Input,
    tape: Option<&Tape>,
) -> Finished {
    let (about, what) = (About::of(input, version), Handler::of(input, ready));
    run(sandbox, shared, place, about, Call { ready, what: &what }, tape).await.1
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

impl About {
    fn of(input: &Input, version: Option<u32>) -> Self {
        Self { cause: cause(input), user: user(input), version }
    }
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
    // What waits here has not begun: as for a place, no run fails for want of a turn.
    let first = sandbox.turns().first(&shared.account).await;
    let began = Began::now();
    let About { cause, user, version } = about;
    let mut guest = Guest::new(Arc::clone(shared), cause, began.clock + shared.timeout);
    guest.tape = tape.cloned();
    let mut store = shared.open(sandbox, guest);
    let ended = shared.enter(&mut store, entry, &began, sandbox.turns(), first).await;
    let mut guest = store.into_data();
    drop((place, ended.turn));
    let finished = shared.finish(&mut guest, ended.stop, ended.cpu, &began, user, version);
    (ended.answer, finished)
}

/// When a run began.
pub(crate) struct Began {
    at: Timestamp,
    pub(crate) clock: Instant,
}

impl Began {
    pub(crate) fn now() -> Self {
        Self { at: now(), clock: Instant::now() }
    }
}

/// How a call ended.
pub(crate) struct Ended<T> {
    /// What it answered, when it ended well.
    pub(crate) answer: Option<T>,
    /// Why it did not.
    pub(crate) stop: Option<Stop>,
    /// Whether the guest came to its own end, well or with an error: its instance is in order.
    pub(crate) returned: bool,
    /// CPU time used.
    pub(crate) cpu: Duration,
    /// Kept until the run's remains are gone.
    pub(crate) turn: Option<Turn>,
}

impl AppShared {
    /// A store for an instance, with the limits that it has for all its life.
    pub(crate) fn open(&self, sandbox: &Sandbox, guest: Guest) -> Store<Guest> {
        let mut store = Store::new(sandbox.engine(), guest);
        store.limiter(|guest| &mut guest.growth);
        store.set_hostcall_fuel(self.limits.transfer.as_usize());
        store
    }

    /// Makes one call under the limits of one run.
    pub(crate) async fn enter<E: Entry>(
        &self,
        store: &mut Store<Guest>,
        entry: E,
        began: &Began,
        turns: &Arc<Turns>,
        first: Option<Turn>,
    ) -> Ended<E::Answer> {
        let allowed = Duration::from_millis(self.limits.cpu_ms);
        let cpu = Arc::new(CpuMeter::new(allowed));
        watch(store, allowed, Arc::clone(&cpu));
        let answer = {
            let work = pin!(entry.enter(store));
            let mut work = pin!(InTurn::new(work, &cpu, turns, &self.account, first));
            let answer = Timed::new(work.as_mut(), Arc::clone(&cpu), began.clock + self.timeout).await;
            work.charge();
            answer
        };
        let (answer, turn) = answer.map_or((None, None), |(answer, turn)| (Some(answer), turn));
        let returned = matches!(answer, Some(Ok(_)));
        let (answer, stop) = match verdict_of(answer, &store.data().growth, self.timeout) {
            Ok(answer) => (Some(answer), None),
            Err(stop) => (None, Some(stop)),
        };
        Ended { answer, stop, returned, cpu: cpu.used(), turn }
    }

    /// Closes the books of a run.
    pub(crate) fn finish(
        &self,
        guest: &mut Guest,
        stop: Option<Stop>,
        cpu: Duration,
        began: &Began,
        user: Option<String>,
        version: Option<u32>,
    ) -> Finished {
        if let Some(logbook) = guest.logbook.get() {
            logbook.finish();
        }
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
            at: began.at,
            app: self.name.clone(),
            version,
            sandbox_id: self.sandbox_id.clone(),
            message_id: guest.cause.id().to_owned(),
            user,
            outcome,
            error: again.clone().or_else(|| stop.map(|stop| stop.sentence)),
            cpu_us: micros(cpu),
            wall_us: micros(began.clock.elapsed()),
            host_us: micros(guest.budget.host_time),
            peak_memory: guest.growth.peak_memory() as u64,
            host_calls: guest.budget.host_calls,
            sent: guest.budget.sent,
            log_bytes: guest.logbook.get().map_or(0, |logbook| logbook.bytes()),
        };
        if let Some(error) = &run.error
            && !self.deck.is_silent()
        {
            let text = format!("Sandbox '{}' stopped ({}): {error}", run.sandbox_id, run.outcome.code());
            guest.host_log(LogLevel::Error, &text);
        }
        self.report(&run);
        Finished { run, confirms: std::mem::take(&mut guest.confirms), again }
    }

    /// The same app for another namespace, where the app lets its messages say whose keys and log lines they are about.
    fn named_by(&self, input: &Input) -> Option<Arc<Self>> {
        if !self.legacy.sandbox_id_of_message {
            return None;
        }
        let payload = match input {
            Input::Message(message) => message.payload(),
            Input::Event(event) => event.payload(),
        };
        let id = payload.get("sandbox_id")?.as_str()?;
        if id == self.sandbox_id {
            return None;
        }
        if id.is_empty() || id.contains('#') {
            tracing::warn!(app = self.name, "a message's sandbox_id is empty or holds a `#`; the app's own is taken");
            return None;
        }
        Some(Arc::new(Self {
            sandbox_id: id.to_owned(),
            kv_prefix: format!("sandboxes#{id}#"),
            kv_counter: format!("count#{id}"),
            ..self.beside()
        }))
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

/// Looks at a run at every tick of the engine's epoch.
fn watch(store: &mut Store<Guest>, allowed: Duration, meter: Arc<CpuMeter>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |context| {
        let used = meter.used_now();
        if used > allowed {
            let sentence = format!("it used more than {} ms of CPU time", allowed.as_millis());
            return Err(wasmtime::Error::new(Stop::new(Outcome::CpuLimit, sentence)));
        }
        if Instant::now() >= context.data().budget.deadline {
            return Err(wasmtime::Error::new(Stop::new(Outcome::Deadline, "its time for this message was over")));
        }
        // A tick that falls into a short run by chance does not send it to the end of the line.
        if used < TICK {
            return Ok(UpdateDeadline::Continue(1));
        }
        // Others get their turn at every tick (see `turns`).
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
}

/// Marks errors from before the handler was called.
#[derive(Debug, thiserror::Error)]
#[error("the instance could not be started")]
struct Beginning;

fn verdict_of<T>(
    answer: Option<wasmtime::Result<Result<T, String>>>,
    growth: &Growth,
    timeout: Duration,
) -> Result<T, Stop> {
    match answer {
        Some(Ok(Ok(answer))) => Ok(answer),
        Some(Ok(Err(text))) => Err(Stop::new(Outcome::HandlerError, printable(&text, MAX_REASON))),
        Some(Err(error)) => {
            let mut stop = verdict::judge(&error, growth);
            if stop.outcome == Outcome::Trap && error.is::<Beginning>() {
                stop = Stop::new(Outcome::Instantiate, format!("its instance could not be started: {}", stop.sentence));
            }
            Err(stop)
        }
        None => Err(Stop::new(Outcome::Deadline, format!("it took longer than {} s", timeout.as_secs()))),
    }
}
