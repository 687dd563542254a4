//! Cases that are wrong: the runner must fail each of them, at its step and with a reason.

use std::sync::Arc;

use vumi_tests::golden;

use super::run;

/// The name of each case begins with the step that must fail and what it must say.
const CASES: &str = r#"
spec: wrong
checks: 0
class: http-api
config: {web_path: /in, web_port: 0, reply_expected: true, field_defaults: {to_addr: a, from_addr: b, content: c}}
cases:
  - name: "step 2: expected status 200, got 404"
    steps:
      - request: GET /nowhere
      - response: {}
  - name: "step 2: message.content: expected \"d\", got \"c\""
    steps:
      - request: GET /in
      - inbound: {content: d}
  - name: "step 3: no request `r` is open"
    steps:
      - request: GET /nowhere
      - response: {status: 404}
      - response: {status: 404}
  - name: "step 2: expected no response yet, got"
    steps:
      - request: GET /nowhere
      - no_response: true
  - name: "step 2: no request `r` is open"
    steps:
      - {request: GET /nowhere, until: {status: 404}}
      - {disconnect: true}
  - name: "step 3: expected no event, got"
    steps:
      - send: {to_addr: b, content: x}
      - nothing: [inbound, failure]
      - nothing: [event]
  - name: "step 2: event.event_type: expected \"ack\", got \"nack\""
    steps:
      - send: {to_addr: b, content: x}
      - event: {event_type: ack}
  - name: "step 4: header Content-Type: expected \"text/html\", got \"text/plain\""
    steps:
      - request: GET /in
      - inbound: {}
      - reply: {content: x}
      - response: {headers: {Content-Type: text/html}}
  - name: "at the end: expected no message, got"
    steps:
      - request: GET /in
      - no_response: true
  - name: "at the end: expected no event, got"
    steps:
      - send: {to_addr: b, content: x}
  - name: "at the end: [\"id\"] take a value that nothing uses"
    steps:
      - request: GET /in
      - inbound: {message_id: "${id}"}
  - name: "step 1: `${no}` stands for nothing"
    steps:
      - request: GET /in?content=${no}
  - name: "step 1: no start: error: line 1 column 136: unknown field `no_such_key`"
    config: {no_such_key: 1}
    steps:
      - request: GET /in
  - name: "step 1: expected a refusal with \"x\", but nothing is wrong"
    steps:
      - check_fails: x
  - name: "step 1: expected a refusal with \"x\", but it is ready at"
    steps:
      - start_fails: x
  - name: "step 3: k: expected \"w\", got \"v\""
    steps:
      - put_kv: {key: k, value: v, ttl: 100}
      - kv: {key: k, is: v, ttl: 100}
      - kv: {key: k, is: w}
  - name: "step 2: k: expected a time to live of 10 s, got"
    steps:
      - put_hash: {key: k, fields: {f: v}, ttl: 100}
      - hash: {key: k, has: {f: v}, ttl: 10}
  - name: "step 2: k[1]: expected \"c\", got \"b\""
    steps:
      - put_list: {key: k, items: [a, b]}
      - list: {key: k, is: [a, c]}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_cases_fail() {
    let golden = Arc::new(golden::read("wrong", CASES.trim_start()).unwrap());
    let run = |number: usize| {
        let golden = Arc::clone(&golden);
        tokio::spawn(async move { run::case(&golden, &golden.cases[number].value).await })
    };
    let running: Vec<_> = (0..golden.cases.len()).map(run).collect();
    for (case, outcome) in golden.cases.iter().zip(running) {
        let name = &case.value.name;
        let error = outcome.await.unwrap().expect_err(name);
        let line = error.split("(line ").nth(1).and_then(|rest| rest.split(')').next());
        let number = error.strip_prefix("step ").and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        let step = number.map(|number| case.value.steps[number - 1].referenced.line().to_string());
        assert_eq!(line, step.as_deref(), "{error}");
        let bare = line.map_or(error.clone(), |line| error.replacen(&format!(" (line {line})"), "", 1));
        assert!(bare.starts_with(name.as_str()), "{name}\n{error}");
    }
}
