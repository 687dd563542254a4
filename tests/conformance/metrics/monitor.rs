//! The monitor: what it writes to Redis (checks 14 and 16), and, as a worker, what it shows (check 17).

use serde_json::{Value, json};
use vumi_core::{Keyspace, RedisManager, names};
use vumi_worker::heartbeat::{ExpectedSystem, ExpectedWorker, Told, Watch};

use super::kit::{Running, SetClock, build, context, emptied, put, reasons};
use crate::telnet::rig::soon;

const SYSTEM: &str = "
deadline: 30
redis_manager: {key_prefix: hb}
monitored_systems:
  main:
    system_id: s
    system_name: not used
    workers:
      any: {name: w, min_procs: \"2\"}
";

fn heartbeat(pid: i64, at: f64) -> Told {
    let heartbeat = json!({"version": "20130319", "system_id": "s", "worker_id": "s:w", "worker_name": "w",
        "hostname": "h", "pid": pid, "timestamp": at});
    Told::parse(heartbeat.to_string().as_bytes()).unwrap()
}

/// Two processes are needed.
fn watch(keyspace: &Keyspace, now: f64) -> Watch {
    let worker = ExpectedWorker { id: "s:w".to_owned(), name: "w".to_owned(), min_procs: 2 };
    Watch::new(30, vec![ExpectedSystem { id: "s".to_owned(), workers: vec![worker] }], keyspace.clone(), now)
}

async fn read(keyspace: &Keyspace, key: &str) -> Option<Value> {
    keyspace.collections.text(key).await.unwrap().map(|text| serde_json::from_str(&text).unwrap())
}

/// Says these heartbeats and ends the interval at the time `now`; the issue after it.
async fn interval(watch: &Watch, keyspace: &Keyspace, pids: &[i64], now: f64) -> Option<Value> {
    for pid in pids {
        watch.hear(heartbeat(*pid, now), now).unwrap();
    }
    watch.check(now).await;
    read(keyspace, "worker:s:w:issue").await
}

fn issue(start: f64, procs: i64) -> Option<Value> {
    Some(json!({"issue_type": "min-procs-fail", "start_time": start, "procs_count": procs}))
}

#[tokio::test]
async fn check_14_an_issue_comes_and_goes() {
    let keyspace = vumi_tests::context::context().keyspaces.open(&RedisManager::default()).unwrap();
    let watch = watch(&keyspace, 1_000.0);
    assert_eq!(interval(&watch, &keyspace, &[1, 1, 1], 1_030.5).await, issue(1_030.5, 1));
    let hosts = json!([{"host": "h", "proc_count": 1}]);
    let worker = json!({"id": "s:w", "name": "w", "system_id": "s", "min_procs": 2, "hosts": hosts});
    let system = json!({"name": "s", "id": "s", "timestamp": 1030, "workers": [worker]});
    assert_eq!(read(&keyspace, "system:s").await.as_ref(), Some(&system));
    let members = keyspace.collections.members("systems").await.unwrap();
    assert_eq!(members.into_iter().collect::<Vec<_>>(), ["s"]);
    let shown = json!({"worker_id": "s:w", "issue_type": "min-procs-fail", "start_time": 1_030.5, "procs_count": 1});
    assert_eq!(watch.json(1_031), json!({"systems": [system], "components": [], "issues": [shown]}));
    assert_eq!(interval(&watch, &keyspace, &[1, 2], 1_060.0).await, None);
    assert_eq!(watch.json(1_061)["issues"], json!([]));
}

#[tokio::test]
async fn check_16_an_issue_keeps_its_beginning() {
    let keyspace = vumi_tests::context::context().keyspaces.open(&RedisManager::default()).unwrap();
    let first = watch(&keyspace, 1_000.0);
    assert_eq!(interval(&first, &keyspace, &[1], 1_030.5).await, issue(1_030.5, 1));
    assert_eq!(interval(&first, &keyspace, &[], 1_060.0).await, issue(1_030.5, 0));
    // A monitor that is started again still knows when the trouble began, and ends it.
    let second = watch(&keyspace, 1_070.0);
    assert_eq!(interval(&second, &keyspace, &[5], 1_100.0).await, issue(1_030.5, 1));
    assert_eq!(interval(&second, &keyspace, &[5, 6], 1_130.0).await, None);
}

async fn get(at: &str, path: &str) -> reqwest::Response {
    soon(path, reqwest::get(format!("http://{at}{path}"))).await.unwrap()
}

#[tokio::test]
async fn check_17_components_and_the_browser_view() {
    let clock = SetClock::at(1_000_000_119);
    let context = context(&clock);
    let worker = Running::start(&format!("class: heartbeat_monitor{SYSTEM}web_port: 0"), &context).await;
    let at = worker.at.clone().unwrap();
    assert!(at.starts_with("127.0.0.1:"), "{at}");
    let report = json!({"name": "<b>", "uuid": "u/1", "timestamp": [2001, 9, 9, 1, 46, 40], "load": "<i>&"});
    let control = json!({"message_version": "20110707", "message_type": "t", "source_name": "old", "source_id": "o",
        "payload": {"n": 1}, "timestamp": [2001, 9, 9, 1, 46, 40]});
    for body in [report.to_string(), "junk".to_owned(), control.to_string(), json!({"name": "n"}).to_string()] {
        put(&*context.broker, names::HEARTBEATS, body).await;
    }
    emptied(&*context.broker, names::HEARTBEATS).await;
    let told = reasons(&*context.broker, names::HEARTBEATS).await;
    assert!(told.len() == 2 && told.iter().all(|reason| reason.starts_with("this is no heartbeat: ")), "{told:?}");

    let status: Value = serde_json::from_str(&get(&at, "/status.json").await.text().await.unwrap()).unwrap();
    let shown = json!([
        {"name": "<b>", "uuid": "u/1", "age_s": 119, "state": "ok", "fields": {"load": "<i>&"}},
        {"name": "old", "uuid": "o", "age_s": 119, "state": "ok", "fields": {"message_type": "t", "payload": {"n": 1}}},
    ]);
    assert_eq!((&status["components"], &status["issues"]), (&shown, &json!([])));
    let system = &status["systems"][0];
    assert_eq!((&system["id"], &system["workers"][0]["hosts"]), (&json!("s"), &json!([])));

    let page = get(&at, "/status").await;
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let page = page.text().await.unwrap();
    assert!(page.contains("<td>&lt;b&gt;</td><td>u/1</td><td>119</td><td>ok</td><td>&lt;i&gt;&amp;</td>"), "{page}");
    assert!(!page.contains("<b>") && !page.contains("<i>") && !page.contains("src="), "{page}");

    clock.set(1_000_000_121);
    let status: Value = serde_json::from_str(&get(&at, "/status.json").await.text().await.unwrap()).unwrap();
    assert_eq!((&status["components"][0]["age_s"], &status["components"][0]["state"]), (&json!(121), &json!("error")));
    let again = json!({"name": "<b>", "uuid": "u/1", "timestamp": [2001, 9, 9, 1, 48, 40]});
    put(&*context.broker, names::HEARTBEATS, again.to_string()).await;
    emptied(&*context.broker, names::HEARTBEATS).await;
    let status: Value = serde_json::from_str(&get(&at, "/status.json").await.text().await.unwrap()).unwrap();
    assert_eq!((&status["components"][0]["age_s"], &status["components"][0]["state"]), (&json!(1), &json!("ok")));

    let forget = |uuid: &str| reqwest::Client::new().delete(format!("http://{at}/components/{uuid}")).send();
    assert_eq!(forget("u%2F1").await.unwrap().status(), 204);
    assert_eq!(forget("u%2F1").await.unwrap().status(), 404);
    let health = get(&at, "/health").await;
    assert_eq!((health.status().as_u16(), health.text().await.unwrap().as_str()), (200, "OK"));
    worker.stop().await;
}

#[tokio::test]
async fn missing_keys_are_named() {
    let context = context(&SetClock::at(0));
    for (missing, error) in [
        ("workers", "Expected 'workers' field in config"),
        ("system_id", "Expected 'system_id' field in config"),
        ("name", "Expected 'name' field in config"),
        ("min_procs", "Expected 'min_procs' field in config"),
        ("deadline", "missing field `deadline`"),
        ("redis_manager", "missing field `redis_manager`"),
        ("monitored_systems", "missing field `monitored_systems`"),
    ] {
        let mut worker = json!({"name": "w", "min_procs": 1});
        worker.as_object_mut().unwrap().remove(missing);
        let mut system = json!({"system_id": "s", "workers": {"a": worker}});
        system.as_object_mut().unwrap().remove(missing);
        let mut config = json!({"class": "heartbeat_monitor", "deadline": 30, "redis_manager": {},
            "monitored_systems": {"x": system}});
        config.as_object_mut().unwrap().remove(missing);
        let found = build(&config.to_string(), &context).err().unwrap();
        assert!(found.contains(error), "{missing}: {found}");
    }
}
