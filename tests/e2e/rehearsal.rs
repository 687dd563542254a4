//! Conversation tests of guests, as their authors run them: `vumi-host test`.

use std::path::{Path, PathBuf};

use serde_json::Value;
use vumi_tests::guests::{guest, root, scratch};
use vumi_tests::host::run_binary;

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Plays test files against a guest: exit code, standard output, standard error.
fn play(name: &str, files: &Path, options: &[&str]) -> (Option<i32>, String, String) {
    let app = guest(name);
    let arguments: Vec<&str> =
        ["test", "--app", text(&app), text(files)].into_iter().chain(options.iter().copied()).collect();
    let (status, stdout, stderr) = run_binary(&arguments);
    assert!(!stderr.contains("panicked"), "{stderr}");
    (status.code(), stdout, stderr)
}

/// A file of tests in a folder that goes when dropped.
fn written(yaml: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = scratch();
    let file = folder.path().join("menu.yaml");
    std::fs::write(&file, yaml).expect("the file can be written");
    (folder, file)
}

#[test]
fn the_tests_of_echo_pass() {
    let (code, stdout, stderr) = play("echo", &root().join("guest-examples/echo/tests"), &[]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("echo.yaml  4 conversations\n") && stdout.contains(": all as expected"), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "colours are for terminals: {stdout}");
}

/// Clock, chance, web, keys, sessions, events, failures: the probe does what it is told.
#[test]
fn everything_that_a_test_can_expect() {
    let (code, stdout, stderr) = play("probe", &root().join("tests/guests/probe/tests"), &[]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains(", 1 skipped"), "{stdout}");
}

const PLANTED: &str = r#"- conversation: a planted failure
  steps:
    - user: null
      app: "Enter text to echo:"
    - user: "Welcome!\n1. Register\n2. Quit"
      app:
        text: "Welcome!\n1. Join\n2. Quit"
        session: close
- conversation: this one is right
  steps:
    - { user: "hi", app: "hi" }
"#;

#[test]
fn a_failure_shows_both_screens() {
    let (_folder, file) = written(PLANTED);
    let (code, stdout, stderr) = play("echo", &file, &[]);
    assert_eq!(code, Some(1));
    assert_eq!(stderr, "error: 1 of 2 conversations failed\n");
    let name = file.display();
    let expected = format!(
        "FAILED  {name}  1 of 2 conversations failed

FAILED  a planted failure
  {name}:7:9  step 2: +27820001001 sends \"Welcome!⏎1. Register⏎2. Quit\"
  the text differs

    expected                                seen
    ┌────────────────────────────────────┐  ┌────────────────────────────────────┐
    │ Welcome!                           │  │ Welcome!                           │
    │ 1. Join                            │≠ │ 1. Register                        │
    │ 2. Quit                            │  │ 2. Quit                            │
    └────────────────────────────────────┘  └────────────────────────────────────┘
      closes the session                  ≠
  log of this step:
    info guest: message 1 of +27820001001

2 conversations, 3 steps in "
    );
    assert!(stdout.starts_with(&expected), "{stdout}");
    assert!(stdout.trim_end().ends_with(": 1 failed"), "{stdout}");
}

#[test]
fn what_is_not_as_expected_is_said_in_words() {
    for (steps, sentences) in [
        ("- { user: 'fail no luck', app: x }", &["the app failed (handler-error): no luck"][..]),
        ("- { user: panic }", &["the app failed (trap): ", "on purpose"]),
        ("- { user: 'echo x', app: null }", &["the app sends something, and nothing is expected"]),
        ("- { user: 'levels x', app: x }", &["the app sends nothing", "(nothing)"]),
        ("- { user: 'close x', app: x }", &["it closes the session: expect that with `session: close`"]),
        ("- { user: 'echo x', fails: true }", &["the app is expected to fail, and ends well"]),
        ("- { user: 'kv-set a 1', kv: { a: 2 } }", &["the key a holds 1\n  expected is 2 (line 3)"]),
        ("- { user: 'kv-set a 1', kv: { '*': null } }", &["kv has other keys too: a"]),
        ("- { user: 'metric a 1', metrics: { a: 2 } }", &["the metric a is 1\n  expected is 2"]),
        ("- { user: 'log x', log: y }", &["no line of the log is a text with \"y\" in it"]),
        (
            "- { user: 'http POST https://a.example/ {}', http: [ { request: { url: 'https://a.example/', json: { a: 1 } } } ] }",
            &[
                "the app asks the web, and the test has no answer: POST https://a.example/ with the body {}",
                "the answer in line 3 comes nearest: the body is expected to be {\"a\":1}",
                "the app never made the request of line 3 (to \"https://a.example/\"); `optional: true` allows that",
            ],
        ),
        ("- { event: ack }", &["the event is about message -1, and the app has sent 0 so far"]),
        ("- { user: 'send +2 - x', app: { to: '+3' } }", &["it goes to +2, not to +3"]),
    ] {
        let (_folder, file) = written(&format!("- conversation: a\n  steps:\n    {steps}\n"));
        let (code, stdout, _) = play("probe", &file, &[]);
        assert_eq!(code, Some(1), "{steps}\n{stdout}");
        for sentence in sentences {
            assert!(stdout.contains(sentence), "{steps}: {sentence}\n{stdout}");
        }
    }
}

#[test]
fn a_mistake_in_a_file_gets_one_sentence() {
    for (yaml, sentence) in [
        ("- conversation: a\n  stesp: []\n", ":2:3: [0]: unknown key `stesp`\n"),
        ("- conversation: a\n  steps: yes\n", ":2:10: [0].steps: expected a list, found `yes`\n"),
        ("- conversation: [\n", ": "),
    ] {
        let (_folder, file) = written(yaml);
        let (code, stdout, stderr) = play("echo", &file, &[]);
        assert_eq!((code, stdout.as_str()), (Some(64), ""), "{stderr}");
        assert!(stderr.starts_with(&format!("error: {}", file.display())) && stderr.contains(sentence), "{stderr}");
    }
    let folder = scratch();
    let (code, _, stderr) = play("echo", folder.path(), &[]);
    assert!(code == Some(64) && stderr.contains("has no tests"), "{stderr}");
}

#[test]
fn reports_for_programs() {
    let (_folder, file) = written(PLANTED);
    let (code, stdout, _) = play("echo", &file, &["--format", "json"]);
    let report: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(code, Some(1));
    let conversations = &report["apps"][0]["files"][0]["conversations"];
    assert_eq!((&conversations[0]["ok"], &conversations[1]["ok"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(
        conversations[0]["failures"][0]["problems"][0]["messages"][0]["seen"]["text"],
        "Welcome!\n1. Register\n2. Quit"
    );
    assert_eq!(report["apps"][0]["summary"]["failed"], 1);
    let (_, stdout, _) = play("echo", &file, &["--format", "junit"]);
    assert!(stdout.starts_with("<?xml") && stdout.contains("<testsuites tests=\"2\" failures=\"1\""), "{stdout}");
    assert!(stdout.contains("<failure message=\"the text differs\">") && stdout.contains("</testsuites>"), "{stdout}");
}

#[test]
fn some_of_them_and_rewritten() {
    let (_folder, file) = written(PLANTED);
    let (code, stdout, _) = play("echo", &file, &["--filter", "is right"]);
    assert!(code == Some(0) && stdout.contains("1 conversation,"), "{stdout}");
    let (code, _, stderr) = play("echo", &file, &["--filter", "nowhere"]);
    assert!(code == Some(64) && stderr.contains("no conversation has `nowhere` in its name"), "{stderr}");

    let (code, stdout, stderr) = play("echo", &file, &["--update"]);
    assert!(stderr.contains("menu.yaml: 1 text written"), "{stderr}");
    // That the session stays open is no text, and still differs.
    assert!(code == Some(1) && stdout.contains("it does not close the session"), "{stdout}");
    let now = std::fs::read_to_string(&file).expect("the file");
    assert_eq!(now, PLANTED.replace("1. Join", "1. Register"));
}
