//! Which states of an app's dialogue were entered by its tests, and which ways between them were taken.
//!
//! The states come from the graph that the app shows (`wit/dialogue.wit`), the visits from the metrics
//! `states.<name>.entered` that the dialogue kits fire. A way is taken when a user enters its end after its beginning.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::outcome::Rehearsal;

/// See the module's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How many states there are.
    pub states: usize,
    /// States that nobody entered.
    pub never_entered: Vec<String>,
    /// How many ways there are.
    pub ways: usize,
    /// Ways that nobody took.
    pub never_taken: Vec<Way>,
}

/// A way from one state to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where it begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// What it is called.
    pub label: Option<String>,
}

#[derive(Deserialize)]
struct Graph {
    #[serde(default)]
    states: Vec<State>,
    #[serde(default)]
    transitions: Vec<Transition>,
}

#[derive(Deserialize)]
struct State {
    name: String,
}

#[derive(Deserialize)]
struct Transition {
    from: String,
    to: String,
    #[serde(default)]
    label: Option<String>,
}

impl Coverage {
    /// Of a graph, as JSON text.
    ///
    /// # Errors
    /// When the text is no graph.
    pub fn of(graph: &str, rehearsal: &Rehearsal) -> Result<Self, serde_json::Error> {
        let graph: Graph = serde_json::from_str(graph)?;
        let (mut entered, mut taken) = (HashSet::new(), HashSet::new());
        for played in rehearsal.conversations() {
            let mut last: HashMap<&str, &str> = HashMap::new();
            for (user, state) in &played.visits {
                entered.insert(state.as_str());
                if let Some(from) = last.insert(user, state) {
                    taken.insert((from, state.as_str()));
                }
            }
        }
        let mut ways: Vec<Way> = Vec::new();
        for Transition { from, to, label } in graph.transitions {
            if !ways.iter().any(|way| way.from == from && way.to == to) {
                ways.push(Way { from, to, label });
            }
        }
        Ok(Self {
            states: graph.states.len(),
            never_entered: graph
                .states
                .into_iter()
                .map(|state| state.name)
                .filter(|name| !entered.contains(name.as_str()))
                .collect(),
            ways: ways.len(),
            never_taken: ways
                .into_iter()
                .filter(|way| !taken.contains(&(way.from.as_str(), way.to.as_str())))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::outcome::{FilePlayed, Played};
    use crate::script::Place;

    #[test]
    fn ways_are_taken_by_one_user_within_one_conversation() {
        let place = Place { file: "a".into(), line: 1, column: 1 };
        let played = |visits: &[(&str, &str)]| Played {
            name: "a".into(),
            place: place.clone(),
            skipped: None,
            steps: 0,
            runs: 0,
            took: std::time::Duration::ZERO,
            failures: Vec::new(),
            visits: visits.iter().map(|(user, state)| ((*user).to_owned(), (*state).to_owned())).collect(),
            edits: Vec::new(),
        };
        let conversations =
            vec![played(&[("anna", "menu"), ("ben", "name")]), played(&[("anna", "name"), ("anna", "end")])];
        let rehearsal = Rehearsal {
            files: vec![FilePlayed { name: Arc::from("a"), conversations }],
            took: std::time::Duration::ZERO,
        };
        let graph = r#"{"start": "menu", "states": [{"name": "menu"}, {"name": "name"}, {"name": "end"}, {"name": "help"}],
            "transitions": [{"from": "menu", "to": "name", "label": "Register"}, {"from": "name", "to": "end"}]}"#;
        let coverage = Coverage::of(graph, &rehearsal).unwrap();
        assert_eq!((coverage.states, coverage.ways), (4, 2));
        assert_eq!(coverage.never_entered, ["help"]);
        let ways: Vec<&str> = coverage.never_taken.iter().map(|way| way.from.as_str()).collect();
        assert_eq!(ways, ["menu"]);
        assert!(Coverage::of("[", &rehearsal).is_err());
    }
}
