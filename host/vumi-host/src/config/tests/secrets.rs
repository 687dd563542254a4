//! Secrets do not show up, wherever the mistake is.

use super::{read, shown};

const SECRET: &str = "hunter2hunter2hunter2";

#[test]
fn in_no_message_whatever_key_the_secret_is_given_to() {
    for place in [
        "broker: ${SECRET}",
        "data_dir: [\"${SECRET}\"]",
        "durability: ${SECRET}",
        "log: info=${SECRET}=x",
        "shutdown_timeout: ${SECRET}",
        "queues: { max_bytes: \"${SECRET}\" }",
        "admin: { listen: \"${SECRET}\" }",
        "admin: { token: \"${SECRET}\", bogus: 1 }",
        "admin: { token_file: \"${SECRET}\" }",
        "transports: { t: { class: \"${SECRET}\" } }",
        "transports: { t: { class: telnet, telnet_port: \"${SECRET}\" } }",
        "transports: { t: { class: telnet, twisted_endpoint: \"${SECRET}\" } }",
        "transports: { t: { class: simulator, when_unsure: \"${SECRET}\" } }",
        "transports: { t: { class: simulator, transport_name: \"A ${SECRET}\" } }",
        "transports: { t: { class: simulator, middleware: [{ a: \"${SECRET}\" }] } }",
        "dispatchers: { d: { class: simple, transport_names: [\"${SECRET}\"], route_mappings: {} } }",
        "dispatchers: { d: { class: simple, route_mappings: { \"x\": [\"${SECRET}\"] } } }",
        "apps: { a: { component: \"${SECRET}\" } }",
        "apps: { a: { component: echo.wasm, timeout: \"${SECRET}\" } }",
        "apps: { a: { component: echo.wasm, sandbox_id: \"#${SECRET}\" } }",
        "apps: { a: { component: echo.wasm, limits: { memory: \"${SECRET}\" } } }",
        "apps: { a: { component: echo.wasm, http: { allow: [\"${SECRET}\"] } } }",
        "apps: { a: { component: echo.wasm, send_to: { x: \"${SECRET}\" } } }",
    ] {
        let text = shown(place);
        assert!(!text.starts_with("no mistake"), "{place}: {text}");
        assert!(!text.contains(SECRET), "{place}: {text}");
        assert!(text.contains("${SECRET}"), "{place}: {text}");
    }
}

#[test]
fn in_no_source_line_when_they_stand_in_the_file() {
    for (line, kept) in [
        ("admin: { token: s3cr3t-s3cr3t-s3cr3t, bogus: 1 }", "admin: { token: ***, bogus: 1 }"),
        ("admin: { bogus: 1, token: 's3cr3t, s3cr3t' }", "admin: { bogus: 1, token: *** }"),
        ("admin: { token: [s3cr3t] }", ""),
        ("broker: kafka://u:s3cr3t@h/v", "broker: kafka://***@h/v"),
        ("broker: kafka://u:${SECRET}@h/v", "broker `kafka://***@h/v` is not supported"),
        ("admin: { token: s3cr3t", "admin: { token: ***"),
    ] {
        let text = shown(line);
        assert!(!text.starts_with("no mistake"), "{line}");
        assert!(text.contains(kept), "{line}: {text}");
        assert!(kept.is_empty() || !text.contains("s3cr3t"), "{line}: {text}");
        assert!(!text.contains(SECRET), "{line}: {text}");
    }
}

#[test]
fn in_no_debug_output() {
    let config = read("{ broker: \"amqp://u:${SECRET}@h/v\", admin: { token: \"${SECRET}\" } }").unwrap();
    assert!(config.admin.as_ref().unwrap().token.as_ref().unwrap().matches(SECRET));
    assert!(!format!("{config:?}").contains(SECRET));
}
