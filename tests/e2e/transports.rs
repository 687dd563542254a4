//! Every HTTP transport once through the whole host: the built binary, its queues, the echo guest in its sandbox, real
//! sockets on both sides. What is asked and answered stands in the `e2e` parts of the golden files.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use vumi_tests::golden::{self, Golden, Stage};
use vumi_tests::guests::guest;
use vumi_tests::{HostBuilder, PATIENCE};
use vumi_transport::TransportConfig;

#[tokio::test(flavor = "multi_thread")]
async fn every_http_transport_carries_an_echo() {
    let files: Vec<Golden> = golden::load_all()
        .unwrap_or_else(|error| panic!("{error}"))
        .into_iter()
        .filter(|file| !file.e2e.is_empty())
        .collect();
    // The transports that speak HTTP have the keys of all of them.
    let speaks_http = |schema: &Value| schema["properties"].get("request_read_timeout_s").is_some();
    let tested: BTreeSet<&str> = files.iter().map(|file| file.class.as_str()).collect();
    for kind in TransportConfig::KINDS.iter().filter(|kind| speaks_http(&(kind.schema)().to_value())) {
        let named = tested.iter().any(|class| kind.is_called(class));
        assert!(named, "no file in tests/fixtures/transports has an `e2e` part for the class {}", kind.class);
    }

    let (mut stages, mut transports) = (Vec::new(), Map::new());
    for file in &files {
        let stage = Stage::set(file).await;
        let config = stage.config(file).unwrap_or_else(|error| panic!("{}.yaml: {error}", file.file));
        transports.insert(name(file), config.into());
        stages.push(stage);
    }
    let names: Vec<String> = files.iter().map(name).collect();
    let routes: Map<String, Value> = names.iter().map(|name| (name.clone(), json!(["echo"]))).collect();
    let config = json!({
        "transports": transports,
        "dispatchers": {"routes": {
            "class": "simple", "transport_names": names, "exposed_names": ["echo"], "route_mappings": routes,
        }},
        "apps": {"echo": {"component": guest("echo"), "transport_name": "echo"}},
        "admin": {"listen": "127.0.0.1:0"},
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("transports.yaml");
    std::fs::write(&path, serde_json::to_string_pretty(&config).unwrap()).unwrap();
    let host = HostBuilder::run(&path).data_dir(&folder.path().join("data")).start();

    let mut plays = JoinSet::new();
    for (file, stage) in files.into_iter().zip(stages) {
        let at = host.listening(&name(&file));
        plays.spawn(async move {
            let played = tokio::time::timeout(PATIENCE * 2, stage.play(at, &file.e2e)).await;
            let played = played.unwrap_or_else(|_| Err("it does not come to an end".to_owned()));
            played.map_err(|error| format!("{}.yaml, e2e: {error}", file.file))
        });
    }
    let failed: Vec<String> = plays.join_all().await.into_iter().filter_map(Result::err).collect();
    let log = host.log();
    assert!(failed.is_empty(), "{}\n\n{log}", failed.join("\n"));
    assert!(!log.contains("could not be handled") && !log.contains("panicked"), "{log}");
}

/// The transport's name: that of its file, since a class may have several.
fn name(file: &Golden) -> String {
    file.file.clone()
}
