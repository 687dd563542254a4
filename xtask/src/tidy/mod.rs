//! Rules that a compiler does not check: the edges between crates, what may be used where, how files look, links.
//!
//! Each rule is a function from the repository to sentences, one for each place that breaks it. A sentence says what,
//! where, and how to mend it. What only deserves a thought is a warning and fails nothing.

mod edges;
mod files;
mod links;
mod manifests;
mod markdown;
mod sources;
mod text;
mod workspace;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::run::root;

/// What is wrong with a repository.
#[derive(Debug, Default)]
struct Report {
    faults: Vec<String>,
    warnings: Vec<String>,
}

/// Checks the repository and prints what is wrong.
pub(crate) fn check() -> Result<(), String> {
    let report = examine(&root());
    for warning in &report.warnings {
        println!("  warning: {warning}");
    }
    for fault in &report.faults {
        eprintln!("  {fault}");
    }
    match report.faults.len() {
        0 => Ok(()),
        1 => Err("one rule is broken (see above)".into()),
        count => Err(format!("rules are broken in {count} places (see above)")),
    }
}

/// All Markdown documents of the repository, by their paths from the root.
pub(crate) fn markdown_files(root: &Path) -> Vec<String> {
    let mut names = files::all(root);
    names.retain(|name| files::extension(name) == "md");
    names
}

fn examine(root: &Path) -> Report {
    let mut report = Report::default();
    let workspace = workspace::load(root, &mut report);
    edges::check(&workspace, &mut report);
    manifests::check(root, &workspace, &mut report);
    let names = files::all(root);
    sources::check(root, &names, &mut report);
    text::check(root, &names, &mut report);
    links::check(root, &names, &mut report);
    report
}
