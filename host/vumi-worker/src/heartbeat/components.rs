//! Components that report their own status (specification: metrics, section 8): each should do so every minute, and one
//! that has not been heard of for two minutes is in error. None disappears by itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::message::Report;

/// Components kept.
const MAX_COMPONENTS: usize = 1_000;
/// From this age of the last report on, a component is in error.
const ERROR_AFTER: i64 = 120;

/// The last report of each component, by uuid.
#[derive(Clone, Debug, Default)]
pub(super) struct Components(BTreeMap<String, Report>);

/// A component as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Component<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// What tells it from others of that name.
    pub(super) uuid: &'a str,
    /// Seconds since its last report.
    pub(super) age_s: i64,
    /// `ok` or `error`.
    pub(super) state: &'static str,
    /// Whatever else it said.
    pub(super) fields: &'a Map<String, Value>,
}

impl Components {
    /// Takes a report. One that is older than what is known changes nothing.
    ///
    /// # Errors
    /// One sentence when there are as many components as may be.
    pub(super) fn hear(&mut self, report: Report) -> Result<(), String> {
        match self.0.get(&report.uuid) {
            Some(known) if known.at > report.at => return Ok(()),
            None if self.0.len() >= MAX_COMPONENTS => {
                return Err(format!("{MAX_COMPONENTS} components are known already: forget some"));
            }
            _ => {}
        }
        self.0.insert(report.uuid.clone(), report);
        Ok(())
    }

    /// Forgets a component; true when it was known.
    pub(super) fn forget(&mut self, uuid: &str) -> bool {
        self.0.remove(uuid).is_some()
    }

    /// All components by name, as they are at the time `now` (seconds since the epoch).
    pub(super) fn at(&self, now: i64) -> Vec<Component<'_>> {
        let mut all: Vec<Component<'_>> = self.0.values().map(|report| report.as_component(now)).collect();
        all.sort_by_key(|component| (component.name, component.uuid));
        all
    }
}

impl Report {
    fn as_component(&self, now: i64) -> Component<'_> {
        // A clock that is ahead of ours makes a report come from the future: it is fresh.
        let age_s = now.saturating_sub(self.at).max(0);
        let state = if age_s < ERROR_AFTER { "ok" } else { "error" };
        Component { name: &self.name, uuid: &self.uuid, age_s, state, fields: &self.fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(uuid: &str, at: i64) -> Report {
        Report { name: "n".into(), uuid: uuid.into(), at, fields: Map::new() }
    }

    fn states(components: &Components, now: i64) -> Vec<(&str, i64, &'static str)> {
        components.at(now).iter().map(|component| (component.uuid, component.age_s, component.state)).collect()
    }

    #[test]
    fn a_component_stays_until_it_is_forgotten() {
        let mut components = Components::default();
        components.hear(report("b", 100)).unwrap();
        components.hear(report("a", 150)).unwrap();
        components.hear(report("a", 140)).unwrap();
        assert_eq!(states(&components, 130), [("a", 0, "ok"), ("b", 30, "ok")]);
        assert_eq!(states(&components, 1_000_000), [("a", 999_850, "error"), ("b", 999_900, "error")]);
        components.hear(report("b", 999_999)).unwrap();
        assert_eq!(states(&components, 1_000_000), [("a", 999_850, "error"), ("b", 1, "ok")]);
        assert!(components.forget("a") && !components.forget("a"));
        assert_eq!(states(&components, 1_000_000), [("b", 1, "ok")]);
    }

    #[test]
    fn there_are_only_so_many() {
        let mut components = Components::default();
        for n in 0..MAX_COMPONENTS {
            components.hear(report(&n.to_string(), 0)).unwrap();
        }
        assert!(components.hear(report("more", 0)).unwrap_err().contains("forget some"));
        components.hear(report("7", 5)).unwrap();
    }
}
