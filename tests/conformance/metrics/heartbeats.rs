//! Checks 13 to 16 without a broker, and what workers say of themselves.

use std::path::Path;

use serde_json::{Value, json};
use vumi_message::Timestamp;
use vumi_worker::heartbeat::{
    ExpectedSystem, ExpectedWorker, Heard, Heartbeat, HeartbeatPublisher, Roster, Told, Verdict,
};

fn recorded() -> Value {
    let path = "fixtures/vumi-wire/heartbeat-and-metrics/05-heartbeat.inbound.json";
    let record = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    serde_json::from_slice::<Value>(&record).unwrap()["body_text"].clone()
}

#[test]
fn a_heartbeat_is_written_byte_for_byte_as_vumi_wrote_it() {
    let publisher = HeartbeatPublisher::new("global", "metrics_demo_worker");
    let body = publisher.payload(Timestamp::from_micros(1_795_197_678_307_189));
    let ours = std::str::from_utf8(&body).unwrap();
    let payload: Value = serde_json::from_str(ours).unwrap();
    assert_eq!(payload["pid"], std::process::id());
    let hostname = payload["hostname"].as_str().unwrap();
    // Where and in which process it was recorded.
    let theirs = recorded().as_str().unwrap().replace("(host name)", hostname);
    let theirs = theirs.replace("\"pid\": 31801", &format!("\"pid\": {}", std::process::id()));
    assert_eq!(ours, theirs);
    let more = publisher.with("load", json!(0.5)).with("pid", json!("taken")).payload(Timestamp::from_secs(1));
    let more: Value = serde_json::from_slice(&more).unwrap();
    assert_eq!((&more["load"], &more["pid"], &more["timestamp"]), (&json!(0.5), &payload["pid"], &json!(1.0)));
}

#[test]
fn check_13_what_a_heartbeat_needs() {
    let whole: Value = serde_json::from_str(recorded().as_str().unwrap()).unwrap();
    let without = |key: &str| {
        let mut heartbeat = whole.clone();
        heartbeat.as_object_mut().unwrap().remove(key).unwrap();
        Told::parse(heartbeat.to_string().as_bytes())
    };
    for key in ["version", "system_id", "worker_id", "worker_name", "hostname", "pid"] {
        let error = without(key).unwrap_err();
        assert!(error.starts_with(&format!("this is no heartbeat: missing field `{key}`")), "{error}");
    }
    let Ok(Told::Heartbeat(heartbeat)) = without("timestamp") else { panic!("a heartbeat") };
    assert_eq!((heartbeat.timestamp, heartbeat.pid), (None, 31801));
}

fn heartbeat(worker: &str, host: &str, pid: i64, at: f64) -> Heartbeat {
    Heartbeat {
        worker_name: worker.to_owned(),
        timestamp: Some(at),
        hostname: host.to_owned(),
        pid,
        version: "20130319".to_owned(),
        system_id: "s".to_owned(),
        worker_id: format!("s:{worker}"),
    }
}

fn roster(min_procs: u32) -> Roster {
    let worker = ExpectedWorker { id: "s:w".to_owned(), name: "w".to_owned(), min_procs };
    Roster::new(30, vec![ExpectedSystem { id: "s".to_owned(), workers: vec![worker] }], 1_000.0)
}

#[test]
fn check_14_instances_are_hosts_and_processes() {
    let mut roster = roster(2);
    for _ in 0..3 {
        assert_eq!(roster.hear(&heartbeat("w", "h", 1, 1_000.0), 1_000.0), Heard::Counted);
    }
    let failing = |procs_count| Verdict::Failing { worker_id: "s:w".to_owned(), procs_count };
    assert_eq!(roster.check(1_030.0), [failing(1)]);
    roster.carried_out();
    for (host, pid) in [("h", 1), ("h", 2), ("h2", 1)] {
        roster.hear(&heartbeat("w", host, pid, 1_040.0), 1_040.0);
    }
    assert_eq!(roster.check(1_060.9), [Verdict::Recovered { worker_id: "s:w".to_owned() }]);
    roster.carried_out();
    let hosts = json!([{"host": "h", "proc_count": 2}, {"host": "h2", "proc_count": 1}]);
    let worker = json!({"id": "s:w", "name": "w", "system_id": "s", "min_procs": 2, "hosts": hosts});
    let system = json!({"name": "s", "id": "s", "timestamp": 1060, "workers": [worker]});
    assert_eq!(roster.systems(), [("s".to_owned(), system)]);
    // Enough as before: nothing to do. Then none at all.
    for pid in 0..2 {
        roster.hear(&heartbeat("w", "h", pid, 1_070.0), 1_070.0);
    }
    assert_eq!(roster.check(1_090.0), []);
    roster.carried_out();
    assert_eq!(roster.check(1_120.0), [failing(0)]);
}

#[test]
fn check_15_late_and_unknown_heartbeats_are_discarded() {
    let mut roster = roster(1);
    assert_eq!(roster.hear(&heartbeat("w", "h", 1, 1_000.0), 1_031.0), Heard::Late);
    assert_eq!(roster.hear(&heartbeat("x", "h", 1, 1_031.0), 1_031.0), Heard::Unknown);
    assert_eq!(roster.check(1_031.0).len(), 1);
    assert_eq!(roster.hear(&heartbeat("w", "h", 1, 1_001.0), 1_031.0), Heard::Counted);
    assert_eq!(roster.hear(&Heartbeat { timestamp: None, ..heartbeat("w", "h", 2, 0.0) }, 1_031.0), Heard::Counted);
    assert_eq!(roster.check(1_061.0).len(), 1);
    assert_eq!(roster.systems()[0].1["workers"][0]["hosts"][0]["proc_count"], 2);
}

#[test]
fn what_was_not_carried_out_is_said_again() {
    let mut roster = roster(1);
    for at in [1_030.0, 1_060.0] {
        roster.hear(&heartbeat("w", "h", 1, at), at);
        assert_eq!(roster.check(at), [Verdict::Recovered { worker_id: "s:w".to_owned() }]);
    }
    roster.carried_out();
    roster.hear(&heartbeat("w", "h", 1, 1_090.0), 1_090.0);
    assert_eq!(roster.check(1_090.0), []);
}
