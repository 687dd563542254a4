//! The classes of Vumi's JavaScript sandbox (specification: sandbox, section 1).

use vumi_sandbox::{AppConfig, Resource};

use super::super::{SystemConfig, WorkerOptions, for_worker, from_text};
use crate::config::KvChoice;

fn system(app: &str) -> Result<SystemConfig, String> {
    from_text(&format!("apps:\n  box:\n{app}"), "vumi.yaml", &|_| None).map_err(|error| error.to_string())
}

fn guest(app: &str) -> AppConfig {
    let system = system(app).unwrap_or_else(|error| panic!("{error}"));
    system.apps[0].1.guest().expect("it is a guest").clone()
}

#[test]
fn the_keys_of_the_sandbox_become_those_of_a_guest() {
    let app = guest(
        "    class: vumi.application.sandbox.JsSandbox
    transport_name: sbx
    javascript: |
      api.x = 1;
    app_context: '{a: 1}'
    sandbox_id: peer
    timeout: 5
    recv_limit: 4000
    send_to: { default: { transport_name: sms } }
    sandbox:
      kv: { cls: vumi.application.sandbox.RedisResource, redis_manager: {}, keys_per_user: 10, keys_per_user_soft: 3 }
      out: { cls: vxsandbox.resources.outbound.OutboundResource, allowed_helper_metadata: [a] }
      http: { cls: vumi.application.sandbox.HttpClientResource, timeout: 7, data_limit: 1000 }
      metrics: { cls: vxsandbox.resources.metrics.MetricsResource, metrics_prefix: p }
      contacts: { cls: go.apps.jsbox.contacts.ContactsResource, contacts_hard: 50 }
      groups: { cls: go.apps.jsbox.contacts.GroupsResource }
",
    );
    assert_eq!(app.javascript.as_deref(), Some("api.x = 1;\n"));
    assert_eq!((app.app_context.as_deref(), app.sandbox_id.as_deref()), (Some("{a: 1}"), Some("peer")));
    assert_eq!((app.transport_name.as_deref(), app.timeout), (Some("sbx"), 5));
    assert_eq!((app.limits.log_bytes.0, app.limits.kv_keys, app.limits.kv_keys_soft), (4_000, 10, Some(3)));
    assert_eq!((app.http.timeout, app.http.data_limit.0), (7, 1_000));
    assert_eq!(app.http.allow, ["https://*:*", "http://*:*"]);
    assert_eq!((app.allowed_helper_metadata, app.metrics_prefix.as_deref()), (vec!["a".to_owned()], Some("p")));
    assert_eq!(app.legacy.contacts_hard, Some(50));
    let resources = app.legacy.resources.unwrap();
    let named: Vec<_> = resources.iter().map(|(name, resource)| (name.as_str(), *resource)).collect();
    let expected = [
        ("contacts", Resource::Contacts),
        ("groups", Resource::Groups),
        ("http", Resource::Http),
        ("js", Resource::Js),
        ("kv", Resource::Kv),
        ("log", Resource::Log),
        ("metrics", Resource::Metrics),
        ("out", Resource::Outbound),
    ];
    assert_eq!(named, expected);
    assert!(app.legacy.sandbox_id_of_message);
}

#[test]
fn what_is_wrong_is_named() {
    let js = |rest: &str| format!("    class: js-sandbox\n    javascript: x\n{rest}");
    for (app, part) in [
        ("    class: js-sandbox\n".to_owned(), "javascript"),
        ("    class: js-file-sandbox\n    javascript_file: no/such.js\n".to_owned(), "no/such.js does not exist"),
        (js("    rlimits: { RLIMIT_NOPE: [1, 2] }\n"), "Unknown resource limit key 'RLIMIT_NOPE'"),
        (js("    sandbox: { kv: { cls: a.b.RedisResource } }\n"), "there is no resource class `a.b.RedisResource`"),
        (js("    sandbox: { kv: { keys_per_user: 1 } }\n"), "sandbox.kv: it has no `cls`"),
        (js("    component: x.wasm\n"), "component"),
    ] {
        let error = system(&app).expect_err(&app);
        assert!(error.contains(part), "{error}");
    }
    for rlimits in ["{ RLIMIT_AS: [1, 2] }", "{ 9: [1, 2] }"] {
        let system = system(&js(&format!("    rlimits: {rlimits}\n    executable: node\n"))).unwrap();
        let warned =
            |key: &str| system.warnings.iter().any(|text| text.contains(&format!("`{key}` has no meaning here")));
        assert!(warned("rlimits") && warned("executable"), "{:?}", system.warnings);
    }
}

#[test]
fn files_of_a_config_resource_are_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), "{\"a\": 1}").unwrap();
    let keys = format!("{{ config: {}/config.json, other: /no/such.json }}", folder.path().display());
    let app = guest(&format!(
        "    class: js-sandbox\n    javascript: x\n    sandbox: {{ config: {{ cls: vxsandbox.resources.config.ConfigResource, keys: {keys} }} }}\n"
    ));
    assert_eq!(app.config.get("config").map(String::as_str), Some("{\"a\": 1}"));
    assert_eq!(app.legacy.unreadable.get("other").map(String::as_str), Some("/no/such.json"));
}

#[test]
fn a_worker_of_vumi_is_such_a_class() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "
transport_name: sbx
javascript: 'api.x = 1;'
sandbox:
  kv: { cls: vumi.application.sandbox.RedisResource, redis_manager: { host: redis.example, key_prefix: 'vumi:x' } }
";
    std::fs::write(file.path(), text).unwrap();
    let options = WorkerOptions {
        worker_class: Some("vumi.application.sandbox.JsSandbox".into()),
        config: Some(file.path().to_path_buf()),
        set_options: vec![("timeout".into(), "7".into())],
        ..WorkerOptions::default()
    };
    let config = for_worker(&options, &|_| None).unwrap_or_else(|error| panic!("{error}"));
    let (name, app) = &config.apps[0];
    let app = app.guest().unwrap();
    assert_eq!((name.as_str(), app.timeout, app.javascript.as_deref()), ("sbx", 7, Some("api.x = 1;")));
    assert!(matches!(&config.kv, KvChoice::Redis(url) if url.reveal().contains("redis.example")), "{:?}", config.kv);
    assert_eq!(config.redis.key_prefix.as_deref(), Some("vumi:x"));
}
