//! Counts the processes behind each expected worker (specification: metrics, section 7, Monitor). Nothing here knows a
//! clock or Redis: the time is given, and what follows from a check is a list of verdicts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::expected::{ExpectedSystem, ExpectedWorker};
use super::message::Heartbeat;

/// Processes counted for one worker.
const MAX_PROCS: usize = 10_000;

/// See the module's text.
#[derive(Debug)]
pub struct Roster {
    deadline: f64,
    systems: Vec<ExpectedSystem>,
    /// By worker id.
    states: BTreeMap<String, State>,
    checked_at: i64,
}

#[derive(Debug, Default)]
struct State {
    /// Host and process of those heard in the running interval.
    running: BTreeSet<(String, i64)>,
    /// Of those heard in the interval before.
    checked: BTreeSet<(String, i64)>,
    /// Size of the checked set when its verdict was last carried out.
    previous: u64,
}

/// What became of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It counts.
    Counted,
    /// Nobody expects this worker.
    Unknown,
    /// It was sent before the deadline.
    Late,
}

/// What a check says of one worker, where there is something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There are enough processes again: its issue is to be deleted.
    Recovered {
        /// `<system_id>:<name>`
        worker_id: String,
    },
    /// There are too few: an issue is to be opened, or the open one updated.
    Failing {
        /// `<system_id>:<name>`
        worker_id: String,
        /// How many there are.
        procs_count: u64,
    },
}

/// A worker with too few processes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    /// `min-procs-fail`
    pub issue_type: String,
    /// When it was opened, in seconds since the epoch.
    pub start_time: f64,
    /// How many processes there were at the last check.
    pub procs_count: u64,
}

impl Roster {
    /// Expects these workers; `deadline` is in seconds, `now` in seconds since the epoch.
    pub fn new(deadline: u32, systems: Vec<ExpectedSystem>, now: f64) -> Self {
        let workers = systems.iter().flat_map(|system| &system.workers);
        let states = workers.map(|worker| (worker.id.clone(), State::default())).collect();
        Self { deadline: f64::from(deadline), systems, states, checked_at: now.floor() as i64 }
    }

    /// Takes a heartbeat.
    pub fn hear(&mut self, heartbeat: &Heartbeat, now: f64) -> Heard {
        let Some(state) = self.states.get_mut(&heartbeat.worker_id) else { return Heard::Unknown };
        if heartbeat.timestamp.is_some_and(|at| at < now - self.deadline) {
            return Heard::Late;
        }
        if state.running.len() < MAX_PROCS {
            state.running.insert((heartbeat.hostname.clone(), heartbeat.pid));
        }
        Heard::Counted
    }

    /// Ends the running interval.
    pub fn check(&mut self, now: f64) -> Vec<Verdict> {
        self.checked_at = now.floor() as i64;
        let mut verdicts = Vec::new();
        for worker in self.systems.iter().flat_map(|system| &system.workers) {
            let Some(state) = self.states.get_mut(&worker.id) else { continue };
            state.checked = std::mem::take(&mut state.running);
            let procs_count = state.checked.len() as u64;
            let needed = u64::from(worker.min_procs);
            let worker_id = worker.id.clone();
            if procs_count < needed {
                verdicts.push(Verdict::Failing { worker_id, procs_count });
            } else if state.previous < needed {
                verdicts.push(Verdict::Recovered { worker_id });
            }
        }
        verdicts
    }

    /// Notes that the verdicts of the last check were carried out. Without it the next check says again what has
    /// recovered.
    pub fn carried_out(&mut self) {
        for state in self.states.values_mut() {
            state.previous = state.checked.len() as u64;
        }
    }

    /// The systems as they were at the last check: id and content.
    pub fn systems(&self) -> Vec<(String, Value)> {
        self.systems.iter().map(|system| (system.id.clone(), self.system(system))).collect()
    }

    fn system(&self, system: &ExpectedSystem) -> Value {
        let workers: Vec<Value> = system.workers.iter().map(|worker| self.worker(&system.id, worker)).collect();
        json!({"name": system.id, "id": system.id, "timestamp": self.checked_at, "workers": workers})
    }

    fn worker(&self, system_id: &str, worker: &ExpectedWorker) -> Value {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (host, _) in self.states.get(&worker.id).into_iter().flat_map(|state| &state.checked) {
            *counts.entry(host).or_default() += 1;
        }
        let hosts: Vec<Value> =
            counts.into_iter().map(|(host, count)| json!({"host": host, "proc_count": count})).collect();
        json!({
            "id": worker.id, "name": worker.name, "system_id": system_id, "min_procs": worker.min_procs, "hosts": hosts,
        })
    }
}
