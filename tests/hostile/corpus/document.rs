//! The table as a page for people: `docs/hostile-corpus.md`.

use std::fmt::Write;
use std::fs;

use super::case::{Attack, Case, Expect};
use super::families;
use super::open::known;

const FILE: &str = "docs/hostile-corpus.md";

/// Set to anything, the page is written anew.
const WRITE: &str = "VUMI_WRITE_DOCS";

const HEAD: &str = "\
# Hostile guests, and what becomes of them

Each row is an attack that the test suite carries out against a real sandbox (`tests/hostile/corpus`), beside a
well-behaved app that goes on answering all the while. After all of them the process has no more threads and open files,
and no more than a twentieth more of memory, than before. In every case, whatever else the row says:

- the hostile message is not tried again, and the host's log tells its owner the code and the reason;
- no key outside of the app's own namespace is read or changed;
- no connection comes to a server of this machine that the owner did not name;
- sentences about a guest are short, and hold no character that could steer a terminal.

Outcomes are the codes of `vumi-host`'s runs (`ok`, `trap`, `cpu-limit`, …). *refused* means that the component is not
loaded. *is told* means that the run goes on and the guest gets this as the error of its call, the word first.

This page is written by the tests; do not edit it.
";

/// A text as it stands in a cell of a table.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' => cell.push_str("\\|"),
            c if c.is_control() => cell.extend(c.escape_default()),
            c => cell.push(c),
        }
    }
    cell
}

fn provoked(case: &Case) -> String {
    let shown: String = case.message.chars().take(60).collect();
    let more = if case.message.chars().count() > 60 { "…" } else { "" };
    match &case.attack {
        Attack::Test(name) => format!("the test `{name}`"),
        Attack::Own(_) => "by the test itself".to_owned(),
        Attack::Component(_) if case.message == "go" => "any message".to_owned(),
        Attack::Component(_) => format!("the message `{}{more}`", cell(&shown)),
        Attack::Probe => format!("`probe`, told `{}{more}`", cell(&shown)),
    }
}

fn outcome(case: &Case) -> String {
    match &case.expect {
        Expect::Refused(text) => format!("refused: “… {} …”", cell(text)),
        Expect::Ends(outcome, "") => format!("`{}`", outcome.code()),
        Expect::Ends(outcome, text) => format!("`{}`: “… {} …”", outcome.code(), cell(text)),
        Expect::Says(text) if text == "ok" => "`ok`".to_owned(),
        Expect::Says(text) => format!("`ok`; is told “{}…”", cell(text)),
        Expect::Shown(text, _) => cell(text),
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for family in families() {
        let _ = write!(page, "\n## {}\n\n{}\n\n", family.name, family.what);
        page.push_str("| Case | The guest | Provoked by | Outcome | Why |\n| --- | --- | --- | --- | --- |\n");
        for case in family.cases {
            let open = known(&case.name).map(|problem| format!(" **Still open**: {}", cell(problem)));
            let (what, provoked, outcome) = (cell(&case.what), provoked(&case), outcome(&case));
            let (name, open) = (&case.name, open.unwrap_or_default());
            let _ = writeln!(page, "| `{name}` | {what} | {provoked} | {outcome} | {}{open} |", cell(case.why));
        }
    }
    page
}

#[test]
fn the_page_is_that_of_the_cases() {
    let file = vumi_tests::guests::root().join(FILE);
    let page = page();
    if std::env::var_os(WRITE).is_some() {
        fs::write(&file, &page).expect("the page can be written");
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    let differs = page.lines().zip(written.lines()).find(|(new, old)| new != old).map(|(new, _)| new);
    assert!(
        page == written,
        "{FILE} is not that of the cases any more ({}); write it with \
         `{WRITE}=1 cargo test -p vumi-tests --test hostile corpus::document`",
        differs.unwrap_or("its length differs"),
    );
}

#[test]
fn names_are_unique() {
    let mut names: Vec<String> = families().into_iter().flat_map(|family| family.cases).map(|case| case.name).collect();
    let count = names.len();
    assert!(count >= 40, "{count} cases");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "two cases have one name");
}
