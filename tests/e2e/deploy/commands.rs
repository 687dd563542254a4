//! The commands about a running host, as a person types them: deploy, switch, take back, record, replay.

use serde_json::Value;
use vumi_tests::guests::{scratch, stamp, stamped};
use vumi_tests::host::run_binary;
use vumi_tests::{Host, until};

use super::{asks, is_stamp, phone, start};

/// Runs a command against the host; the answer is its output.
fn run(host: &Host, words: &[&str]) -> String {
    let (ok, text, errors) = attempt(host, words);
    assert!(ok, "{words:?}: {text}{errors}");
    text
}

fn attempt(host: &Host, words: &[&str]) -> (bool, String, String) {
    let url = format!("http://{}", host.admin);
    let words: Vec<&str> = words.iter().copied().chain(["--url", &url]).collect();
    let (status, text, errors) = run_binary(&words);
    (status.success(), text, errors)
}

#[test]
fn an_app_is_deployed_switched_and_taken_back() {
    let folder = scratch();
    let host = start(folder.path(), None);
    let file = |number: u64| {
        let path = folder.path().join(format!("{number}.wasm"));
        std::fs::write(&path, stamped(number)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let said = run(&host, &["deploy", "shop", &file(1), "--set", "greeting=hello", "--note", "the first"]);
    assert!(said.contains("shop: version 1 answers"), "{said}");
    let mut phone = phone(&host);
    assert!(is_stamp(&asks(&mut phone), 1));
    assert_eq!(phone.ask("config greeting"), "Some(\"hello\")");
    let said = run(&host, &["deploy", "shop", &file(2)]);
    assert!(said.contains("version 2 answers") && said.contains("vumi-host apps rollback shop"), "{said}");
    assert!(is_stamp(&asks(&mut phone), 2));
    assert_eq!(phone.ask("config greeting"), "Some(\"hello\")", "settings of the first are gone");
    run(&host, &["apps", "rollback", "shop"]);
    assert!(is_stamp(&asks(&mut phone), 1));
    run(&host, &["apps", "activate", "shop", "2"]);
    assert!(is_stamp(&asks(&mut phone), 2));
    let listed: Value = serde_json::from_str(&run(&host, &["apps", "--json"])).unwrap();
    assert_eq!((listed[0]["name"].as_str(), listed[0]["active"].as_u64()), (Some("shop"), Some(2)));
    let secret = folder.path().join("key.txt");
    std::fs::write(&secret, "s3cret").unwrap();
    run(&host, &["deploy", "shop", &file(2), "--secret", &format!("api_key=@{}", secret.display())]);
    assert_eq!(phone.ask("config api_key"), "Some(\"s3cret\")");
    let back = folder.path().join("back.wasm");
    run(&host, &["apps", "pull", "shop", "1", "-o", back.to_str().unwrap()]);
    assert_eq!(std::fs::read(back).unwrap(), stamped(1));
    let (ok, _, errors) = attempt(&host, &["deploy", "telnet", &file(1)]);
    assert!(!ok && errors.contains("the configuration file has"), "{errors}");
    run(&host, &["apps", "remove", "shop", "--yes"]);
    let (ok, _, errors) = attempt(&host, &["apps", "show", "shop"]);
    assert!(!ok && errors.contains("shop"), "{errors}");
}

#[test]
fn a_recorded_run_is_replayed_and_another_version_departs() {
    let folder = scratch();
    let host = start(folder.path(), None);
    let (one, two) = (folder.path().join("1.wasm"), folder.path().join("2.wasm"));
    std::fs::write(&one, stamped(1)).unwrap();
    std::fs::write(&two, stamped(2)).unwrap();
    let rules = folder.path().join("settings.yaml");
    std::fs::write(&rules, "record: { all: true }\n").unwrap();
    run(&host, &["deploy", "shop", one.to_str().unwrap(), "--settings", rules.to_str().unwrap()]);
    let mut phone = phone(&host);
    assert!(is_stamp(&asks(&mut phone), 1));
    let id = until("the run is recorded", || {
        let found: Value = serde_json::from_str(&run(&host, &["recordings", "--app", "shop", "--json"])).ok()?;
        // The newest run that sent something and is no event's.
        let sent = found["items"].as_array()?.iter().find(|run| run["sent"] == 1)?.clone();
        sent["id"].as_str().map(str::to_owned)
    });
    let same = run(&host, &["replay", &id]);
    assert!(same.contains("the same as recorded") && same.contains(&stamp(1)), "{same}");
    let (ok, other, errors) = attempt(&host, &["replay", &id, "--component", two.to_str().unwrap()]);
    assert!(!ok && errors.contains("departs from the recording in 3 places"), "{other}{errors}");
    assert!(other.contains(&stamp(2)) && other.contains("field content"), "{other}");
}

#[test]
fn tokens_say_who_may_do_what() {
    let folder = scratch();
    let host = start(folder.path(), None);
    let said = run(&host, &["token", "create", "ci", "--scope", "read", "--expires", "30d"]);
    let token = said.split_whitespace().find(|word| word.starts_with("vh_")).expect("the token is shown").to_owned();
    let listed = run(&host, &["token", "list"]);
    assert!(listed.contains("ci") && !listed.contains(&token), "{listed}");
    run(&host, &["apps", "--token", &token]);
    let file = folder.path().join("1.wasm");
    std::fs::write(&file, stamped(1)).unwrap();
    let (ok, _, errors) = attempt(&host, &["deploy", "shop", file.to_str().unwrap(), "--token", &token]);
    assert!(!ok && errors.contains("deploy"), "{errors}");
    let audit = run(&host, &["audit"]);
    assert!(audit.contains("token.create") && audit.contains("ci"), "{audit}");
}
