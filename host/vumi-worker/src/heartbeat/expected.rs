//! Which workers a monitor expects, from its configuration (specification: metrics, section 7, Monitor).

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use vumi_core::{Error, Result};

use crate::metrics::whole;

/// A system and its workers, as configured.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitoredSystem {
    /// The workers' `system_id`. Required.
    #[serde(default)]
    pub system_id: Option<String>,
    /// Accepted for old configurations; not used.
    #[serde(default)]
    pub system_name: Option<String>,
    /// Any key → a worker. Required.
    #[serde(default)]
    pub workers: Option<BTreeMap<String, MonitoredWorker>>,
}

/// A worker, as configured.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitoredWorker {
    /// Its `worker_name`. Required.
    #[serde(default)]
    pub name: Option<String>,
    /// How many processes of it there must be. Required.
    #[serde(default, deserialize_with = "optional")]
    #[schemars(range(min = 0))]
    pub min_procs: Option<u32>,
}

fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    struct Present(#[serde(deserialize_with = "whole")] u32);
    Ok(Option::<Present>::deserialize(deserializer)?.map(|present| present.0))
}

/// A system and its workers, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedSystem {
    /// Its id, which is also its name.
    pub id: String,
    /// Its workers.
    pub workers: Vec<ExpectedWorker>,
}

/// A worker, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedWorker {
    /// `<system_id>:<name>`
    pub id: String,
    /// Its `worker_name`.
    pub name: String,
    /// How many processes of it there must be.
    pub min_procs: u32,
}

fn need<T: Clone>(value: &Option<T>, key: &str) -> Result<T> {
    value.clone().ok_or_else(|| Error::permanent(format!("Expected '{key}' field in config")))
}

/// Reads `monitored_systems`.
///
/// # Errors
/// `Expected '<key>' field in config`; and when a system or worker stands there twice.
pub fn expected(systems: &BTreeMap<String, MonitoredSystem>) -> Result<Vec<ExpectedSystem>> {
    let mut seen = BTreeSet::new();
    let mut once = |what: &str, id: &str| {
        let twice = || Error::permanent(format!("`monitored_systems` has the {what} '{id}' twice: put both into one"));
        seen.insert(format!("{what} {id}")).then_some(()).ok_or_else(twice)
    };
    let mut all = Vec::new();
    for system in systems.values() {
        let configured = need(&system.workers, "workers")?;
        let id = need(&system.system_id, "system_id")?;
        once("system", &id)?;
        let mut workers = Vec::new();
        for worker in configured.values() {
            let (name, min_procs) = (need(&worker.name, "name")?, need(&worker.min_procs, "min_procs")?);
            let worker_id = format!("{id}:{name}");
            once("worker", &worker_id)?;
            workers.push(ExpectedWorker { id: worker_id, name, min_procs });
        }
        all.push(ExpectedSystem { id, workers });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<ExpectedSystem>, String> {
        let systems = serde_json::from_str(json).map_err(|error| error.to_string())?;
        expected(&systems).map_err(|error| error.to_string())
    }

    #[test]
    fn missing_keys_are_named() {
        let whole =
            read(r#"{"a": {"system_id": "s", "system_name": "x", "workers": {"b": {"name": "w", "min_procs": "2"}}}}"#);
        let worker = ExpectedWorker { id: "s:w".into(), name: "w".into(), min_procs: 2 };
        assert_eq!(whole.unwrap(), [ExpectedSystem { id: "s".into(), workers: vec![worker] }]);
        for (json, key) in [
            (r#"{"a": {"system_id": "s"}}"#, "workers"),
            (r#"{"a": {"workers": {}}}"#, "system_id"),
            (r#"{"a": {"system_id": "s", "workers": {"b": {"min_procs": 1}}}}"#, "name"),
            (r#"{"a": {"system_id": "s", "workers": {"b": {"name": "w"}}}}"#, "min_procs"),
            (r#"{"a": {"system_id": "s", "workers": {"b": {"name": "w", "min_procs": null}}}}"#, "min_procs"),
        ] {
            assert_eq!(read(json).unwrap_err(), format!("Expected '{key}' field in config"));
        }
        let twice = r#"{"a": {"system_id": "s", "workers": {}}, "b": {"system_id": "s", "workers": {}}}"#;
        assert!(read(twice).unwrap_err().contains("has the system 's' twice"));
        assert!(read(r#"{"a": {"sytem_id": "s"}}"#).unwrap_err().contains("sytem_id"));
    }
}
