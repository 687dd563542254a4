//! What the monitor keeps in Redis (specification: metrics, section 7, Redis schema).

use vumi_core::{Change, Keyspace, Op, Result};

use super::roster::Issue;

/// The monitor's keys.
#[derive(Clone, Debug)]
pub(super) struct Storage(pub(super) Keyspace);

fn issue_key(worker_id: &str) -> String {
    format!("worker:{worker_id}:issue")
}

fn set(key: String, value: String) -> Op {
    Op::SetText { key, value }
}

impl Storage {
    /// Writes all systems in one step.
    pub(super) async fn write_systems(&self, systems: &[(String, serde_json::Value)]) -> Result<()> {
        if systems.is_empty() {
            return Ok(());
        }
        let members = systems.iter().map(|(id, _)| id.clone()).collect();
        let mut change = Change::new().then(Op::SetAdd { key: "systems".to_owned(), members });
        for (id, content) in systems {
            change = change.then(set(format!("system:{id}"), content.to_string()));
        }
        self.0.collections.apply(change).await.map(drop)
    }

    /// Opens a worker's issue, or updates the number of processes in the open one. The issue as it is now.
    pub(super) async fn fail(&self, worker_id: &str, procs_count: u64, now: f64) -> Result<Issue> {
        let key = issue_key(worker_id);
        let open = self.0.collections.text(&key).await?;
        // What cannot be read is no issue of ours: a new one takes its place.
        let open = open.and_then(|text| serde_json::from_str::<Issue>(&text).ok());
        let issue = match open {
            Some(open) => Issue { procs_count, ..open },
            None => Issue { issue_type: "min-procs-fail".to_owned(), start_time: now, procs_count },
        };
        let text = serde_json::to_string(&issue).unwrap_or_default();
        self.0.collections.apply(Change::new().then(set(key, text))).await?;
        Ok(issue)
    }

    /// Deletes a worker's issue, if there is one.
    pub(super) async fn recover(&self, worker_id: &str) -> Result<()> {
        let change = Change::new().then(Op::Delete { keys: vec![issue_key(worker_id)] });
        self.0.collections.apply(change).await.map(drop)
    }
}
