//! What the monitor does, without its queue and its timer: it is told things and asked to check at a given time
//! (specification: metrics, sections 7 and 8).

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde_json::Value;
use vumi_core::{Keyspace, Result};

use super::components::Components;
use super::expected::ExpectedSystem;
use super::message::Told;
use super::roster::{Heard, Issue, Roster, Verdict};
use super::storage::Storage;
use super::view;

/// See the module's text. All times are seconds since the epoch.
#[derive(Debug)]
pub struct Watch {
    known: Mutex<Known>,
    storage: Storage,
}

#[derive(Debug)]
struct Known {
    roster: Roster,
    components: Components,
    /// Open issues by worker id, as last written.
    issues: BTreeMap<String, Issue>,
}

impl Known {
    fn systems(&self) -> Vec<Value> {
        self.roster.systems().into_iter().map(|(_, content)| content).collect()
    }
}

impl Watch {
    /// Expects these workers; `deadline` is in seconds.
    pub fn new(deadline: u32, systems: Vec<ExpectedSystem>, keyspace: Keyspace, now: f64) -> Self {
        let roster = Roster::new(deadline, systems, now);
        let known = Known { roster, components: Components::default(), issues: BTreeMap::new() };
        Self { known: Mutex::new(known), storage: Storage(keyspace) }
    }

    /// Takes what was said.
    ///
    /// # Errors
    /// One sentence when there are too many components.
    pub fn hear(&self, told: Told, now: f64) -> Result<(), String> {
        let heartbeat = match told {
            Told::Report(report) => return self.known.lock().components.hear(report),
            Told::Heartbeat(heartbeat) => heartbeat,
        };
        let heard = self.known.lock().roster.hear(&heartbeat, now);
        let worker_id = heartbeat.worker_id;
        match heard {
            Heard::Counted => {}
            Heard::Unknown => tracing::info!(worker_id, "a heartbeat of a worker that nobody expects is discarded"),
            Heard::Late => tracing::info!(worker_id, "a heartbeat that is older than the deadline is discarded"),
        }
        Ok(())
    }

    /// Ends an interval and writes what is found. While Redis is away the numbers are still shown, and the next check
    /// writes them.
    pub async fn check(&self, now: f64) {
        let (verdicts, systems) = {
            let mut known = self.known.lock();
            (known.roster.check(now), known.roster.systems())
        };
        match self.carry_out(verdicts, now).await {
            Ok(()) => self.known.lock().roster.carried_out(),
            Err(error) => tracing::error!("the issues of workers could not be written: {}", error.report()),
        }
        if let Err(error) = self.storage.write_systems(&systems).await {
            tracing::error!("the monitored systems could not be written: {}", error.report());
        }
    }

    async fn carry_out(&self, verdicts: Vec<Verdict>, now: f64) -> Result<()> {
        for verdict in verdicts {
            match verdict {
                Verdict::Failing { worker_id, procs_count } => {
                    let issue = self.storage.fail(&worker_id, procs_count, now).await?;
                    if self.known.lock().issues.insert(worker_id.clone(), issue).is_none() {
                        tracing::warn!(worker_id, procs_count, "a worker has too few processes");
                    }
                }
                Verdict::Recovered { worker_id } => {
                    self.storage.recover(&worker_id).await?;
                    if self.known.lock().issues.remove(&worker_id).is_some() {
                        tracing::info!(worker_id, "a worker has enough processes again");
                    }
                }
            }
        }
        Ok(())
    }

    /// Forgets a component; true when it was known.
    pub fn forget(&self, uuid: &str) -> bool {
        self.known.lock().components.forget(uuid)
    }

    /// Everything, for programs.
    pub fn json(&self, now: i64) -> Value {
        let known = self.known.lock();
        view::json(&known.systems(), &known.components.at(now), &known.issues)
    }

    /// Everything, for a browser.
    pub fn html(&self, now: i64) -> String {
        let known = self.known.lock();
        view::html(&known.systems(), &known.components.at(now), &known.issues)
    }
}
