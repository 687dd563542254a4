//! What came of a rehearsal, as JSON.

use serde_json::{Value, json};

use crate::coverage::Coverage;
use crate::outcome::{Failure, Played, Problem, Rehearsal, Screen};

/// The report as a JSON value: `files`, each with its `conversations`, and a `summary`.
pub fn json(rehearsal: &Rehearsal, coverage: Option<&Coverage>) -> Value {
    let files: Vec<Value> = rehearsal
        .files
        .iter()
        .map(|file| {
            let conversations: Vec<Value> = file.conversations.iter().map(conversation).collect();
            json!({ "name": &*file.name, "conversations": conversations })
        })
        .collect();
    json!({
        "files": files,
        "summary": {
            "conversations": rehearsal.conversations().count(),
            "failed": rehearsal.failed(),
            "skipped": rehearsal.conversations().filter(|one| one.skipped.is_some()).count(),
            "steps": rehearsal.conversations().map(|one| one.steps).sum::<usize>(),
            "runs": rehearsal.conversations().map(|one| one.runs).sum::<usize>(),
            "took_ms": rehearsal.took.as_secs_f64() * 1e3,
            "conversations_per_second": rehearsal.rate(),
        },
        "coverage": coverage.map(|coverage| json!({
            "states": coverage.states,
            "never_entered": coverage.never_entered,
            "ways": coverage.ways,
            "never_taken": coverage
                .never_taken
                .iter()
                .map(|way| json!({ "from": way.from, "to": way.to, "label": way.label }))
                .collect::<Vec<_>>(),
        })),
    })
}

fn conversation(played: &Played) -> Value {
    json!({
        "name": played.name,
        "line": played.place.line,
        "ok": played.is_ok(),
        "skipped": played.skipped,
        "steps": played.steps,
        "took_us": u64::try_from(played.took.as_micros()).unwrap_or(u64::MAX),
        "failures": played.failures.iter().map(failure).collect::<Vec<_>>(),
    })
}

fn failure(failure: &Failure) -> Value {
    json!({
        "file": &*failure.place.file,
        "line": failure.place.line,
        "column": failure.place.column,
        "what": failure.what,
        "problems": failure.problems.iter().map(problem).collect::<Vec<_>>(),
        "log": failure.log,
    })
}

fn problem(problem: &Problem) -> Value {
    let screen = |screen: &Screen| json!({ "text": screen.text, "exact": screen.exact, "notes": screen.notes });
    match problem {
        Problem::Says(sentence) => json!({ "sentence": sentence }),
        Problem::Screens { sentence, pairs } => {
            let pairs: Vec<Value> = pairs
                .iter()
                .map(|pair| {
                    let (expected, seen) = (pair.expected.as_ref().map(screen), pair.seen.as_ref().map(screen));
                    json!({ "expected": expected, "seen": seen, "differs": pair.differs })
                })
                .collect();
            json!({ "sentence": sentence, "messages": pairs })
        }
    }
}
