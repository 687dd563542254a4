//! Every route: what it answers, and what it says when it is asked wrongly.

use std::sync::atomic::Ordering;

use serde_json::Value;
use vumi_admin::model::{
    AppInfo, DispatcherInfo, Health, KvListing, Page, QueueInfo, RunView, SystemInfo, TransportInfo,
};

use crate::http::Server;

const ROUTES: &[(&str, &str)] = &[
    ("get", "/api/v1/apps"),
    ("get", "/api/v1/apps/{name}"),
    ("get", "/api/v1/apps/{name}/kv"),
    ("get", "/api/v1/apps/{name}/logs"),
    ("get", "/api/v1/apps/{name}/runs"),
    ("get", "/api/v1/audit"),
    ("get", "/api/v1/deployments"),
    ("delete", "/api/v1/deployments/{app}"),
    ("get", "/api/v1/deployments/{app}"),
    ("post", "/api/v1/deployments/{app}/activate"),
    ("delete", "/api/v1/deployments/{app}/canary"),
    ("put", "/api/v1/deployments/{app}/canary"),
    ("get", "/api/v1/deployments/{app}/differences"),
    ("post", "/api/v1/deployments/{app}/rollback"),
    ("delete", "/api/v1/deployments/{app}/secrets/{name}"),
    ("put", "/api/v1/deployments/{app}/secrets/{name}"),
    ("put", "/api/v1/deployments/{app}/settings"),
    ("delete", "/api/v1/deployments/{app}/shadow"),
    ("put", "/api/v1/deployments/{app}/shadow"),
    ("post", "/api/v1/deployments/{app}/versions"),
    ("delete", "/api/v1/deployments/{app}/versions/{number}"),
    ("get", "/api/v1/deployments/{app}/versions/{number}/component"),
    ("get", "/api/v1/dispatchers"),
    ("get", "/api/v1/events"),
    ("get", "/api/v1/messages"),
    ("get", "/api/v1/openapi.json"),
    ("get", "/api/v1/queues"),
    ("get", "/api/v1/queues/{name}/dead"),
    ("delete", "/api/v1/queues/{name}/dead/{id}"),
    ("post", "/api/v1/queues/{name}/dead/{id}/requeue"),
    ("get", "/api/v1/recordings"),
    ("get", "/api/v1/recordings/{id}"),
    ("get", "/api/v1/simulator/phones"),
    ("get", "/api/v1/simulator/phones/{addr}"),
    ("post", "/api/v1/simulator/phones/{addr}/messages"),
    ("get", "/api/v1/system"),
    ("get", "/api/v1/tokens"),
    ("post", "/api/v1/tokens"),
    ("delete", "/api/v1/tokens/{id}"),
    ("get", "/api/v1/transports"),
    ("get", "/api/v1/workers"),
    ("get", "/health"),
    ("get", "/metrics"),
];

#[tokio::test]
async fn the_openapi_document_lists_exactly_the_routes_and_every_reference_leads_somewhere() {
    let server = Server::start().await;
    let answer = server.get("/api/v1/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let document = answer.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let mut listed = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path} says what it does");
            listed.push((method.clone(), path.clone()));
        }
    }
    listed.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    let expected: Vec<_> = ROUTES.iter().map(|(method, path)| (method.to_string(), path.to_string())).collect();
    assert_eq!(listed, expected);
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 30);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let events = document.pointer("/components/schemas/SystemEvent");
    assert!(events.is_some(), "the stream's data is described");
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                found.push(reference.clone());
            }
            map.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_question_is_answered_in_the_documented_shape() {
    let server = Server::start().await;
    for (_, path) in ROUTES.iter().filter(|(method, path)| *method == "get" && !path.ends_with("/events")) {
        // Bytes, not JSON; asked for in deployments.rs.
        if path.ends_with("/component") {
            continue;
        }
        let path = path
            .replace("queues/{name}", "queues/echo.inbound")
            .replace("{name}", "echo")
            .replace("{app}", "shop")
            .replace("{addr}", "%2B27")
            .replace("{id}", "000000000000000000000000feed0001");
        let answer = server.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        if path != "/metrics" {
            answer.json();
        }
    }
    let system: SystemInfo = serde_json::from_value(server.get("/api/v1/system").await.json()).unwrap();
    assert_eq!(system.simulator.unwrap().ussd_code, "*120*8007#");
    let apps: Vec<AppInfo> = serde_json::from_value(server.get("/api/v1/apps").await.json()).unwrap();
    assert_eq!(apps[0].limits.memory_bytes, Some(64 << 20));
    let transports: Vec<TransportInfo> = serde_json::from_value(server.get("/api/v1/transports").await.json()).unwrap();
    assert_eq!(transports.len(), 2);
    let dispatchers: Vec<DispatcherInfo> =
        serde_json::from_value(server.get("/api/v1/dispatchers").await.json()).unwrap();
    assert_eq!(dispatchers[0].exposed_names, ["echo"]);
    let queues: Vec<QueueInfo> = serde_json::from_value(server.get("/api/v1/queues").await.json()).unwrap();
    assert_eq!(queues[1].dead, 2);
}

#[tokio::test]
async fn probes_tell_machines_what_they_need() {
    let server = Server::start().await;
    let health: Health = serde_json::from_value(server.get("/health").await.json()).unwrap();
    assert_eq!(health.version, "0.1.0");
    server.system.draining.store(true, Ordering::Relaxed);
    let answer = server.get("/health").await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (503, Some("draining")));
    let metrics = server.get("/metrics").await;
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(metrics.text().contains("vumi_app_runs_total{app=\"echo\"} 0"));
}

#[tokio::test]
async fn lists_are_paged_without_gap_or_repetition_and_filtered() {
    let server = Server::start().await;
    for user in ["+1", "+2", "+1"] {
        let path = format!("/api/v1/simulator/phones/{user}/messages");
        let answer = server.post(&path, r#"{"kind":"sms","content":"hi","to_addr":"8007"}"#).await;
        assert_eq!(answer.status, 202);
    }
    server.runs_to_reach(3).await;
    let whole = server.get("/api/v1/messages").await.json();
    let whole: Vec<u64> = seqs(&whole);
    assert_eq!(whole.len(), 9);
    assert!(whole.is_sorted_by(|a, b| a > b));
    let mut paged = Vec::new();
    let mut before = String::new();
    loop {
        let page = server.get(&format!("/api/v1/messages?limit=4{before}")).await.json();
        paged.extend(seqs(&page));
        let Some(next) = page.get("next") else { break };
        before = format!("&before={next}");
    }
    assert_eq!(paged, whole);
    let of_one = server.get("/api/v1/messages?user=%2B1&transport_name=simulator").await.json();
    assert_eq!(seqs(&of_one).len(), 6);
    assert_eq!(seqs(&server.get("/api/v1/messages?transport_name=telnet").await.json()).len(), 0);
    assert_eq!(seqs(&server.get("/api/v1/messages?user=").await.json()).len(), 9);

    let runs: Page<RunView> =
        serde_json::from_value(server.get("/api/v1/apps/echo/runs?limit=2").await.json()).unwrap();
    assert_eq!((runs.items.len(), runs.next), (2, Some(runs.items[1].seq)));
    let logs = server.get("/api/v1/apps/echo/logs").await.json();
    assert_eq!(logs["items"][0]["level"], "info");
    let kv: KvListing =
        serde_json::from_value(server.get("/api/v1/apps/echo/kv?prefix=visits.&limit=1").await.json()).unwrap();
    assert_eq!((&*kv.items[0].key, &*kv.items[0].value, kv.more), ("visits.+1", "2", true));
    let kv = server.get("/api/v1/apps/echo/kv?prefix=session.").await.json();
    assert!(kv["items"][0]["ttl_seconds"].as_u64().unwrap() > 500);
}

fn seqs(page: &Value) -> Vec<u64> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn wrong_questions_get_one_clear_sentence() {
    let server = Server::start().await;
    for (path, says) in [
        ("/api/v1/messages?limit=0", "limit is 0; it must be from 1 to 1000"),
        ("/api/v1/messages?limit=1001", "limit is 1001"),
        ("/api/v1/apps/echo/runs?limit=many", "limit: invalid digit"),
        ("/api/v1/apps/echo/logs?before=-1", "before"),
        ("/api/v1/messages?users=1", "unknown field `users`"),
        ("/api/v1/apps/echo/kv?limit=5000", "limit is 5000"),
        ("/api/v1/queues/echo.inbound/dead?limit=0", "limit is 0"),
    ] {
        let problem = server.get(path).await.problem(400);
        assert!(problem.contains(says), "{path}: {problem}");
    }
    let endless = format!("/api/v1/messages?user={}", "x".repeat(2000));
    assert!(server.get(&endless).await.problem(400).contains("user is longer"));
    for path in ["/api/v1/apps/none", "/api/v1/apps/none/runs", "/api/v1/apps/none/logs", "/api/v1/apps/none/kv"] {
        assert!(server.get(path).await.problem(404).contains("no app named \"none\""), "{path}");
    }
    assert!(server.get("/api/v1/queues/none/dead").await.problem(404).contains("no queue"));
    assert!(server.get("/api/v2/apps").await.problem(404).contains("/api/v1/openapi.json"));
    assert!(server.send("PUT", "/api/v1/apps", &[], "").await.problem(405).contains("PUT"));
    assert!(server.get("/api/v1/apps/%FF").await.problem(400).contains("UTF-8"));
}

#[tokio::test]
async fn dead_letters_are_looked_at_sent_again_and_dropped() {
    let server = Server::start().await;
    let dead = "/api/v1/queues/echo.inbound/dead";
    let letters = server.get(dead).await.json();
    assert_eq!(letters[0]["reason"], "the kv store was away for 5 attempts");
    assert_eq!(letters[1]["payload"], "<xml/>");
    assert_eq!(server.get(&format!("{dead}?limit=1")).await.json().as_array().unwrap().len(), 1);

    let requeue = format!("{dead}/d1/requeue");
    server.system.full.store(true, Ordering::Relaxed);
    let full = server.post(&requeue, "").await;
    assert!(full.problem(503).contains("full"));
    assert_eq!(full.header("retry-after"), "3", "2.5 s, rounded up");
    server.system.full.store(false, Ordering::Relaxed);
    assert_eq!(server.post(&requeue, "").await.status, 204);
    server.post(&requeue, "").await.problem(404);

    assert_eq!(server.send("DELETE", &format!("{dead}/d2"), &[], "").await.status, 204);
    server.send("DELETE", &format!("{dead}/d2"), &[], "").await.problem(404);
    assert_eq!(server.get(dead).await.json(), Value::Array(Vec::new()));
}
