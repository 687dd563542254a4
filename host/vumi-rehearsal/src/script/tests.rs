//! Tests of the format: what the manual shows is read, and mistakes get one clear sentence.

use serde_json::json;

use super::*;

const MANUAL: &str = include_str!("../../../../docs/testing-apps.md");

/// The manual's blocks of one kind.
fn blocks(kind: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = MANUAL.lines();
    while let Some(line) = lines.next() {
        if line == format!("```{kind}") {
            let inside = lines.by_ref().take_while(|line| *line != "```");
            blocks.push(inside.map(|line| format!("{line}\n")).collect());
        }
    }
    blocks
}

fn read(text: &str) -> Script {
    Script::read("a.yaml", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn what_the_manual_shows_is_read() {
    let whole = blocks("yaml conversation");
    assert!(whole.len() >= 4, "{}", whole.len());
    for block in whole {
        assert!(!read(&block).is_empty(), "{block}");
    }
    // The other blocks are parts of a conversation: steps, or keys of it.
    let parts = blocks("yaml");
    assert!(parts.len() >= 4, "{}", parts.len());
    for part in parts {
        let users = "  users: { anna: \"+1\", ben: \"+2\" }\n";
        let text = match part.starts_with("- ") {
            true => format!("- conversation: a\n{users}  steps:\n{}", indented(&part)),
            false => format!("- conversation: a\n{users}  steps: []\n{}", indented(&part)),
        };
        read(&text);
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

#[test]
fn a_conversation_is_laid_over_its_file() {
    let script = read(
        "app: { config: { greeting: Karibu, lang: en }, http: { timeout: 5 } }\nkv: { a: 1, b: { c: 1 } }\nlongest: 160\nhttp: [ { request: { url: \"http://x/\" } } ]\nconversations:\n- conversation: one\n  app: { config: { lang: sw } }\n  kv: { b: [2] }\n  clock: 2026-02-01\n  steps: []\n- conversation: two\n  steps: []\n",
    );
    let [one, two] = &script.conversations[..] else { panic!("{script:?}") };
    assert_eq!(one.app.config["greeting"], "Karibu");
    assert_eq!((one.app.config["lang"].as_str(), two.app.config["lang"].as_str()), ("sw", "en"));
    assert_eq!((one.app.http.timeout, one.longest), (5, Some(160)));
    assert_eq!(one.kv, [("a".to_owned(), json!(1)), ("b".to_owned(), json!([2]))]);
    assert_eq!(one.clock.to_string(), "2026-02-01 00:00:00.000000");
    assert_eq!(two.clock.to_string(), "2026-01-01 00:00:00.000000");
    assert!(!one.http[0].needed && one.http[0].times == Some(1), "not every conversation uses what they share");
    assert_eq!(two.app.http.allow, ["https://*:*", "http://*:*", "http://x"]);
}

#[test]
fn an_allow_list_stays_as_it_is() {
    let script = read("- conversation: a\n  app: { http: { allow: [\"https://x\"] } }\n  steps: []\n");
    assert_eq!(script.conversations[0].app.http.allow, ["https://x"]);
}

#[test]
fn mistakes_get_one_clear_sentence() {
    let step = |step: &str| format!("- conversation: a\n  steps:\n    - {step}\n");
    for (text, sentence) in [
        (step("{ user: \"1\", aap: x }"), "a.yaml:3:20: [0].steps[0]: unknown key `aap`\n"),
        (step("{ user: [1] }"), "a.yaml:3:15: [0].steps[0].user: expected a text, found a list\n"),
        (step("{ app: x }"), "a.yaml:3:9: [0].steps[0]: `app` stands in a step in which nothing happens\n"),
        (step("{ user: x, event: ack }"), "a.yaml:3:7: [0].steps[0]: `user` and `event` stand in one step\n"),
        (
            step("{ user: x, app: { text: a, contains: b } }"),
            "[0].steps[0].app: `text` stands beside `contains` or `matches`\n",
        ),
        (
            step("{ user: x, app: { matches: \"(\" } }"),
            "app.matches: this regular expression cannot be used: unclosed group\n",
        ),
        (step("{ user: x, app: { session: shut } }"), "app.session: expected one of close, open, found `shut`\n"),
        (step("{ user: x, fails: { outcome: boom } }"), "fails.outcome: expected one of handler-error,"),
        (step("{ user: x, metrics: { a: b } }"), "metrics.a: expected a number, or null, found `b`\n"),
        (step("{ user: x, kv: { \"*\": 1 } }"), "`*` stands for all keys that are not named, and can only be null\n"),
        (step("{ event: lost }"), "expected one of ack, nack, delivered, pending, failed, found `lost`\n"),
        (step("{ event: { kind: ack, reason: x } }"), "only a `nack` has a `reason`\n"),
        (step("{ clock: soon }"), "expected a time, as 2026-01-31T08:00:00Z, found `soon`\n"),
        (step("{ clock: +2x }"), "expected a span of time, as 90s, 2h or 1d12h30m, found `+2x`\n"),
        (step("{}"), "this step says nothing\n"),
        ("- steps: []\n".into(), "a.yaml:1:3: [0]: `conversation` is missing\n"),
        ("- conversation: a\n".into(), "a.yaml:1:3: [0]: `steps` is missing\n"),
        ("conversation: a\n".into(), "a.yaml:1:1: unknown key `conversation`\n"),
        ("hello\n".into(), "expected a list of conversations, or a map with `conversations`, found `hello`\n"),
        (
            "- conversation: a\n  steps: []\n- conversation: a\n  steps: []\n".into(),
            "two conversations are called `a`, the first in line 1\n",
        ),
        (
            "- conversation: a\n  app: { timeuot: 5 }\n  steps: []\n".into(),
            "a.yaml:2:10: [0].app: unknown key `timeuot`\n",
        ),
        (
            "- conversation: a\n  app: { component: x }\n  steps: []\n".into(),
            "the app that is tested is named on the command line",
        ),
        ("- conversation: a\n  app: { limits: { memory: lots } }\n  steps: []\n".into(), "[0].app.limits.memory: "),
        (
            "- conversation: a\n  http: [ { request: { method: FETCH, url: x } } ]\n  steps: []\n".into(),
            "expected one of GET,",
        ),
        (
            "- conversation: a\n  http: [ { request: { method: GET } } ]\n  steps: []\n".into(),
            "[0].http[0].request: `url` is missing\n",
        ),
        (
            "- conversation: a\n  http: [ { request: { url: x }, times: 0 } ]\n  steps: []\n".into(),
            "expected a number from 1, or any, found `0`\n",
        ),
        ("- conversation: a\n  steps: [\n".into(), "a.yaml:"),
    ] {
        let error = Script::read("a.yaml", &text).expect_err(&text).to_string();
        assert!(error.starts_with("a.yaml:") && error.contains(sentence), "{text}{error}");
    }
    let error = Script::read("a.yaml", &step("{ user: \"1\", aap: x }")).unwrap_err().to_string();
    assert!(error.ends_with("  |                    ^\n  = help: did you mean `app`?"), "{error}");
    let error = Script::open(Path::new("/nowhere/a.yaml")).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/a.yaml cannot be read: "), "{error}");
}

/// Whatever is taken out of a file, reading it ends with a conversation or a sentence.
#[test]
fn no_file_brings_it_down() {
    let text = blocks("yaml conversation").join("\n");
    let chars: Vec<char> = text.chars().collect();
    for from in (0..chars.len()).step_by(3) {
        for length in [1, 5, 40] {
            let rest = chars.iter().take(from).chain(chars.iter().skip(from + length)).collect::<String>();
            if let Err(error) = Script::read("a.yaml", &rest) {
                assert!(!error.to_string().is_empty());
            }
        }
    }
}
