//! Publishing statuses only when they change.
//!
//! A transport reports its status with every request it serves; monitoring wants to hear of changes only. The
//! detector stands in between and says of each report whether it is news.

use std::collections::{HashMap, HashSet};

use crate::{Status, StatusLevel};

/// How many components are remembered. A transport has a handful.
const MAX_COMPONENTS: usize = 1024;
/// How many types are remembered for one component. A component has a handful.
const MAX_TYPES: usize = 256;

/// Says which statuses are news (messages.md §6 "Edge detector", common.md C8): per component, those whose
/// `type` has not been seen since the component's `status` last changed.
///
/// What it remembers is bounded (1024 components, 256 types each). A status for which there is no room counts as
/// news every time: better repeated than lost.
#[derive(Clone, Debug, Default)]
pub struct EdgeDetector {
    components: HashMap<String, Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    level: StatusLevel,
    types: HashSet<String>,
}

impl EdgeDetector {
    /// A detector that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether this status should be published; remembers it.
    pub fn is_news(&mut self, status: &Status) -> bool {
        let (component, level) = (status.component(), status.level());
        if !self.components.contains_key(component) && self.components.len() >= MAX_COMPONENTS {
            return true;
        }
        let seen = self.components.entry(component.to_owned()).or_insert_with(|| Seen { level, types: HashSet::new() });
        if seen.level != level {
            seen.level = level;
            seen.types.clear();
        }
        if seen.types.contains(status.type_()) {
            return false;
        }
        if seen.types.len() < MAX_TYPES {
            seen.types.insert(status.type_().to_owned());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(component: &str, level: StatusLevel, type_: &str) -> Status {
        Status::new(component, level, type_, "any text")
    }

    #[test]
    fn components_do_not_disturb_each_other() {
        let mut edge = EdgeDetector::new();
        assert!(edge.is_news(&status("a", StatusLevel::Ok, "up")));
        assert!(edge.is_news(&status("b", StatusLevel::Down, "up")));
        assert!(!edge.is_news(&status("a", StatusLevel::Ok, "up")));
        assert!(!edge.is_news(&status("b", StatusLevel::Down, "up")));
    }

    #[test]
    fn memory_is_bounded_and_what_does_not_fit_is_news() {
        let mut edge = EdgeDetector::new();
        for number in 0..MAX_COMPONENTS + 10 {
            edge.is_news(&status(&number.to_string(), StatusLevel::Ok, "up"));
        }
        assert_eq!(edge.components.len(), MAX_COMPONENTS);
        assert!(!edge.is_news(&status("0", StatusLevel::Ok, "up")));
        assert!(edge.is_news(&status("one more", StatusLevel::Ok, "up")));
        assert!(edge.is_news(&status("one more", StatusLevel::Ok, "up")));
        for number in 0..MAX_TYPES + 10 {
            edge.is_news(&status("0", StatusLevel::Ok, &format!("type {number}")));
        }
        assert_eq!(edge.components.get("0").unwrap().types.len(), MAX_TYPES);
        assert!(edge.is_news(&status("0", StatusLevel::Ok, "one more")));
        assert!(edge.is_news(&status("0", StatusLevel::Ok, "one more")));
    }
}
