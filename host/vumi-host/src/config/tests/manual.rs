//! The schema and what `config explain` prints.

use serde_json::Value;
use vumi_core::component::Kind;
use vumi_dispatch::{MiddlewareConfig, RouterConfig};
use vumi_transport::TransportConfig;

use crate::config::{explain, reference, schema};

fn sections() -> [(&'static str, &'static [Kind]); 3] {
    [
        ("transport", TransportConfig::KINDS),
        ("dispatcher", RouterConfig::KINDS),
        ("middleware", MiddlewareConfig::KINDS),
    ]
}

/// Calls `see` with every object of the schema.
fn walk(value: &Value, path: &str, see: &mut dyn FnMut(&str, &Value)) {
    see(path, value);
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| walk(inner, &format!("{path}/{key}"), see)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, inner)| walk(inner, &format!("{path}/{i}"), see)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_key_is_described() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().unwrap();
    let mut keys = 0;
    walk(&schema, "", &mut |path, value| {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            let name = target.strip_prefix("#/$defs/").unwrap();
            assert!(definitions.contains_key(name), "{path}: {target}");
        }
        if let Some(properties) = value.get("properties").and_then(Value::as_object)
            && !path.contains("MiddlewareList")
        {
            for (key, property) in properties {
                assert!(property["description"].is_string(), "{path}: {key} has no description");
                keys += 1;
            }
        }
    });
    assert!(keys > 60, "{keys}");
}

#[test]
fn every_class_is_an_alternative_with_its_own_and_the_shared_keys() {
    let schema = schema();
    for (what, kinds) in sections() {
        for kind in kinds {
            let class = &schema["$defs"][format!("{what}.{}", kind.class)];
            let keys = class["properties"].as_object().unwrap_or_else(|| panic!("{what} {}: {class}", kind.class));
            if what == "middleware" {
                continue;
            }
            let mut names: Vec<&str> = vec![kind.class];
            names.extend(kind.aliases);
            let listed = &keys["class"];
            match listed.get("const") {
                Some(only) => assert_eq!(names, [only.as_str().unwrap()]),
                None => assert_eq!(listed["enum"], serde_json::json!(names)),
            }
            assert_eq!(class["required"][0], "class");
            let shared = if what == "transport" { "when_unsure" } else { "exposed_names" };
            assert!(keys.contains_key(shared), "{what} {}", kind.class);
            let own = (kind.schema)().to_value();
            for key in own["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
                assert!(keys.contains_key(key), "{what} {}: {key}", kind.class);
            }
        }
    }
    let level = &schema["$defs"]["transport.MiddlewareList"]["items"]["additionalProperties"]["anyOf"];
    assert_eq!(level[0]["enum"][0], "logging");
    assert_eq!(level[1]["properties"]["class"]["enum"][0], "logging");
}

#[test]
fn every_class_and_every_key_can_be_explained() {
    let schema = schema();
    for (what, kinds) in sections() {
        for kind in kinds {
            for name in std::iter::once(&kind.class).chain(kind.aliases) {
                let text = explain(name).unwrap();
                assert!(text.contains(&format!("{} ({what} class)", kind.class)), "{text}");
                let keys = schema["$defs"][format!("{what}.{}", kind.class)]["properties"].as_object().unwrap();
                for key in keys.keys().filter(|key| *key != "class") {
                    assert!(text.contains(&format!("\n  {key} (type: ")), "{name}: {key}");
                    if what != "middleware" {
                        let path = format!("{what}s.{}.{key}", kind.class);
                        assert!(explain(&path).unwrap().starts_with(&format!("{path}\n")), "{path}");
                    }
                }
            }
        }
    }
    for key in schema["properties"].as_object().unwrap().keys() {
        assert!(explain(key).unwrap().starts_with(&format!("{key}\n")), "{key}");
    }
}

#[test]
fn texts() {
    // A guest has it, and so have the classes of Vumi's sandbox.
    let memory = "apps.limits.memory\napps.js-sandbox.limits.memory\napps.js-file-sandbox.limits.memory\n  type:     amount \
                  of bytes\n  default:  64 MiB\n\n  Linear memory,";
    for path in ["apps.limits.memory", "apps.echo.limits.memory", "limits.memory"] {
        match explain(path) {
            Some(text) => assert!(text.starts_with(memory), "{path}: {text}"),
            None => assert_eq!(path, "limits.memory"),
        }
    }
    let port = explain("transports.telnet.telnet_port").unwrap();
    assert!(
        port.starts_with("transports.telnet.telnet_port\n  type:     whole number\n  range:    from 0 to 65535\n"),
        "{port}"
    );
    let durability = explain("durability").unwrap();
    assert!(
        durability.contains("default:  power\n") && durability.contains("\n  process: A killed process"),
        "{durability}"
    );
    let shutdown = explain("shutdown_timeout").unwrap();
    assert!(shutdown.contains("range:    from 1 to 3600\n  default:  30\n"), "{shutdown}");
    assert!(explain("apps.component").unwrap().contains("default:  none, must be given"));
    assert!(explain("apps").unwrap().contains("keys of one without class: component, transport_name"));
    assert!(explain("transports").unwrap().contains("classes: telnet, "));
    assert!(explain("broker").unwrap().contains("amqp://user:password@host:5672/vhost"));
    // A key that all classes share is explained once, with all its paths.
    let shared = explain("transports.mine.when_unsure").unwrap();
    assert!(shared.starts_with("transports.telnet.when_unsure\ntransports.addressed-telnet.when_unsure\n"), "{shared}");
    assert_eq!(shared.matches("type:").count(), 1, "{shared}");
    assert!(explain("telnet_port").unwrap().starts_with("transports.telnet.telnet_port\n"));
    let all = explain("").unwrap();
    assert!(all.contains("\n  apps ") && all.contains("\n  transport         telnet, "), "{all}");
    for nothing in [".", "[0]", "nothing", "transports.telnet.nothing", "apps.a.b.c.d", "broker.x", "limits.nothing"] {
        assert_eq!(explain(nothing), None, "{nothing}");
    }
}

/// `vumi-host config reference docs/reference` makes them.
#[test]
fn the_reference_pages_are_those_of_this_version() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let pages = reference();
    for (path, text) in &pages {
        let page = std::fs::read_to_string(folder.join(path)).unwrap_or_default();
        assert!(
            page == *text,
            "docs/reference/{path} is old: run `cargo run -p vumi-host -- config reference docs/reference`"
        );
    }
    let mut there = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            there.extend(std::fs::read_dir(entry.path()).unwrap().map(|page| page.unwrap().path()));
        }
    }
    for page in there {
        let path = page.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        assert!(pages.iter().any(|(known, _)| *known == path), "docs/reference/{path} is a page of nothing: delete it");
    }
}
