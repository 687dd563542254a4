//! What a guest cannot reach: the system around it, other runs, other apps.

use std::sync::Arc;

use vumi_core::{KvStore, Outcome, SystemClock};
use vumi_store::MemoryBounds;

use super::kit::{Rig, component, config, message};

fn kv() -> Arc<dyn KvStore> {
    vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock))
}

#[tokio::test]
async fn nothing_of_the_system() {
    let mut rig = Rig::probe();
    let seen = rig.ask("environment").await;
    assert!(seen.text().starts_with("0 variables, 0 arguments, root folder Err("), "{}", seen.text());
    for path in ["/etc/passwd", "etc/passwd", "../../etc/passwd", "/proc/self/environ", ".", "/"] {
        let answer = rig.ask(&format!("open {path}")).await;
        assert!(answer.text().starts_with("Err("), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn no_sockets() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // Also an app that may ask this place over HTTP has no socket to it.
    let mut rig = Rig::with("probe", |config| config.http.allow = vec![format!("http://127.0.0.1:{port}")]);
    for target in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")] {
        let answer = rig.ask(&format!("connect {target}")).await;
        assert!(answer.text().starts_with("Err("), "{target}: {}", answer.text());
    }
    let came = tokio::time::timeout(std::time::Duration::ZERO, listener.accept()).await;
    assert!(came.is_err(), "a connection came");
}

#[tokio::test]
async fn each_message_gets_a_fresh_instance() {
    let mut rig = Rig::probe();
    for _ in 0..5 {
        assert_eq!(rig.ask("static").await.text(), "1");
    }
    // A slot of the pool that a guest left in disorder is clean for the next.
    rig.ask("panic").await.ended(Outcome::Trap);
    assert_eq!(rig.ask("static").await.text(), "1");
}

#[tokio::test]
async fn configuration_is_what_the_owner_gave() {
    let mut rig = Rig::with("probe", |config| {
        config.config.insert("greeting".into(), "hello".into());
    });
    assert_eq!(rig.ask("config greeting").await.text(), r#"Some("hello")"#);
    assert_eq!(rig.ask("config PATH").await.text(), "None");
}

#[tokio::test]
async fn keys_of_one_app_are_not_those_of_another() {
    let kv = kv();
    let mut apps: Vec<Rig> = ["a", "b", "a.b", "count", "sandboxes", "..", "b b"]
        .into_iter()
        .map(|id| Rig::on("probe", Arc::clone(&kv), |config| config.sandbox_id = Some(id.into())))
        .collect();
    let keys =
        ["k", "", "a#b", "b#k", "#", "##a", "../", "../../b/k", "\0", "a\0b", "count#a", "sandboxes#b#k", "é", "*"];
    for (n, app) in apps.iter_mut().enumerate() {
        for (m, key) in keys.iter().enumerate() {
            let absent = app.ask(&format!("kv-get {key}")).await;
            assert_eq!(absent.text(), "ok None", "app {n} sees the key {key:?} of an earlier one");
            assert_eq!(app.ask(&format!("kv-set {key} {}", n * 100 + m)).await.text(), "ok ()", "{key:?}");
        }
    }
    for (n, app) in apps.iter_mut().enumerate() {
        for (m, key) in keys.iter().enumerate() {
            let value = app.ask(&format!("kv-get {key}")).await;
            assert_eq!(value.text(), format!("ok Some(\"{}\")", n * 100 + m), "app {n}, key {key:?}");
        }
        let counted = kv.get(&format!("count#{}", app.app.sandbox_id())).await.unwrap();
        assert_eq!(counted, Some(keys.len().to_string()), "app {n}");
    }
    let deleted = apps[0].ask("kv-delete k").await;
    assert_eq!(deleted.text(), "ok true");
    assert_eq!(apps[1].ask("kv-get k").await.text(), "ok Some(\"100\")");
}

#[tokio::test]
async fn two_apps_with_one_sandbox_id_share() {
    let kv = kv();
    let mut one = Rig::on("one", Arc::clone(&kv), |config| config.sandbox_id = Some("both".into()));
    let mut two = Rig::on("two", kv, |config| config.sandbox_id = Some("both".into()));
    one.ask("kv-set k 1").await.ended(Outcome::Ok);
    assert_eq!(two.ask("kv-get k").await.text(), r#"ok Some("1")"#);
}

#[tokio::test]
async fn sandbox_ids_that_could_be_mistaken_are_refused() {
    for id in ["a#b", "#", ""] {
        let mut config = config();
        config.sandbox_id = Some(id.into());
        let refused = Rig::try_of("probe", &component("probe"), kv(), &config).err().map(|error| error.to_string());
        assert!(refused.as_deref().is_some_and(|text| text.contains("sandbox_id")), "{id:?}: {refused:?}");
    }
}

#[tokio::test]
async fn control_characters_do_not_reach_the_log() {
    let mut rig = Rig::probe();
    let answer = rig.give(message("log \u{1b}[2Jcleared\rgone")).await;
    assert_eq!(answer.logs[0].text, "\\u{1b}[2Jcleared\\u{d}gone");
}
