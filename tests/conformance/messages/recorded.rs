//! Every message that Python Vumi was recorded to send (tests/fixtures/vumi-wire), read and written again; and
//! Python itself as the judge of how JSON is written.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use vumi_message::retry::{RetryMetadata, RetryPolicy};
use vumi_message::{Event, Failure, FailureCode, Message, Status, UserMessage, json as vumi_json};

use super::{is_invalid, with};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vumi-wire")
}

/// The JSON files of the folders of which `wanted` is true, in a fixed order: path below `vumi-wire` and content.
fn recorded(wanted: impl Fn(&str) -> bool) -> Vec<(String, Value)> {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(fixtures()).expect("tests/fixtures/vumi-wire") {
        let folder = folder.unwrap();
        let name = folder.file_name().into_string().unwrap();
        if !folder.file_type().unwrap().is_dir() || !wanted(&name) {
            continue;
        }
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let text = std::fs::read(&path).unwrap();
                let file = path.file_name().unwrap().to_str().unwrap().to_owned();
                files.push((format!("{name}/{file}"), vumi_json::parse(&text).unwrap()));
            }
        }
    }
    files.sort_by(|one, two| one.0.cmp(&two.0));
    files
}

fn is_sandbox(folder: &str) -> bool {
    folder.starts_with("sandbox")
}

#[test]
fn recorded_messages_are_written_byte_for_byte() {
    let (mut users, mut events, mut statuses, mut failures, mut others) = (0, 0, 0, 0, 0);
    for (file, record) in recorded(|folder| !is_sandbox(folder)) {
        let Some(body) = record.get("body_text").and_then(Value::as_str) else {
            continue; // client.json and redis.json
        };
        let payload = vumi_json::parse_object(body.as_bytes()).unwrap();
        assert_eq!(Some(&Value::Object(payload.clone())), record.get("payload"), "{file}");
        if !payload.contains_key("message_type") {
            // Metrics and heartbeats are not messages, but go through the same writer.
            assert_eq!(vumi_json::object_to_text(&payload), body, "{file}");
            others += 1;
            continue;
        }
        let message = Message::from_json(body.as_bytes()).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(message.to_json(), body, "{file}");
        assert_eq!(Message::from_payload(payload).unwrap().to_json(), body, "{file}");
        let parsed_as_its_kind = match &message {
            Message::User(_) => {
                users += 1;
                UserMessage::from_json(body.as_bytes()).unwrap().to_json()
            }
            Message::Event(_) => {
                events += 1;
                Event::from_json(body.as_bytes()).unwrap().to_json()
            }
            Message::Status(_) => {
                statuses += 1;
                Status::from_json(body.as_bytes()).unwrap().to_json()
            }
            Message::Failure(failure) => {
                failures += 1;
                let failed = UserMessage::from_payload(failure.message().clone()).unwrap();
                assert_eq!(failed.payload(), failure.message(), "{file}");
                Failure::from_json(body.as_bytes()).unwrap().to_json()
            }
        };
        assert_eq!(parsed_as_its_kind, body, "{file}");
        let timestamp = message.payload().get("timestamp").and_then(Value::as_str).unwrap();
        assert_eq!(message.timestamp().to_string(), timestamp, "{file}");
    }
    let seen = [users, events, statuses, failures, others];
    let least = [37, 26, 3, 5, 7];
    assert!(seen.iter().zip(least).all(|(seen, least)| *seen >= least), "{seen:?} recorded messages, not {least:?}");
}

/// The same message failed twice for the time being; in between it was sent again.
#[test]
fn recorded_retry_is_what_the_retry_rules_give() {
    let body = |name: &str| {
        let wanted = format!("failure-worker-retry/{name}");
        let (_, record) =
            recorded(|folder| folder == "failure-worker-retry").into_iter().find(|(file, _)| *file == wanted).unwrap();
        record.get("body_text").unwrap().as_str().unwrap().to_owned()
    };
    let failure = Failure::from_json(body("01-sms.failures.json").as_bytes()).unwrap();
    assert_eq!(failure.failure_code(), FailureCode::Temporary);
    let mut payload = failure.message().clone();
    let first = RetryMetadata::of(&payload).next(&RetryPolicy::default());
    first.put(&mut payload);
    let again = UserMessage::from_json(body("02-sms.outbound.json").as_bytes()).unwrap();
    assert_eq!(again.payload(), &payload);
    let second = Failure::from_json(body("03-sms.failures.json").as_bytes()).unwrap();
    assert_eq!(RetryMetadata::of(second.message()), first);
    assert_eq!(first.next(&RetryPolicy::default()), RetryMetadata { retries: 2, delay: 3 });
}

/// The sandbox cases that show a worker choking on a message, and what is wrong with each.
fn refusal(case: &str) -> Option<&'static str> {
    Some(match case {
        "bad-json-inbound" => "the message is not JSON: a key in double quotes is expected at line 1 column 2",
        "missing-field-inbound" => "the field 'to_addr' is missing",
        "bad-session-event" => {
            "the field 'session_event' is invalid: it must be null, \"new\", \"resume\" or \"close\", not \"begin\""
        }
        "wrong-version" => {
            "the field 'message_version' is invalid: it must be \"20110921\", the only version there is, not \"20990101\""
        }
        _ => return None,
    })
}

#[test]
fn recorded_sandbox_messages_survive() {
    let (mut sent, mut outbound) = (0, 0);
    for (file, record) in recorded(is_sandbox) {
        let case = record.get("case").and_then(Value::as_str).unwrap();
        if let Some(Value::Object(payload)) = record.get("sent")
            && refusal(case).is_none()
        {
            let text = vumi_json::object_to_text(payload);
            let message = Message::from_json(text.as_bytes()).unwrap_or_else(|error| panic!("{file}: {error}"));
            match case {
                "timestamp-without-microseconds" => {
                    let expected = with(payload, "timestamp", json!("2026-11-20 17:43:53.000000"));
                    assert_eq!(message.payload(), &expected, "{file}");
                }
                _ => assert_eq!(message.to_json(), text, "{file}"),
            }
            sent += 1;
        }
        for message in record.get("outbound").and_then(Value::as_array).unwrap() {
            let text = vumi_json::to_text(message);
            match UserMessage::from_json(text.as_bytes()) {
                Ok(message) => assert_eq!(message.to_json(), text, "{file}"),
                // Vumi let an application send an object as the text of a message; no transport could send that
                // on, and vxsandbox already refused it.
                Err(error) => {
                    assert_eq!(file, "sandbox/outbound.json");
                    assert_eq!(message.get("content"), Some(&json!({"not": "text"})));
                    assert!(is_invalid(Err::<(), _>(error), "content"));
                }
            }
            outbound += 1;
        }
    }
    assert!(sent >= 49 && outbound >= 25, "{sent} messages sent to and {outbound} from sandboxes");
}

#[test]
fn recorded_bad_messages_are_refused_with_the_reason() {
    let mut refused = 0;
    for (file, record) in recorded(is_sandbox) {
        let Some(reason) = refusal(record.get("case").and_then(Value::as_str).unwrap()) else { continue };
        let text = match record.get("sent").unwrap() {
            Value::String(text) => text.clone(),
            other => vumi_json::to_text(other),
        };
        assert_eq!(UserMessage::from_json(text.as_bytes()).unwrap_err().to_string(), reason, "{file}");
        refused += 1;
    }
    assert!(refused >= 5, "only {refused} recorded bad messages");
}

// --------------------------------------------------------------------------------------------- Python's opinion

/// Feeds JSON texts, one a line, to `json.dumps(json.loads(line))` of python3 (which the test suite requires).
fn through_python(lines: &[String]) -> Vec<String> {
    let program = "import json, sys\nfor line in sys.stdin: print(json.dumps(json.loads(line)))";
    let mut python = Command::new("python3")
        .args(["-c", program])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is needed to run the tests");
    let mut stdin = python.stdin.take().unwrap();
    let input = lines.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn python_writes_the_same_text() {
    let mut lines = Vec::new();
    // Characters, 64 a line, once as it is where JSON allows that and once as an escape.
    let characters: Vec<char> = ('\0'..=char::MAX).collect();
    // All up to the CJK characters, beyond them samples.
    for chunk in characters.chunks(64).filter(|chunk| chunk[0] < '\u{3000}' || u32::from(chunk[0]) % 1024 == 0) {
        let plain: String = chunk.iter().filter(|c| **c >= ' ' && !matches!(c, '"' | '\\')).collect();
        lines.push(format!("{{\"{plain}\": [\"{plain}\"]}}"));
        let escaped: String = chunk
            .iter()
            .flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec())
            .map(|unit| format!("\\u{unit:04X}"))
            .collect();
        lines.push(format!("[\"{escaped}\"]"));
    }
    for text in [
        " [ 1 , -2 ,\t3.5, 1e+16, 1.5e-07, 0, -0.0, 123456789012345678901234567890 ] ",
        r#"{"a":{},"b":[],"c":[[],[{}]],"d":null,"e":true,"f":false,"":""}"#,
        r#"{"a": 1, "b": 2, "a": {"c": 3}}"#,
        r#""\"\\\/\b\f\n\r\t""#,
        &format!("{}{}", "[".repeat(vumi_json::MAX_DEPTH), "]".repeat(vumi_json::MAX_DEPTH)),
    ] {
        lines.push(text.to_owned());
    }
    for (_, record) in recorded(|_| true) {
        lines.push(vumi_json::to_text(&record));
    }
    assert!(lines.len() > 500, "{} texts", lines.len());
    let expected = through_python(&lines);
    assert_eq!(expected.len(), lines.len());
    for (line, expected) in lines.iter().zip(expected) {
        assert_eq!(vumi_json::to_text(&vumi_json::parse(line.as_bytes()).unwrap()), expected);
    }
}
