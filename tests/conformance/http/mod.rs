//! The golden cases of `tests/fixtures/transports`, over real sockets: each transport in its worker, with the embedded
//! broker and stores, and a fake server at its far side. See the README there for the form of a case.
//!
//! `VUMI_GOLDEN=airtel` runs one file only, `VUMI_GOLDEN=airtel:clean` the cases of it whose name has `clean`.

mod busy;
mod keys;
mod mailbox;
mod rig;
mod run;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use vumi_tests::golden::{self, Case, Golden};
use vumi_transport::TransportConfig;

/// Cases at a time.
const TOGETHER: usize = 32;

/// Transports that are no HTTP transports.
const OTHERS: &[&str] = &["telnet", "addressed-telnet", "simulator"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_golden_case() {
    let wanted = std::env::var("VUMI_GOLDEN").unwrap_or_default();
    let (file, text) = wanted.split_once(':').unwrap_or((&wanted, ""));
    let is_wanted = |golden: &Golden, case: &Case| (file.is_empty() || golden.file == file) && case.name.contains(text);
    let mut cases = Vec::new();
    for golden in golden::load_all().unwrap() {
        let golden = Arc::new(golden);
        for (number, case) in golden.cases.iter().enumerate() {
            if is_wanted(&golden, &case.value) {
                cases.push((Arc::clone(&golden), number));
            }
        }
    }
    assert!(!cases.is_empty(), "there is no case for VUMI_GOLDEN={wanted}");
    let (together, ran) = (Arc::new(Semaphore::new(TOGETHER)), cases.len());
    let mut running = JoinSet::new();
    for (golden, number) in cases {
        let together = Arc::clone(&together);
        running.spawn(async move {
            let _place = together.acquire_owned().await.unwrap();
            let case = golden.cases[number].value.clone();
            let title = format!("{}.yaml: case {:?} (check {:?})", golden.file, case.name, case.check.0);
            // On a task of its own, so that a panic fails the case and not all of them.
            let outcome = tokio::spawn(async move { run::case(&golden, &case).await }).await;
            outcome.unwrap_or_else(|panic| Err(panic.to_string())).map_err(|error| format!("{title}, {error}"))
        });
    }
    let mut wrong: Vec<String> = running.join_all().await.into_iter().filter_map(Result::err).collect();
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {ran} cases failed:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_check_has_a_case() {
    let mut specs: BTreeMap<String, Vec<Golden>> = BTreeMap::new();
    for golden in golden::load_all().unwrap() {
        specs.entry(golden.spec.clone()).or_default().push(golden);
    }
    let mut wrong = Vec::new();
    for (spec, files) in specs {
        let checks = files[0].checks;
        if files.iter().any(|file| file.checks != checks) {
            wrong.push(format!("{spec}: its files do not agree on the number of checks"));
        }
        let mut covered = BTreeSet::new();
        for golden in &files {
            covered.extend(golden.cases.iter().flat_map(|case| case.value.check.0.iter().copied()));
        }
        let elsewhere = |check: u32| files.iter().find_map(|file| file.elsewhere.get(&check));
        for check in 1..=checks {
            match (covered.contains(&check), elsewhere(check)) {
                (false, None) => wrong.push(format!("{spec}: check {check} has no case")),
                (true, Some(_)) => wrong.push(format!("{spec}: check {check} has a case and stands under `elsewhere`")),
                (false, Some(reason)) if reason.len() < 10 => {
                    wrong.push(format!("{spec}: check {check} stands under `elsewhere` without a reason"));
                }
                _ => {}
            }
        }
        for check in files.iter().flat_map(|file| file.elsewhere.keys()).filter(|check| !(1..=checks).contains(check)) {
            wrong.push(format!("{spec}: `elsewhere` has a check {check}, and there are {checks}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_http_class_has_golden_cases() {
    let files = golden::load_all().unwrap();
    let has_cases = |kind: &vumi_core::component::Kind| files.iter().any(|golden| kind.is_called(&golden.class));
    let without: Vec<&str> = TransportConfig::KINDS
        .iter()
        .filter(|kind| !OTHERS.contains(&kind.class) && !has_cases(kind))
        .map(|kind| kind.class)
        .collect();
    assert!(without.is_empty(), "no file in tests/fixtures/transports for {without:?}");
}
