//! One run: a fresh instance for one message or event, under its limits, and a record of what it used.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vumi_bindings::app::vumi::app::types;
use vumi_core::{Confirm, Happening, Input, LogLevel, Outcome, Run};
use wasmtime::{Store, UpdateDeadline};

use crate::app::{App, Version};
use crate::convert;
use crate::logbook::printable;
use crate::meter::{CpuMeter, CpuTimed, Growth, Stop};
use crate::state::{Cause, Guest, now};
use crate::verdict;

/// Longest text of a handler's error that is kept with the run, in bytes.
const MAX_ERROR: usize = 4 << 10;

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

/// The contract's two handlers.
enum Call {
    Message(types::Message),
    Event(types::Event),
}

impl App {
    /// Runs the app once. Never fails: how it ended stands in the record.
    pub async fn run(&self, input: &Input) -> Finished {
        let place = self.sandbox.place().await;
        let (at, began) = (now(), Instant::now());
        let version = Arc::clone(&self.version.read());
        let guest = Guest::new(Arc::clone(&self.shared), cause(input), began + self.shared.timeout);
        let mut store = Store::new(self.sandbox.engine(), guest);
        let cpu = Arc::new(CpuMeter::default());
        self.arm(&mut store, &cpu);
        let call = match input {
            Input::Message(message) => Call::Message(convert::message(message)),
            Input::Event(event) => Call::Event(convert::event(event)),
        };
        let answer = {
            let work = pin!(enter(&version, &mut store, call));
            tokio::time::timeout(self.shared.timeout, CpuTimed::new(work, Arc::clone(&cpu))).await
        };
        let guest = store.data_mut();
        let stop = verdict_of(answer, &guest.growth, self.shared.timeout);
        let guest = store.into_data();
        drop(place);
        guest.logbook.finish();
        self.finish(guest, stop, at, began, &cpu, user(input))
    }

    /// Sets the limits that the engine watches over.
    fn arm(&self, store: &mut Store<Guest>, cpu: &Arc<CpuMeter>) {
        let limits = &self.shared.limits;
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

    fn finish(
        &self,
        guest: Guest,
        stop: Option<Stop>,
        at: vumi_message::Timestamp,
        began: Instant,
        cpu: &CpuMeter,
        user: Option<String>,
    ) -> Finished {
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
            app: self.shared.name.clone(),
            sandbox_id: self.shared.sandbox_id.clone(),
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
        self.report(&guest, &run);
        Finished { run, confirms: guest.confirms, again }
    }

    /// Tells of a run: log line, numbers, stored record, live feed.
    fn report(&self, guest: &Guest, run: &Run) {
        if let Some(error) = &run.error {
            let text = format!("Sandbox '{}' stopped ({}): {error}", run.sandbox_id, run.outcome.code());
            guest.host_log(LogLevel::Error, &text);
        }
        tracing::info!(
            target: "run",
            app = run.app,
            message_id = run.message_id,
            outcome = run.outcome.code(),
            cpu_us = run.cpu_us,
            wall_us = run.wall_us,
            host_us = run.host_us,
            memory = run.peak_memory,
            calls = run.host_calls,
            sent = run.sent,
        );
        self.shared.gauges.count(run);
        self.shared.feed.tell(|| Happening::Run(run.clone()));
        self.shared.store.put_run(run.clone());
    }
}

/// Makes the instance and calls its handler.
async fn enter(version: &Version, store: &mut Store<Guest>, call: Call) -> wasmtime::Result<Result<(), String>> {
    let instance = match version.pre.instantiate_async(&mut *store).await {
        Ok(instance) => instance,
        Err(error) => return Err(error.context(Beginning)),
    };
    let handler = instance.vumi_app_handler();
    match call {
        Call::Message(message) => handler.call_on_message(store, &message).await,
        Call::Event(event) => handler.call_on_event(store, &event).await,
    }
}

/// Marks errors from before the handler was called.
#[derive(Debug, thiserror::Error)]
#[error("the instance could not be started")]
struct Beginning;

fn verdict_of(
    answer: Result<wasmtime::Result<Result<(), String>>, tokio::time::error::Elapsed>,
    growth: &Growth,
    timeout: Duration,
) -> Option<Stop> {
    match answer {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(text))) => Some(Stop::new(Outcome::HandlerError, printable(&text, MAX_ERROR))),
        Ok(Err(error)) => {
            let mut stop = verdict::judge(&error, growth);
            if stop.outcome == Outcome::Trap && error.is::<Beginning>() {
                stop = Stop::new(Outcome::Instantiate, format!("its instance could not be started: {}", stop.sentence));
            }
            Some(stop)
        }
        Err(_) => Some(Stop::new(Outcome::Deadline, format!("it took longer than {} s", timeout.as_secs()))),
    }
}
