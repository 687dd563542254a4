//! Settings and secrets of a deployed app.

use serde_json::json;
use vumi_tests::deploy::order;
use vumi_tests::guests::scratch;
use vumi_tests::{http, until};

use super::{phone, start, uploaded};

const SECRET: &str = "correct-horse-battery-staple";

/// All bytes of all files below a folder.
fn bytes_below(folder: &std::path::Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes_below(&path));
        } else {
            all.extend(std::fs::read(&path).unwrap_or_default());
        }
    }
    all
}

#[test]
fn a_guest_reads_its_settings_and_secrets_and_nobody_else_does() {
    let folder = scratch();
    let data = folder.path().join("data");
    let host = start(folder.path(), Some(&data));
    uploaded(&host, 1, "activate=true&settings=%7B%22config%22:%7B%22greeting%22:%22hello%22%7D%7D");
    let mut phone = phone(&host);
    assert_eq!(phone.ask("config greeting"), "Some(\"hello\")");
    order(host.admin, "PUT", "shop/settings", Some(&json!({"config": {"greeting": "good morning"}})));
    assert_eq!(phone.ask("config greeting"), "Some(\"good morning\")");
    order(host.admin, "PUT", "shop/secrets/api_key", Some(&json!({"value": SECRET})));
    assert_eq!(phone.ask("config api_key"), format!("Some({SECRET:?})"));
    // It is shown nowhere, and does not stand on the disk. (The reply that tells it is in the store; the app gave it
    // away itself.)
    for path in ["/api/v1/deployments", "/api/v1/deployments/shop", "/api/v1/apps/shop", "/api/v1/audit"] {
        let text = http::get(host.admin, path).text();
        assert!(!text.contains(SECRET), "{path} shows the secret");
        assert!(path != "/api/v1/deployments/shop" || text.contains("api_key"));
    }
    assert!(!host.log().contains(SECRET), "the log shows the secret");
    let catalog: Vec<u8> = std::fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("catalog")))
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect();
    assert!(!catalog.is_empty());
    assert!(!catalog.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()), "the catalog holds it in clear");
    assert!(!bytes_below(&data.join("components")).windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
    // It outlives the process, and goes when it is removed.
    let (status, ..) = host.terminate();
    assert!(status.success());
    let host = start(folder.path(), Some(&data));
    let mut phone = super::phone(&host);
    assert_eq!(phone.ask("config api_key"), format!("Some({SECRET:?})"));
    order(host.admin, "DELETE", "shop/secrets/api_key", None);
    assert_eq!(phone.ask("config api_key"), "None");
    // Who did what is on record.
    let audit = until("the audit log", || {
        let audit = host.get("/api/v1/audit");
        audit["items"].as_array().filter(|items| items.len() >= 4).cloned()
    });
    let actions: Vec<&str> = audit.iter().rev().filter_map(|entry| entry["action"].as_str()).collect();
    assert_eq!(actions, ["app.upload", "app.settings", "secret.set", "secret.remove"], "{audit:?}");
}
