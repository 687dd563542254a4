//! Every route of the API says which scope it needs, and holds callers to it.

use serde_json::Value;

use crate::http::{Server, TOKEN};

const SCOPES: [&str; 3] = ["read", "deploy", "admin"];

/// Every operation: its method, a path that fits it, and the scope that the document says it needs, if any.
async fn operations(server: &Server) -> Vec<(String, String, Option<String>)> {
    let document = server.as_owner("GET", "/api/v1/openapi.json", "").await.json();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let parts: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect();
        for (method, operation) in item.as_object().unwrap() {
            let security = operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path} says nothing"));
            let scope = security[0].get("token").map(|scopes| scopes[0].as_str().unwrap().to_owned());
            found.push((method.to_uppercase(), parts.join("/"), scope));
        }
    }
    assert!(found.len() > 20);
    found
}

#[tokio::test]
async fn each_route_takes_its_scope_and_no_less() {
    let server = Server::with(Some(TOKEN), 10).await;
    let mut tokens = Vec::new();
    for scope in SCOPES {
        tokens.push(server.make_token(&format!("may-{scope}"), scope).await);
    }
    let mut refused = 0;
    for (method, path, needed) in operations(&server).await {
        let Some(needed) = needed else {
            assert_eq!((&*method, &*path), ("GET", "/health"), "nothing else is open");
            assert_eq!(server.get(&path).await.status, 200);
            continue;
        };
        let level = SCOPES.iter().position(|scope| *scope == needed).expect("a scope that there is");
        server.send(&method, &path, &[], "").await.problem(401);
        for (scope, token) in SCOPES.iter().zip(&tokens).take(level) {
            let detail = server.with_token(token, &method, &path, "").await.problem(403);
            assert!(detail.contains(&format!("scope {needed:?}")), "{method} {path} {detail}");
            assert!(detail.contains(&format!("has {scope:?}")), "{detail}");
            refused += 1;
        }
        // What lasts until the caller has enough is opened elsewhere.
        if path != "/api/v1/events" {
            for token in &tokens[level..] {
                let status = server.with_token(token, &method, &path, "").await.status;
                assert!(![401, 403, 405, 429].contains(&status), "{method} {path} with {needed}: {status}");
            }
        }
    }
    assert!(refused >= 10, "{refused}");
}

#[tokio::test]
async fn looking_is_open_to_all_tokens_but_not_at_tokens_and_the_audit_log() {
    let server = Server::with(Some(TOKEN), 10).await;
    for (method, path, needed) in operations(&server).await {
        let read = !path.starts_with("/api/v1/tokens") && path != "/api/v1/audit";
        let code = path.ends_with("/component") || path.starts_with("/api/v1/recordings/");
        let expected = match (&*method, &*path) {
            ("GET", "/health") => None,
            ("GET", _) if code => Some("deploy"),
            ("GET", _) if read => Some("read"),
            ("GET", _) => Some("admin"),
            (_, path) if path.starts_with("/api/v1/deployments/") || path.starts_with("/api/v1/simulator/") => {
                Some("deploy")
            }
            _ => Some("admin"),
        };
        assert_eq!(needed.as_deref(), expected, "{method} {path}");
    }
}

#[tokio::test]
async fn only_callers_learn_what_there_is() {
    let server = Server::with(Some(TOKEN), 10).await;
    let reader = server.make_token("reader", "read").await;
    for (method, path) in [("GET", "/api/v1/nothing"), ("POST", "/nothing"), ("GET", "/assets"), ("PUT", "/api")] {
        server.send(method, path, &[], "").await.problem(401);
        server.with_token(&reader, method, path, "").await.problem(404);
    }
    server.send("PUT", "/api/v1/system", &[], "").await.problem(401);
    server.with_token(&reader, "PUT", "/api/v1/system", "").await.problem(403);
    server.with_token(TOKEN, "PUT", "/api/v1/system", "").await.problem(405);
    // What a path is called does not depend on how it is written.
    for path in ["/api/v1/%74okens", "/api/v1//tokens", "/api/v1/tokens/", "/api/v1/./tokens", "/API/v1/tokens"] {
        let answer = server.with_token(&reader, "GET", path, "").await;
        assert!([403, 404].contains(&answer.status), "{path}: {}", answer.status);
    }
    let head = server.with_token(&reader, "HEAD", "/api/v1/tokens", "").await;
    assert_eq!(head.status, 403);
}

#[tokio::test]
async fn the_document_describes_how_callers_show_who_they_are() {
    let server = Server::start().await;
    let document = server.get("/api/v1/openapi.json").await.json();
    let scheme = &document["components"]["securitySchemes"]["token"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&Value::from("http"), &Value::from("bearer")));
    assert!(scheme["description"].as_str().unwrap().contains("/api/v1/tokens"));
    assert_eq!(document["paths"]["/metrics"]["get"]["security"], serde_json::json!([{"token": ["read"]}]));
}
