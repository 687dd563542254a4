//! Deploying over the API: every route as it is meant, and everything that is wrong with an order.

use serde_json::{Value, json};
use vumi_admin::model::{DeploymentInfo, DifferenceView, Page, Uploaded};

use crate::http::{Answer, Server, TOKEN};

const SHOP: &str = "/api/v1/deployments/shop";
const WASM: (&str, &str) = ("Content-Type", "application/wasm");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const COMPONENT: &str = "\0asm a component";

impl Server {
    async fn upload(&self, app_and_query: (&str, &str), component: &str) -> Answer {
        let (app, query) = app_and_query;
        self.send("POST", &format!("/api/v1/deployments/{app}/versions{query}"), &[WASM], component).await
    }

    async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, &[JSON], &body.to_string()).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "").await
    }

    async fn shop(&self) -> DeploymentInfo {
        info(&self.get(SHOP).await)
    }
}

fn info(answer: &Answer) -> DeploymentInfo {
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_value(answer.json()).unwrap()
}

fn uploaded(answer: &Answer) -> Uploaded {
    serde_json::from_value(answer.json()).unwrap()
}

#[tokio::test]
async fn an_app_from_its_first_upload_to_its_removal() {
    let server = Server::start().await;
    let query =
        "?activate=true&note=Hello%0Aworld&source=oci%3A%2F%2Fr&settings=%7B%22config%22%3A%7B%22a%22%3A1%7D%7D";
    let answer = server.upload(("news", query), COMPONENT).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let first = uploaded(&answer);
    assert_eq!((first.version.number, first.new, first.active), (1, true, true));
    assert_eq!(first.version.note.as_deref(), Some("Hello\nworld"));
    assert_eq!((&*first.version.source, &*first.version.created_by), ("oci://r", "local"));

    let again = server.upload(("news", ""), COMPONENT).await;
    assert_eq!((again.status, uploaded(&again).new), (200, false));
    let octets = [("Content-Type", "Application/Octet-Stream; x=y")];
    let second = server.send("POST", "/api/v1/deployments/news/versions", &octets, "\0asm another").await;
    assert_eq!(second.status, 201);
    let second = uploaded(&second);
    assert_eq!((second.version.number, second.active, &*second.version.source), (2, false, "upload"));

    let news = info(&server.get("/api/v1/deployments/news").await);
    assert_eq!((news.active, news.settings["config"]["a"].as_u64()), (Some(1), Some(1)));
    let listed: Vec<DeploymentInfo> = serde_json::from_value(server.get("/api/v1/deployments").await.json()).unwrap();
    assert_eq!(listed.iter().map(|app| &*app.name).collect::<Vec<_>>(), ["news", "shop", "survey"]);

    assert_eq!(server.delete("/api/v1/deployments/news").await.status, 204);
    server.get("/api/v1/deployments/news").await.problem(404);
}

#[tokio::test]
async fn everything_wrong_with_an_upload_is_said_before_it_is_read() {
    let server = Server::start().await;
    for kind in ["", "application/json", "multipart/form-data; boundary=x", "text/plain", "application/wasm2"] {
        // Nothing of the body is sent: an answer shows that nobody waits for it.
        let headers = [("Content-Type", kind), ("Content-Length", "1000")];
        let answer = Answer::read(server.open("POST", &format!("{SHOP}/versions"), &headers, "").await).await;
        assert!(answer.problem(415).contains("application/octet-stream"), "{kind}");
    }
    let endless = "x".repeat(1025);
    let settings_too_long = format!("settings=%7B%22a%22%3A%22{}%22%7D", "x".repeat(16 * 1024));
    for (query, says) in [
        ("activate=yes", "activate"),
        ("active=true", "unknown field `active`"),
        (&*format!("note={endless}"), "note is longer"),
        ("note=%07", "note has control characters"),
        (&*format!("source={endless}"), "source is longer"),
        ("source=%00", "source has control characters"),
        ("settings=%7B", "settings must be the JSON text of an object"),
        ("settings=%5B%5D", "settings must be the JSON text of an object"),
        (&*settings_too_long, "settings have at most 16384 bytes"),
    ] {
        let headers = [WASM, ("Content-Length", "1000")];
        let path = format!("{SHOP}/versions?{query}");
        let answer = Answer::read(server.open("POST", &path, &headers, "").await).await;
        let problem = answer.problem(400);
        assert!(problem.contains(says), "{query}: {problem}");
    }
    let one_too_many = ((64 << 20) + 1).to_string();
    let headers = [WASM, ("Content-Length", &*one_too_many)];
    let answer = Answer::read(server.open("POST", &format!("{SHOP}/versions"), &headers, "").await).await;
    assert!(answer.problem(413).contains("at most 64 MiB"));

    assert!(server.upload(("shop", ""), "").await.problem(400).contains("empty"));
    assert!(server.upload(("shop", ""), "#!/bin/sh").await.problem(400).contains("no component"));
    assert_eq!(server.shop().await.generation, 7, "nothing has changed");
}

#[tokio::test]
async fn a_component_larger_than_all_other_bodies_passes_and_comes_back_whole() {
    let server = Server::start().await;
    let large = format!("\0asm{}", "0123456789abcdef".repeat(40_000));
    let answer = server.upload(("large", ""), &large).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let version = uploaded(&answer).version;
    assert_eq!(version.bytes, large.len() as u64);

    let path = "/api/v1/deployments/large/versions/1/component";
    let answer = server.get(path).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/wasm"));
    assert_eq!(answer.header("content-length"), large.len().to_string());
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"large-1.wasm\"");
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert!(answer.body == large.as_bytes(), "the very bytes");
    let tag = answer.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", version.hash));
    let known = server.send("GET", path, &[("If-None-Match", &tag)], "").await;
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, &*tag));
    let other = server.send("GET", path, &[("If-None-Match", "\"other\"")], "").await;
    assert_eq!(other.status, 200);
    let head = server.send("HEAD", path, &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert!(server.get("/api/v1/deployments/large/versions/9/component").await.problem(404).contains("no version 9"));

    // Every other route keeps its small limit.
    let settings = json!({"a": "x".repeat(70_000)});
    server.put(&format!("{SHOP}/settings"), &settings).await.problem(413);
}

#[tokio::test]
async fn two_uploads_at_a_time_are_read_and_a_third_is_told_when_to_come_back() {
    use tokio::io::AsyncWriteExt;

    let server = Server::start().await;
    let length = COMPONENT.len().to_string();
    let headers = [WASM, ("Content-Length", &*length)];
    let path = "/api/v1/deployments/busy/versions";
    let mut slow = Vec::new();
    for _ in 0..2 {
        slow.push(server.open("POST", path, &headers, &COMPONENT[..4]).await);
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let refused = loop {
        let third = server.upload(("third", ""), COMPONENT).await;
        if third.status == 503 {
            break third;
        }
        assert!(std::time::Instant::now() < deadline, "both uploads are being read");
    };
    assert!(refused.problem(503).contains("2 components are being uploaded"));
    assert_eq!(refused.header("retry-after"), "5");
    for mut stream in slow {
        stream.write_all(&COMPONENT.as_bytes()[4..]).await.unwrap();
        assert!(matches!(Answer::read(stream).await.status, 200 | 201));
    }
    assert!(matches!(server.upload(("third", ""), COMPONENT).await.status, 200 | 201));
}

#[tokio::test]
async fn an_upload_that_stands_still_is_given_up_after_thirty_seconds() {
    let server = Server::start().await;
    let headers = [WASM, ("Content-Length", "100")];
    let stream = server.open("POST", &format!("{SHOP}/versions"), &headers, COMPONENT).await;
    // From here on the clock jumps to the next thing that anybody waits for.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    assert!(Answer::read_patiently(stream).await.problem(408).contains("every 30 s"));
    assert!(begun.elapsed().as_secs() <= 31, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_refusal_reaches_a_caller_that_is_still_sending() {
    let server = Server::with(Some(TOKEN), 10).await;
    let large = "x".repeat(8 << 20);
    let bearer = format!("Bearer {TOKEN}");
    let path = format!("{SHOP}/versions");
    // The whole body is sent before the answer is looked at: sending does not fail, and the answer is there.
    let refused = [("text/plain", &*bearer, "", 415), (WASM.1, &bearer, "?activate=maybe", 400), (WASM.1, "", "", 401)];
    for (kind, authorization, query, status) in refused {
        let headers = [("Content-Type", kind), ("Authorization", authorization)];
        server.send("POST", &format!("{path}{query}"), &headers, &large).await.problem(status);
    }
    let endless = "x".repeat((64 << 20) + 1);
    server.send("POST", &path, &[WASM, ("Authorization", &bearer)], &endless).await.problem(413);
}

#[tokio::test]
async fn versions_are_activated_rolled_back_and_removed() {
    let server = Server::start().await;
    let activate = format!("{SHOP}/activate");
    let roll_back = format!("{SHOP}/rollback");
    let before = server.shop().await;
    let stale = json!({"version": 3, "generation": before.generation - 1}).to_string();
    assert!(server.post(&activate, &stale).await.problem(409).contains("has changed"));
    assert_eq!(server.shop().await, before);

    let order = json!({"version": 3, "generation": before.generation}).to_string();
    let after = info(&server.post(&activate, &order).await);
    assert_eq!((after.active, after.previous, after.canary), (Some(3), Some(2), None));
    assert_eq!(after.generation, before.generation + 1);
    let after = info(&server.post(&roll_back, "").await);
    assert_eq!((after.active, after.previous), (Some(2), Some(3)));
    server.post("/api/v1/deployments/survey/rollback", "").await.problem(409);

    for in_use in [2, 4] {
        let problem = server.delete(&format!("{SHOP}/versions/{in_use}")).await.problem(409);
        assert!(problem.contains("in use"), "{problem}");
    }
    assert_eq!(server.delete(&format!("{SHOP}/versions/3")).await.status, 204);
    server.delete(&format!("{SHOP}/versions/3")).await.problem(404);
    assert_eq!(uploaded(&server.upload(("shop", ""), COMPONENT).await).version.number, 5, "a number is given once");

    for (body, status) in [
        (r#"{"version": 9}"#, 404),
        (r#"{"version": 0}"#, 404),
        (r#"{"version": -1}"#, 422),
        (r#"{"version": "3"}"#, 422),
        (r#"{"version": 4294967296}"#, 422),
        (r#"{"version": 3, "force": true}"#, 422),
        (r#"{}"#, 422),
        ("version=3", 400),
    ] {
        server.post(&activate, body).await.problem(status);
    }
    server.send("POST", &activate, &[WASM], r#"{"version": 1}"#).await.problem(415);
}

#[tokio::test]
async fn canary_and_shadow_are_set_and_ended() {
    let server = Server::start().await;
    let (canary, shadow) = (format!("{SHOP}/canary"), format!("{SHOP}/shadow"));
    let set = info(&server.put(&canary, &json!({"version": 4, "percent": 0.01})).await);
    assert_eq!(set.canary.map(|canary| (canary.version, canary.percent)), Some((4, 0.01)));
    for percent in [json!(0), json!(-1), json!(0.009), json!(100.01), json!(1e300)] {
        let problem = server.put(&canary, &json!({"version": 4, "percent": percent})).await.problem(400);
        assert!(problem.contains("from 0.01 to 100"), "{problem}");
    }
    for wrong in [json!({"version": 4}), json!({"percent": 4}), json!({"version": 4, "percent": "5"}), json!([])] {
        server.put(&canary, &wrong).await.problem(422);
    }
    server.put(&canary, &json!({"version": 9, "percent": 5})).await.problem(404);
    assert_eq!(info(&server.delete(&canary).await).canary, None);
    assert_eq!(info(&server.delete(&canary).await).canary, None, "ending what has ended is no error");

    assert_eq!(info(&server.put(&shadow, &json!({"version": 3})).await).shadow, Some(3));
    server.put(&shadow, &json!({"version": 9})).await.problem(404);
    server.put(&shadow, &json!({"version": 3, "percent": 5})).await.problem(422);
    assert_eq!(info(&server.delete(&shadow).await).shadow, None);

    let differences = format!("{SHOP}/differences");
    let page: Page<DifferenceView> = serde_json::from_value(server.get(&differences).await.json()).unwrap();
    assert_eq!(page.items.iter().map(|item| &*item.kind).collect::<Vec<_>>(), ["replies", "outcome", "time"]);
    let page = server.get(&format!("{differences}?limit=1&before=3")).await.json();
    assert_eq!((&page["items"][0]["kind"], &page["next"]), (&json!("outcome"), &json!(2)));
    server.get(&format!("{differences}?limit=0")).await.problem(400);
}

#[tokio::test]
async fn settings_are_replaced_as_a_whole() {
    let server = Server::start().await;
    let path = format!("{SHOP}/settings");
    let after = info(&server.put(&path, &json!({"limits": {"cpu_ms": 50}})).await);
    assert_eq!(Value::from(after.settings), json!({"limits": {"cpu_ms": 50}}));
    for wrong in [json!([]), json!("text"), Value::Null] {
        server.put(&path, &wrong).await.problem(422);
    }
    let problem = server.put(&path, &json!({"a": "x".repeat(16 * 1024)})).await.problem(400);
    assert!(problem.contains("16384 bytes"), "{problem}");
    assert_eq!(Value::from(server.shop().await.settings), json!({"limits": {"cpu_ms": 50}}));
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    const VALUE: &str = "hunter2-and-more";
    let server = Server::start().await;
    let path = |name: &str| format!("{SHOP}/secrets/{name}");
    let mut seen = Vec::new();
    let set = server.put(&path("API.key-1"), &json!({"value": VALUE})).await;
    assert_eq!((set.status, set.body.len()), (204, 0));
    assert_eq!(server.system.deployments.last_secret.lock().as_deref(), Some(VALUE));
    assert!(server.shop().await.secrets.iter().any(|secret| secret.name == "API.key-1"));
    seen.push(server.get(SHOP).await);
    seen.push(server.get("/api/v1/deployments").await);
    // What is wrong with a body is said without quoting it.
    let quoted = format!("{VALUE:?}");
    for wrong in [
        quoted.clone(),
        VALUE.to_owned(),
        format!("{{\"value\": [{quoted}]}}"),
        format!("{{{quoted}: 1}}"),
        format!("{{\"value\": {quoted}, {quoted}: 1}}"),
        format!("{{\"value\": {quoted}"),
    ] {
        let answer = server.send("PUT", &path("KEY"), &[JSON], &wrong).await;
        assert!(matches!(answer.status, 400 | 422), "{wrong}");
        assert!(answer.problem(answer.status).contains("{\"value\": \"…\"}"));
        seen.push(answer);
    }
    let plain = server.send("PUT", &path("KEY"), &[("Content-Type", "text/plain")], VALUE).await;
    plain.problem(415);
    seen.push(plain);
    seen.push(server.put("/api/v1/deployments/none/secrets/KEY", &json!({"value": VALUE})).await);
    assert_eq!(seen.last().unwrap().status, 404);
    for answer in &seen {
        assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    }

    let longest = "v".repeat(32 * 1024);
    assert_eq!(server.put(&path("LONG"), &json!({"value": longest})).await.status, 204);
    let problem = server.put(&path("LONG"), &json!({"value": format!("{longest}v")})).await.problem(400);
    assert!(problem.contains("at most 32768 bytes"), "{problem}");
    for bad in ["a%20b", "%C3%A9", "a%2Fb", &"n".repeat(65)] {
        let problem = server.put(&path(bad), &json!({"value": "v"})).await.problem(400);
        assert!(problem.contains("a secret's name"), "{bad}: {problem}");
        server.delete(&path(bad)).await.problem(400);
    }
    assert_eq!(server.put(&path(&"n".repeat(64)), &json!({"value": ""})).await.status, 204);
    assert_eq!(server.delete(&path("API.key-1")).await.status, 204);
    server.delete(&path("API.key-1")).await.problem(404);
}

/// Every route of one app: method, what follows the app's name, body.
const OF_ONE_APP: &[(&str, &str, &str)] = &[
    ("GET", "", ""),
    ("DELETE", "", ""),
    ("POST", "/versions", COMPONENT),
    ("GET", "/versions/1/component", ""),
    ("DELETE", "/versions/1", ""),
    ("POST", "/activate", r#"{"version": 1}"#),
    ("POST", "/rollback", ""),
    ("PUT", "/canary", r#"{"version": 1, "percent": 5}"#),
    ("DELETE", "/canary", ""),
    ("PUT", "/shadow", r#"{"version": 1}"#),
    ("DELETE", "/shadow", ""),
    ("GET", "/differences", ""),
    ("PUT", "/settings", "{}"),
    ("PUT", "/secrets/KEY", r#"{"value": "v"}"#),
    ("DELETE", "/secrets/KEY", ""),
];

#[tokio::test]
async fn every_route_knows_a_name_that_cannot_be_and_an_app_that_is_not_there() {
    let server = Server::start().await;
    let longest = "a".repeat(63);
    for (method, rest, body) in OF_ONE_APP {
        let kind = if *rest == "/versions" { WASM } else { JSON };
        let ask =
            async |app: &str| server.send(method, &format!("/api/v1/deployments/{app}{rest}"), &[kind], body).await;
        for bad in ["Shop", "-shop", "_shop", "sh.op", "sh%20op", "sh%2Fop", "%C3%A9", &format!("{longest}a")] {
            let problem = ask(bad).await.problem(400);
            assert!(problem.starts_with("an app's name"), "{method} {rest} {bad}: {problem}");
        }
        // An upload makes its app.
        for good in ["none", "0-_", &longest] {
            let answer = ask(good).await;
            let expected = if *rest == "/versions" { 201 } else { 404 };
            assert_eq!(answer.status, expected, "{method} {rest} {good}: {}", answer.text());
            if *rest == "/versions" {
                server.delete(&format!("/api/v1/deployments/{good}")).await;
            }
        }
    }
    for number in ["0", "99"] {
        server.get(&format!("{SHOP}/versions/{number}/component")).await.problem(404);
        server.delete(&format!("{SHOP}/versions/{number}")).await.problem(404);
    }
    for number in ["-1", "x", "1.5", "4294967296", "1%00"] {
        server.get(&format!("{SHOP}/versions/{number}/component")).await.problem(400);
        server.delete(&format!("{SHOP}/versions/{number}")).await.problem(400);
    }
    assert_eq!(server.shop().await.generation, 7, "nothing of this changed anything");
}

#[tokio::test]
async fn without_the_token_nothing_is_deployed_and_nothing_is_read() {
    let server = Server::with(Some(TOKEN), 10).await;
    for (method, rest, _) in OF_ONE_APP {
        // Announced and never sent: an answer shows that it is not waited for.
        let headers = [WASM, ("Content-Length", "1000")];
        let answer = Answer::read(server.open(method, &format!("{SHOP}{rest}"), &headers, "").await).await;
        answer.problem(401);
    }
    server.get("/api/v1/deployments").await.problem(401);
    server.get("/api/v1/recordings").await.problem(401);
    let bearer = format!("Bearer {TOKEN}");
    let answer = server.send("POST", &format!("{SHOP}/versions"), &[WASM, ("Authorization", &bearer)], COMPONENT).await;
    assert_eq!(answer.status, 201);
    assert!(server.system.deployments.last_upload.lock().is_some());
}
