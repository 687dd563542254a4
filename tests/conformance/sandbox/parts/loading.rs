//! What is refused when a part is made, in one sentence.

use serde_json::json;
use vumi_sandbox::LoadError;
use vumi_tests::guests;

use super::Place;
use crate::sandbox::kit::{cache, sandbox};

/// What the file of a guest is called in errors.
fn file(guest: &str) -> String {
    guests::guest(guest).display().to_string()
}

#[tokio::test]
async fn a_component_of_another_world() {
    let place = Place::new();
    let router = |guest: &str| place.try_router(guest, json!({})).err().expect("it is refused").report();
    let middleware = |guest: &str| place.try_middleware(guest, json!({})).err().expect("it is refused").report();
    let refused = |guest: &str, world: &str, reason: &str| {
        format!("{}: does not fit the world vumi:app/{world}@0.1.0: {reason}", file(guest))
    };
    let reason = "it does not export `vumi:app/routing@0.1.0` but `vumi:app/handler@0.1.0`: it is an app";
    assert_eq!(router("echo"), refused("echo", "router", reason));
    let reason = "it does not export `vumi:app/routing@0.1.0` but `vumi:app/hooks@0.1.0`: it is a middleware";
    assert_eq!(router("blocklist"), refused("blocklist", "router", reason));
    let reason = "it does not export `vumi:app/hooks@0.1.0` but `vumi:app/handler@0.1.0`: it is an app";
    assert_eq!(middleware("echo"), refused("echo", "middleware", reason));
    let reason = "it does not export `vumi:app/hooks@0.1.0` but `vumi:app/routing@0.1.0`: it is a router";
    assert_eq!(middleware("keyword-router"), refused("keyword-router", "middleware", reason));
    for (guest, kind) in [("keyword-router", "a router"), ("blocklist", "a middleware")] {
        let error = sandbox().load(&cache(), &guests::guest(guest)).err().expect("it is no app");
        assert!(matches!(error, LoadError::WrongWorld { world: "app", .. }), "{error:?}");
        let sentence = error.to_string();
        assert!(
            sentence.contains("it does not export `vumi:app/handler@0.1.0` but") && sentence.ends_with(kind),
            "{sentence}"
        );
    }
    // One that is both can be either.
    place.router("bad-router", json!({}));
    place.middleware("bad-router", json!({}));
}

#[tokio::test]
async fn a_router_that_would_send() {
    let refused = Place::new().try_router("sending-router", json!({})).err().expect("it is refused").report();
    let reason = "it imports `vumi:app/outbound@0.1.0`, but only apps send messages of their own";
    let world = "does not fit the world vumi:app/router@0.1.0";
    assert_eq!(refused, format!("{}: {world}: {reason}", file("sending-router")));
}

#[tokio::test]
async fn what_is_no_component_and_what_imports_too_much() {
    let place = Place::new();
    let folder = guests::scratch();
    let text = folder.path().join("text.wasm");
    std::fs::write(&text, "no wasm").unwrap();
    let refused = place.try_router("echo", json!({"component": text})).err().expect("it is refused").report();
    assert!(refused.ends_with("is not WebAssembly (it does not begin with the bytes \\0asm)"), "{refused}");
    let gone = folder.path().join("gone.wasm");
    let refused = place.try_middleware("echo", json!({"component": gone})).err().expect("it is refused").report();
    assert!(refused.contains("gone.wasm: cannot be read: "), "{refused}");
    let refused = place.try_router("unknown-import", json!({})).err().expect("it is refused").report();
    assert!(refused.contains("which this host does not offer"), "{refused}");
}

#[tokio::test]
async fn options_that_make_no_sense() {
    let place = Place::new();
    for (options, text) in [
        (json!({"sandbox_id": "a#b"}), "sandbox_id `a#b` must not be empty or hold a `#`"),
        (json!({"sandbox_id": ""}), "sandbox_id `` must not be empty or hold a `#`"),
        (json!({"limits": {"colour": 1}}), "limits: unknown field `colour`, expected one of"),
        (json!({"limits": {"memory": "many"}}), "limits: "),
        (json!({"http": {"allow": ["ftp://x"]}}), "http.allow: "),
        (json!({"http": {"colour": 1}}), "http: unknown field `colour`"),
    ] {
        let expected = format!("the guest {}: {text}", file("bad-router"));
        let refused = place.try_router("bad-router", options.clone()).err().expect("it is refused").report();
        assert!(refused.starts_with(&expected), "{refused}");
        let refused = place.try_middleware("bad-router", options).err().expect("it is refused").report();
        assert!(refused.starts_with(&expected), "{refused}");
    }
}
