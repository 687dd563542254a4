//! What a dialogue looks like: its states and the ways between them, for drawings and tests.

use serde::Serialize;

use super::Dialogue;
use super::state::{Kind, Next, State};

#[derive(Serialize)]
struct Graph<'a> {
    start: &'a str,
    states: Vec<Node<'a>>,
    transitions: Vec<Edge<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

#[derive(Serialize)]
struct Node<'a> {
    name: &'a str,
    kind: Kind,
    text: &'a str,
}

impl<'a> Node<'a> {
    fn of(state: &'a State) -> Self {
        Self { name: &state.name, kind: state.kind, text: state.text.source() }
    }
}

#[derive(Serialize, PartialEq)]
struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

impl Dialogue {
    /// The dialogue as JSON text, as `wit/dialogue.wit` describes it.
    ///
    /// ```
    /// use vumi_sdk::dialogue::*;
    ///
    /// let dialogue = Dialogue::new("poll")
    ///     .state(FreeText::new("why", "Why?").next("thanks"))
    ///     .state(End::new("thanks", "Thank you."));
    /// assert_eq!(
    ///     dialogue.graph(),
    ///     r#"{"start":"why","states":[{"name":"why","kind":"free-text","text":"Why?"},"#.to_owned()
    ///         + r#"{"name":"thanks","kind":"end","text":"Thank you."}],"transitions":[{"from":"why","to":"thanks"}]}"#
    /// );
    /// ```
    pub fn graph(&self) -> String {
        let mut transitions = Vec::new();
        for state in &self.states {
            edges(state, &mut transitions);
        }
        for (word, target) in &self.keywords {
            transitions.push(Edge { from: self.first(), to: target, label: Some(word) });
        }
        let states = self.states.iter().map(Node::of).collect();
        let graph = Graph { start: self.first(), states, transitions, problems: self.problems() };
        serde_json::to_string(&graph).unwrap_or_default()
    }

    /// What is wrong with the dialogue, a sentence for each; empty when all is well. Worth a test in every app:
    ///
    /// ```
    /// use vumi_sdk::dialogue::*;
    ///
    /// let dialogue = Dialogue::new("poll").state(FreeText::new("why", "Why?").next("thanks"));
    /// assert_eq!(dialogue.problems(), ["'why' leads to 'thanks', but there is no such state"]);
    /// ```
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.find(self.first()).is_none() {
            problems.push(format!("it starts at '{}', but there is no such state", self.first()));
        }
        for (at, state) in self.states.iter().enumerate() {
            let name = &state.name;
            if !is_name(name) {
                problems.push(format!(
                    "'{name}' is no name for a state: letters, digits, '-' and '_', at most 80, the first a letter"
                ));
            }
            if self.states.iter().take(at).any(|before| before.name == *name) {
                problems.push(format!("there are two states '{name}'"));
            }
            if state.has_options() && state.options.is_empty() && state.list.is_none() {
                problems.push(format!("'{name}' has no options"));
            }
            if leads_nowhere(state) {
                problems.push(format!("'{name}' leads nowhere"));
            }
            let mut ways = Vec::new();
            edges(state, &mut ways);
            let mut lost: Vec<&str> = ways.iter().map(|way| way.to).filter(|to| self.find(to).is_none()).collect();
            lost.dedup();
            problems.extend(lost.iter().map(|to| format!("'{name}' leads to '{to}', but there is no such state")));
        }
        for (word, target) in &self.keywords {
            if self.find(target).is_none() {
                problems.push(format!("the keyword '{word}' leads to '{target}', but there is no such state"));
            }
        }
        problems.extend(self.translations.problems());
        problems
    }
}

/// The ways out of a state, in the order in which they are written down.
fn edges<'a>(state: &'a State, edges: &mut Vec<Edge<'a>>) {
    let from = &*state.name;
    let add = |edges: &mut Vec<Edge<'a>>, to: &'a str, label: Option<&'a str>| {
        let edge = Edge { from, to, label };
        if !edges.contains(&edge) {
            edges.push(edge);
        }
    };
    for option in &state.options {
        if let Some(to) = &option.to {
            add(edges, to, Some(option.label.source()));
        }
    }
    for to in &state.may_lead_to {
        add(edges, to, None);
    }
    match &state.next {
        Next::Nowhere => {}
        Next::To(to) => add(edges, to, None),
        Next::Computed(declared, _) => declared.iter().for_each(|to| add(edges, to, None)),
    }
}

/// Whether an answer to it has nowhere to go.
fn leads_nowhere(state: &State) -> bool {
    let own_ways = state.has_options()
        && (state.kind == Kind::Menu || state.list.is_none())
        && state.options.iter().all(|option| option.to.is_some());
    state.kind != Kind::End && matches!(state.next, Next::Nowhere) && !own_ways
}

/// A state's name becomes part of a metric's name.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && name.len() <= 80
}
