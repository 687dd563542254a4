//! Files that are right.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use vumi_core::ByteSize;
use vumi_dispatch::RouterConfig;
use vumi_transport::TransportConfig;

use super::{env, folder, read, read_in, shown};
use crate::config::{BrokerChoice, KvChoice, Quick, StoreChoice, file_for_app, for_app, from_text, load, stack};

/// The example of the manual.
const EXAMPLE: &str = r#"
broker: embedded                 # or amqp://user:password@host:5672/vhost
kv: embedded                     # or redis://host:6379/0, redis+cluster://a,b,c
store: embedded                  # or postgres://user:password@host/db
data_dir: ./data
admin: { listen: 127.0.0.1:8080 }
transports:
  telnet: { class: telnet, telnet_port: 9010 }          # the key is the transport_name
dispatchers:
  main: { class: simple, transport_names: [telnet], exposed_names: [echo], route_mappings: { telnet: [echo] } }
apps:
  echo:
    { component: echo.wasm, transport_name: echo, limits: { memory: 32MiB }, http: { allow: ["https://api.example.org"] } }
"#;

#[test]
fn the_example_of_the_manual() {
    let folder = folder();
    let config = read_in(folder.path(), EXAMPLE).unwrap();
    assert_eq!(
        (&config.broker, &config.kv, &config.store),
        (&BrokerChoice::Embedded, &KvChoice::Embedded, &StoreChoice::Embedded)
    );
    assert_eq!(config.data_dir, Some(folder.path().join("./data")));
    assert_eq!(config.durability, vumi_broker::Durability::Power);
    assert_eq!(config.admin.as_ref().unwrap().listen, SocketAddr::from(([127, 0, 0, 1], 8080)));
    assert!(config.admin.as_ref().unwrap().token.is_none());
    assert_eq!(config.log, "info");
    assert_eq!(config.shutdown_timeout, Duration::from_secs(30));
    assert_eq!((config.queues.max_messages, config.queues.max_bytes), (10_000, ByteSize::mib(64)));
    assert_eq!(config.warnings, Vec::<String>::new());

    let [(name, telnet)] = config.transports.as_slice() else { panic!("{config:?}") };
    assert_eq!((name.as_str(), telnet.shared.transport_name.as_deref()), ("telnet", Some("telnet")));
    let TransportConfig::Telnet(own) = &telnet.component else { panic!("{telnet:?}") };
    assert_eq!(own.telnet_port, Some(9010));

    let [(name, main)] = config.dispatchers.as_slice() else { panic!("{config:?}") };
    assert_eq!((name.as_str(), main.shared.transport_names.as_slice()), ("main", &["telnet".to_owned()][..]));
    let RouterConfig::Simple(simple) = &main.component else { panic!("{main:?}") };
    assert_eq!(simple.route_mappings["telnet"], ["echo"]);

    let [(name, echo)] = config.apps.as_slice() else { panic!("{config:?}") };
    let echo = echo.guest().unwrap();
    assert_eq!(
        (name.as_str(), echo.transport_name.as_deref(), echo.sandbox_id.as_deref()),
        ("echo", Some("echo"), Some("echo"))
    );
    assert_eq!(PathBuf::from(&echo.component), folder.path().join("echo.wasm"));
    assert_eq!((echo.limits.memory, echo.timeout), (ByteSize::mib(32), 60));
    assert_eq!(echo.http.allow, ["https://api.example.org"]);
}

#[test]
fn an_empty_file_is_a_system_without_parts() {
    for yaml in ["", "# nothing yet\n", "{}", "transports:\napps:\ndispatchers:\n"] {
        let config = read(yaml).unwrap();
        assert!(config.transports.is_empty() && config.apps.is_empty() && config.data_dir.is_none(), "{yaml}");
    }
}

#[test]
fn names_keep_the_order_of_the_file_and_class_paths_are_classes() {
    let config = read(
        "transports:\n  z: &z { class: vumi.transports.telnet.TelnetServerTransport, telnet_port: '0' }\n  \
         a: { <<: *z, telnet_port: \"${PORT}\", transport_name: b }\n  m: { class: simulator }\n",
    )
    .unwrap();
    let names: Vec<&str> = config.transports.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["z", "a", "m"]);
    let classes: Vec<&str> = config.transports.iter().map(|(_, item)| item.component.class()).collect();
    assert_eq!(classes, ["telnet", "telnet", "simulator"]);
    let (_, a) = &config.transports[1];
    assert_eq!(a.shared.transport_name.as_deref(), Some("b"));
    assert!(matches!(&a.component, TransportConfig::Telnet(telnet) if telnet.telnet_port == Some(9011)));
}

#[test]
fn a_transport_and_an_app_of_one_name_need_no_dispatcher() {
    let config = read("transports: { sms: { class: simulator } }\napps: { sms: { component: echo.wasm } }\n").unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn dispatchers_may_follow_each_other() {
    let yaml = "
transports: { sms: { class: simulator } }
dispatchers:
  one: { class: simple, transport_names: [sms], exposed_names: [mid], route_mappings: { sms: [mid] } }
  two: { class: simple, transport_names: [mid], exposed_names: [echo], route_mappings: { mid: [echo] } }
apps: { echo: { component: echo.wasm } }
";
    assert_eq!(read(yaml).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn warnings_have_a_place() {
    let yaml = "transports:\n  sms: { class: simulator }\ndispatchers:\n  \
                main: { class: simple, transport_names: [], exposed_names: [far], route_mappings: {} }\napps:\n  \
                echo: { component: echo.wasm, sandbox_id: s }\n  audit: { component: audit.wasm, sandbox_id: s }\n";
    let folder = folder();
    let mut warnings = read_in(folder.path(), yaml).unwrap().warnings;
    for warning in &mut warnings {
        *warning = warning.replace(&format!("{}/", folder.path().display()), "");
    }
    assert_eq!(
        warnings,
        [
            "vumi.yaml:2:3: transports.sms: nothing takes the messages of this transport: no dispatcher and no app has \
             the connector `sms`",
            "vumi.yaml:4:63: dispatchers.main.exposed_names[0]: no app of this file has the connector `far`: its \
             messages wait for one elsewhere",
            "vumi.yaml:6:3: apps.echo: nothing sends messages to this app: no transport and no dispatcher has the \
             connector `echo`",
            "vumi.yaml:7:3: apps.audit: nothing sends messages to this app: no transport and no dispatcher has the \
             connector `audit`",
            "vumi.yaml:7:35: apps.audit.sandbox_id: the apps `echo` and `audit` share the sandbox_id `s`, and so all \
             keys in kv",
        ]
    );
}

#[test]
fn middleware_is_built_in_order() {
    let yaml = "
transports:
  sms:
    class: simulator
    middleware:
      - log: logging
      - late: { class: vumi.middleware.LoggingMiddleware, consume_priority: '5', publish_priority: -1 }
    log: { log_level: debug }
";
    let config = read(yaml).unwrap();
    let list = &config.transports[0].1.shared.middleware;
    assert_eq!(list.entries().len(), 2);
    assert!(!stack(list, &super::context()).unwrap().is_empty());
    let none = read("transports: { sms: { class: simulator } }").unwrap();
    assert!(stack(&none.transports[0].1.shared.middleware, &super::context()).unwrap().is_empty());
}

#[test]
fn the_short_form() {
    let folder = folder();
    let config = for_app(&folder.path().join("echo.wasm"), &Quick::default()).unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
    let names: Vec<(&str, &str)> =
        config.transports.iter().map(|(name, item)| (name.as_str(), item.component.class())).collect();
    assert_eq!(names, [("telnet", "telnet"), ("simulator", "simulator")]);
    let TransportConfig::Telnet(telnet) = &config.transports[0].1.component else { panic!() };
    assert_eq!((telnet.telnet_port, telnet.telnet_host.as_deref()), (Some(9010), Some("127.0.0.1")));
    assert_eq!(
        (config.apps[0].0.as_str(), config.admin.as_ref().unwrap().listen.port(), config.data_dir),
        ("echo", 8080, None)
    );
    let send_to = &config.apps[0].1.guest().unwrap().send_to;
    let ways: Vec<(&str, &str)> =
        send_to.iter().map(|(name, fields)| (name.as_str(), fields["transport_name"].as_str().unwrap())).collect();
    assert_eq!(ways, [("default", "simulator")]);

    for name in ["telnet.wasm", "a ${b} \"c\" 'd' \\ #: ünï.wasm", "Ωmega.wasm"] {
        let path = folder.path().join(name);
        std::fs::write(&path, b"\0asm").unwrap();
        let quick =
            Quick { telnet_port: 0, listen: SocketAddr::from(([127, 0, 0, 1], 0)), data_dir: Some("a: b".into()) };
        let config = for_app(&path, &quick).unwrap_or_else(|error| panic!("{error}\n{}", file_for_app(&path, &quick)));
        assert_eq!(
            (PathBuf::from(&config.apps[0].1.guest().unwrap().component), config.data_dir),
            (path, Some("a: b".into()))
        );
    }
    let error = for_app(&folder.path().join("ehco.wasm"), &Quick::default()).unwrap_err().to_string();
    assert!(error.starts_with("--app: the component ") && error.contains("ehco.wasm does not exist"), "{error}");
}

#[test]
fn files_are_read_from_their_folder() {
    let folder = folder();
    let path = folder.path().join("vumi.yaml");
    let error = load(&path, false, &env).unwrap_err().to_string();
    assert!(error.contains("cannot be read: No such file"), "{error}");
    std::fs::write(&path, "apps: { echo: { component: echo.wasm } }\nadmin: { token_file: token }\n").unwrap();
    std::fs::write(folder.path().join("token"), "0123456789abcdef\n").unwrap();
    let config = load(&path, false, &env).unwrap();
    assert!(config.admin.as_ref().unwrap().token.clone().unwrap().matches("0123456789abcdef"));
    std::fs::write(&path, [b'a', b':', 0xff]).unwrap();
    assert!(load(&path, false, &env).unwrap_err().to_string().contains("cannot be read"));
    std::fs::write(&path, vec![b'#'; 3 << 20]).unwrap();
    assert!(load(&path, false, &env).unwrap_err().to_string().contains("larger than 1024 KiB"));
    assert!(from_text("apps: { a: { component: no-such-file.wasm } }", "vumi.yaml", &env).is_err());
    assert!(shown("log: debug").starts_with("no mistake"));
}
