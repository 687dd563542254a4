//! The dialogue of an app as a drawing, in Mermaid's language: editors, wikis and code hosts show it as a picture.
//!
//! What an app shows of its dialogue is whatever its author wrote: texts are cut and escaped, nothing is trusted to fit.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

/// Letters of a state's text that a drawing shows.
const MOST_TEXT: usize = 80;

/// A dialogue, as `wit/dialogue.wit` describes it. What else is in it is kept in its JSON.
#[derive(Debug)]
pub(crate) struct Graph {
    whole: Value,
    known: Known,
}

#[derive(Debug, Deserialize)]
struct Known {
    #[serde(default)]
    start: Option<String>,
    #[serde(default)]
    states: Vec<State>,
    #[serde(default)]
    transitions: Vec<Transition>,
    #[serde(default)]
    problems: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct State {
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Transition {
    from: String,
    to: String,
    #[serde(default)]
    label: Option<String>,
}

impl Graph {
    /// Reads what an app shows.
    ///
    /// # Errors
    /// One sentence when it is no dialogue.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let wrong = |error: serde_json::Error| format!("the app's dialogue makes no sense: {error}");
        let whole: Value = serde_json::from_str(text).map_err(wrong)?;
        if !whole.is_object() {
            return Err("the app's dialogue makes no sense: it is no JSON object".into());
        }
        let known = Known::deserialize(&whole).map_err(wrong)?;
        Ok(Self { whole, known })
    }

    /// As JSON for people.
    pub(crate) fn json(&self) -> String {
        format!("{:#}\n", self.whole)
    }

    /// How large it is.
    pub(crate) fn summary(&self) -> String {
        let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        format!("{}, {}", count(self.known.states.len(), "state"), count(self.known.transitions.len(), "transition"))
    }

    /// What its app found wrong with it.
    pub(crate) fn problems(&self) -> &[String] {
        &self.known.problems
    }

    /// As a flowchart of Mermaid. States have numbers there, because Mermaid has words of its own, such as `end`.
    pub(crate) fn mermaid(&self) -> String {
        let mut out = String::from("flowchart TD\n");
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        for (number, state) in self.known.states.iter().enumerate() {
            numbers.insert(&state.name, number);
            let text = state.text.as_deref().map(escaped).filter(|text| !text.is_empty());
            let text = text.map(|text| format!("<br/>{text}")).unwrap_or_default();
            let (open, close) = shape(&state.kind);
            // Writing to a String cannot fail.
            let _ = writeln!(out, "    s{number}{open}\"<b>{}</b>{text}\"{close}", escaped(&state.name));
        }
        if let Some(start) = self.known.start.as_deref().and_then(|start| numbers.get(start)) {
            let _ = writeln!(out, "    start(( )) --> s{start}");
        }
        for way in &self.known.transitions {
            // A way to a state that is not there is one of the dialogue's problems.
            let (Some(from), Some(to)) = (numbers.get(way.from.as_str()), numbers.get(way.to.as_str())) else {
                continue;
            };
            let label = way.label.as_deref().map(escaped).filter(|label| !label.is_empty());
            let label = label.map(|label| format!("|\"{label}\"|")).unwrap_or_default();
            let _ = writeln!(out, "    s{from} -->{label} s{to}");
        }
        out
    }
}

/// How a kind of state is drawn.
fn shape(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "end" => ("([", "])"),
        "choice" | "menu" | "paginated-choice" => ("{{", "}}"),
        "free-text" => ("[/", "/]"),
        _ => ("[", "]"),
    }
}

/// A text on one line, without anything that Mermaid would read as its own.
fn escaped(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    for (at, letter) in line.chars().enumerate() {
        if at == MOST_TEXT {
            out.push('…');
            break;
        }
        match letter {
            letter if letter.is_control() => {}
            letter if letter.is_alphanumeric() || " .,;:!?-_'/()+*%$@=…".contains(letter) => match letter {
                ';' => out.push_str("#59;"),
                letter => out.push(letter),
            },
            letter if letter.is_ascii() => {
                let _ = write!(out, "#{};", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialogue_is_drawn() {
        let graph = Graph::read(
            r#"{"start": "menu", "states": [
                {"name": "menu", "kind": "menu", "text": "Say \"hi\";\n{name} #1"},
                {"name": "end", "kind": "end"}],
               "transitions": [{"from": "menu", "to": "end", "label": "<Quit> | 2"}, {"from": "menu", "to": "gone"}],
               "problems": ["`menu` leads to `gone`, which is no state"], "own": 1}"#,
        )
        .unwrap();
        assert_eq!(
            graph.mermaid(),
            "flowchart TD\n    s0{{\"<b>menu</b><br/>Say #34;hi#34;#59; #123;name#125; #35;1\"}}\n    s1([\"<b>end</b>\"])\n    start(( )) --> s0\n    s0 -->|\"#60;Quit#62; #124; 2\"| s1\n"
        );
        assert_eq!(graph.summary(), "2 states, 2 transitions");
        assert_eq!(graph.problems().len(), 1);
        assert!(graph.json().contains("\"own\": 1"), "{}", graph.json());
    }

    #[test]
    fn long_texts_are_cut() {
        let text = escaped(&"é".repeat(200));
        assert_eq!(text.chars().count(), MOST_TEXT + 1);
        assert!(text.ends_with('…'));
    }

    #[test]
    fn what_is_no_dialogue_is_refused() {
        for text in ["", "[]", "{\"states\": 1}", "{\"states\": [{}]}"] {
            assert!(Graph::read(text).unwrap_err().starts_with("the app's dialogue makes no sense"), "{text}");
        }
    }
}
