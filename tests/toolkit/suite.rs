//! The toolkit's own tests: within the script engine each passes that passes on node.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;
use serde_json::json;
use vumi_core::{ByteSize, Outcome};

use crate::bundles;
use crate::phone::Phone;

/// Tests in the package at least; fewer would mean that they were not found.
const TESTS: usize = 785;

/// Tests that pass on node and not here, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// A line of `js/suite/run.js`.
#[derive(Debug, Deserialize)]
struct Line {
    verdict: String,
    test: String,
    #[serde(default)]
    error: String,
}

/// The verdict on each test, with the error of those that failed.
type Verdicts = BTreeMap<String, (String, String)>;

fn verdicts<'a>(lines: impl Iterator<Item = &'a str>) -> Verdicts {
    let lines = lines.filter_map(|line| serde_json::from_str::<Line>(line).ok());
    let mut verdicts = Verdicts::new();
    for line in lines {
        assert!(verdicts.insert(line.test.clone(), (line.verdict, line.error)).is_none(), "{} ran twice", line.test);
    }
    verdicts
}

fn on_node() -> Verdicts {
    let program = bundles::project().join("suite/node.cjs");
    let output = bundles::succeed(Command::new("node").arg(program).arg(bundles::folder().join("suite.js")));
    verdicts(String::from_utf8_lossy(&output.stdout).lines())
}

#[tokio::test]
async fn the_toolkits_own_tests_pass_as_on_node() {
    let node = on_node();
    let passing = node.values().filter(|(verdict, _)| verdict == "pass").count();
    assert!(passing >= TESTS, "{passing} tests pass on node");

    let mut phone = Phone::with("suite", bundles::bundle("suite"), crate::phone::CONTEXT, &json!({}), |config| {
        // Not one message of an app but thousands.
        config.timeout = 600;
        config.limits.cpu_ms = 600_000;
        config.limits.memory = ByteSize::mib(512);
        config.limits.log_bytes = ByteSize::mib(16);
        config.limits.host_calls = 100_000;
    });
    let answer = phone.says("run").await;
    let logged = answer.logs.iter().map(|line| line.text.as_str());
    let here = verdicts(logged);
    let differ: Vec<_> = node
        .iter()
        .filter(|(test, (verdict, _))| here.get(*test).is_none_or(|(seen, _)| seen != verdict))
        .filter(|(test, _)| !EXCEPTIONS.iter().any(|(name, _)| name == test))
        .map(|(test, _)| format!("{test}: {:?}", here.get(test)))
        .collect();
    assert!(differ.is_empty(), "{} of {} tests differ from node:\n{}", differ.len(), node.len(), differ.join("\n"));
    let passing = here.values().filter(|(verdict, _)| verdict == "pass").count();
    println!("{passing} of {} tests of the toolkit pass within the engine", here.len());
    answer.ended(Outcome::Ok);
    // An exception that is none any more must go.
    for (test, reason) in EXCEPTIONS {
        assert!(here.get(test).is_none_or(|(verdict, _)| verdict != "pass"), "{test} passes after all ({reason})");
    }
}
