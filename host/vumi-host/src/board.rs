//! What is known of the running system at this moment: the state of each worker, where it listens, what has passed.
//!
//! One task follows the live feed, keeps this board, and hands every happening on to the admin server's stream and
//! to the book of simulated phones.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::broadcast::error::RecvError;
use vumi_admin::model::{AppCounters, LastError, StatusChange, SystemEvent, TransportCounters, WorkerKind, WorkerStatus};
use vumi_admin::{EventHub, PhoneBook};
use vumi_core::{Feed, Happening, MessageRecord, Outcome, Run};
use vumi_message::Timestamp;

use crate::views;

/// Events that a client of the stream may be behind.
const STREAM_LENGTH: usize = 4096;

/// The state of one worker.
#[derive(Clone, Debug)]
pub(crate) struct WorkerState {
    pub(crate) kind: WorkerKind,
    pub(crate) status: WorkerStatus,
    pub(crate) message: Option<String>,
    pub(crate) at: Option<String>,
}

#[derive(Default)]
struct Known {
    workers: BTreeMap<String, WorkerState>,
    apps: BTreeMap<String, (AppCounters, Option<LastError>)>,
    transports: BTreeMap<String, TransportCounters>,
}

/// See the module's text.
pub(crate) struct Board {
    known: RwLock<Known>,
    pub(crate) hub: EventHub,
    pub(crate) phones: PhoneBook,
    simulator: Option<String>,
}

impl Board {
    /// A board that follows the feed from now on. `simulator` names the transport behind the phones.
    pub(crate) fn follow(feed: &Feed, simulator: Option<String>) -> Arc<Self> {
        let board = Arc::new(Self {
            known: RwLock::default(),
            hub: EventHub::new(STREAM_LENGTH),
            phones: PhoneBook::new(),
            simulator,
        });
        let mut feed = feed.watch();
        let follower = Arc::clone(&board);
        tokio::spawn(async move {
            loop {
                match feed.recv().await {
                    Ok(entry) => follower.take(&entry.happening),
                    Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "the live view fell behind and skipped entries"),
                    Err(RecvError::Closed) => return,
                }
            }
        });
        board
    }

    /// Adds a worker, before it is started.
    pub(crate) fn expect(&self, kind: WorkerKind, name: &str) {
        let state = WorkerState { kind, status: WorkerStatus::Starting, message: None, at: None };
        self.known.write().workers.insert(key(kind, name), state);
    }

    /// One worker's state.
    pub(crate) fn worker(&self, kind: WorkerKind, name: &str) -> Option<WorkerState> {
        self.known.read().workers.get(&key(kind, name)).cloned()
    }

    /// The names of the workers that do not work.
    pub(crate) fn down(&self) -> Vec<String> {
        let known = self.known.read();
        let down = known.workers.iter().filter(|(_, state)| state.status == WorkerStatus::Down);
        down.map(|(name, _)| name.clone()).collect()
    }

    /// True when every worker that was expected has come up.
    pub(crate) fn all_up(&self) -> bool {
        let up = [WorkerStatus::Ok, WorkerStatus::Degraded];
        self.known.read().workers.values().all(|state| up.contains(&state.status))
    }

    pub(crate) fn app(&self, name: &str) -> (AppCounters, Option<LastError>) {
        self.known.read().apps.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn transport(&self, name: &str) -> TransportCounters {
        self.known.read().transports.get(name).cloned().unwrap_or_default()
    }

    /// Fills the phones with what the store still has of them, oldest first.
    pub(crate) fn recall(&self, records: &[MessageRecord]) {
        for record in records {
            self.phones.record(&views::message(record));
        }
    }

    fn take(&self, happening: &Happening) {
        match happening {
            Happening::Message(record) => self.take_message(record),
            Happening::Run(run) => self.take_run(run),
            Happening::Log(line) => {
                self.hub.publish(SystemEvent::Log(views::log(line)));
            }
            Happening::Ready { name, at } => self.change(name, WorkerStatus::Ok, None, at.clone()),
            Happening::Worker { name, state, reason } => {
                let status = match state.as_str() {
                    "starting" => WorkerStatus::Starting,
                    "waiting" => WorkerStatus::Down,
                    _ => WorkerStatus::Stopping,
                };
                self.change(name, status, reason.clone(), None);
            }
            _ => {}
        }
    }

    fn take_message(&self, record: &MessageRecord) {
        {
            let mut known = self.known.write();
            let counters = known.transports.entry(record.transport_name.clone()).or_default();
            match record.direction.as_str() {
                "inbound" => counters.inbound += 1,
                "outbound" => counters.outbound += 1,
                "failure" => counters.failures += 1,
                _ => counters.events += 1,
            }
        }
        let view = views::message(record);
        let update = (self.simulator.as_ref() == Some(&record.transport_name)).then(|| self.phones.record(&view)).flatten();
        self.hub.publish(SystemEvent::Message(view));
        if let Some(update) = update {
            self.hub.publish(SystemEvent::Phone(update));
        }
    }

    fn take_run(&self, run: &Run) {
        {
            let mut known = self.known.write();
            let (counters, last_error) = known.apps.entry(run.app.clone()).or_default();
            counters.runs += 1;
            counters.sent += run.sent;
            if run.outcome != Outcome::Ok {
                let reason = run.outcome.code().to_owned();
                *counters.failures.entry(reason.clone()).or_default() += 1;
                *last_error =
                    Some(LastError { at: views::micros(run.at), reason, message: run.error.clone().unwrap_or_default() });
            }
        }
        self.hub.publish(SystemEvent::Run(views::run(run)));
    }

    fn change(&self, name: &str, status: WorkerStatus, message: Option<String>, at: Option<String>) {
        let kind = {
            let mut known = self.known.write();
            let Some(state) = known.workers.get_mut(name) else { return };
            state.status = status;
            state.message.clone_from(&message);
            if at.is_some() {
                state.at = at;
            }
            state.kind
        };
        let name = name.split_once(':').map_or(name, |(_, name)| name).to_owned();
        let at = views::micros(Timestamp::now());
        self.hub.publish(SystemEvent::Status(StatusChange { at, kind, name, status, message }));
    }
}

/// A worker's name on the feed.
pub(crate) fn key(kind: WorkerKind, name: &str) -> String {
    let kind = match kind {
        WorkerKind::App => "app",
        WorkerKind::Transport => "transport",
        WorkerKind::Dispatcher => "dispatcher",
    };
    vumi_core::feed::worker_name(kind, name)
}
