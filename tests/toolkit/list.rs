//! The list of features in docs/toolkit.md and the tests of `features` name each other.

use std::collections::BTreeSet;

use vumi_tests::guests::root;

/// The names in backticks in the second column of the table of features.
fn listed(text: &str) -> BTreeSet<&str> {
    let (_, rest) = text.split_once("\n## Features\n").expect("the features");
    let (table, _) = rest.split_once("\n## ").expect("what follows them");
    let cells = table.lines().filter_map(|line| line.strip_suffix(" |")?.rsplit_once("| "));
    cells.filter_map(|(_, cell)| cell.strip_prefix('`')?.strip_suffix('`')).collect()
}

/// The tests in a source file.
fn tests(text: &str) -> BTreeSet<&str> {
    let after = text.split("#[tokio::test]\nasync fn ").skip(1);
    after.filter_map(|rest| rest.split_once('(').map(|(name, _)| name)).collect()
}

#[test]
fn every_feature_has_its_test_and_every_test_its_feature() {
    let text = std::fs::read_to_string(root().join("docs/toolkit.md")).expect("the list");
    let (listed, tests) = (listed(&text), tests(include_str!("features.rs")));
    assert!(tests.len() > 30, "{tests:?}");
    assert_eq!(listed, tests);
}
