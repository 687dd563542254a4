//! `vumi-host worker`: options and files of Vumi's workers (specification: workers, sections 1, 3 and 5).

use vumi_transport::TransportConfig;

use super::super::{BrokerChoice, KvChoice, SystemConfig, WorkerOptions, for_worker};

const TELNET: &str = "vumi.transports.telnet.TelnetServerTransport";

fn options(class: &str, set: &[(&str, &str)]) -> WorkerOptions {
    WorkerOptions {
        worker_class: Some(class.to_owned()),
        set_options: set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ..WorkerOptions::default()
    }
}

fn read(options: &WorkerOptions) -> SystemConfig {
    for_worker(options, &|_| None).unwrap_or_else(|error| panic!("{error}"))
}

fn mistake(options: &WorkerOptions) -> String {
    for_worker(options, &|_| None).expect_err("a mistake").to_string()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn url(config: &SystemConfig) -> String {
    match &config.broker {
        BrokerChoice::Amqp(url) => url.reveal().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn check_01_options_over_file_over_defaults() {
    let set = [("transport_name", "t"), ("telnet_port", "9010")];
    let defaults = read(&options(TELNET, &set));
    assert_eq!(url(&defaults), "amqp://vumi:vumi@127.0.0.1:5672/%2Fdevelop");
    let given = WorkerOptions { hostname: Some("blah".into()), username: Some("u".into()), ..options(TELNET, &set) };
    assert_eq!(url(&read(&given)), "amqp://u:vumi@blah:5672/%2Fdevelop");
    let core = file("{username: f, password: g, heartbeat: 7, free: 1}");
    let both = WorkerOptions {
        username: Some("u".into()),
        vumi_config: Some(core.path().to_path_buf()),
        ..options(TELNET, &set)
    };
    let config = read(&both);
    assert_eq!(url(&config), "amqp://u:g@127.0.0.1:5672/%2Fdevelop");
    assert_eq!(config.amqp.heartbeat, 7);
    assert!(config.warnings.iter().any(|text| text.contains("`free`")), "{:?}", config.warnings);
}

#[test]
fn check_03_set_options_lie_over_the_file() {
    let config = file("{transport_name: t, telnet_port: 9010, blah: thingy}");
    let given = WorkerOptions {
        config: Some(config.path().to_path_buf()),
        ..options(TELNET, &[("telnet_port", "9011"), ("telnet_host", "127.0.0.1")])
    };
    let config = read(&given);
    let [(name, transport)] = config.transports.as_slice() else { panic!("{config:?}") };
    let TransportConfig::Telnet(telnet) = &transport.component else { panic!("{transport:?}") };
    assert_eq!((name.as_str(), telnet.telnet_port), ("t", Some(9011)));
    assert!(
        config.warnings.iter().any(|text| text.contains("the key `blah` is ignored") && text.contains(TELNET)),
        "{:?}",
        config.warnings
    );
    assert!(config.admin.is_none());
}

#[test]
fn check_04_the_class() {
    let none = WorkerOptions::default();
    assert!(mistake(&none).contains("please specify --worker-class"));
    let set = [("transport_name", "t"), ("telnet_port", "9010")];
    let old = WorkerOptions { worker_class: None, old_worker_class: Some(TELNET.into()), ..options("", &set) };
    assert!(read(&old).warnings.iter().any(|text| text.contains("old spelling")));
    let both = WorkerOptions { old_worker_class: Some("nonsense".into()), ..options(TELNET, &set) };
    assert_eq!(read(&both).transports.len(), 1);
    let error = mistake(&options("vumi.transports.telnet.TelnetServerTransprt", &set));
    assert!(error.contains("did you mean"), "{error}");
}

#[test]
fn a_transport_needs_its_name() {
    let error = mistake(&options(TELNET, &[("telnet_port", "9010")]));
    assert!(error.contains("Missing required config field 'transport_name'"), "{error}");
}

#[test]
fn a_dispatcher_names_its_router() {
    let config = file(
        "route_mappings: {t: [a]}\ntransport_names: [t]\nexposed_names: [a]\n\
         log: {log_level: debug}\nmiddleware:\n  - log: vumi.middleware.logging.LoggingMiddleware\n\
         router_class: vumi.dispatchers.SimpleDispatchRouter\n",
    );
    let given = WorkerOptions {
        config: Some(config.path().to_path_buf()),
        ..options("vumi.dispatchers.BaseDispatchWorker", &[])
    };
    let config = read(&given);
    assert_eq!(config.dispatchers[0].1.component.class(), "simple");
    assert_eq!(config.dispatchers[0].1.shared.middleware.entries().len(), 1);
    let without = mistake(&options("vumi.dispatchers.BaseDispatchWorker", &[]));
    assert!(without.contains("Missing required config field 'router_class'"), "{without}");
}

#[test]
fn a_redis_manager_becomes_the_kv() {
    let config = file("{transport_name: t, telnet_port: 9010, redis_manager: {host: r, db: 3, key_prefix: p, password: x}}");
    let given = WorkerOptions { config: Some(config.path().to_path_buf()), ..options(TELNET, &[]) };
    let config = read(&given);
    let KvChoice::Redis(url) = &config.kv else { panic!("{config:?}") };
    assert_eq!(url.reveal(), "redis://:x@r:6379/3");
    assert_eq!(config.redis.key_prefix.as_deref(), Some("p"));
    assert!(!format!("{config:?}").contains(":x@"), "the password shows");
    let fake = for_worker(&given, &|name| (name == "FAKE_REDIS").then(|| "1".to_owned())).unwrap();
    assert_eq!(fake.kv, KvChoice::Embedded);
}

#[test]
fn check_07_flags_are_read_as_vumi_read_them() {
    for (text, truth) in [("False", false), (" 0 ", false), ("", false), ("no", true), ("true", true), ("1", true)] {
        let set = [("transport_name", "t"), ("telnet_port", "9010"), ("publish_status", text)];
        let config = read(&options(TELNET, &set));
        assert_eq!(config.transports[0].1.shared.publish_status, truth, "{text:?}");
        assert_eq!(config.warnings.iter().any(|warning| warning.contains("taken as true")), text == "no", "{text:?}");
    }
}

#[test]
fn check_13_children_lie_over_the_defaults() {
    let config = file(&format!(
        "workers: {{a: {TELNET}, b: {TELNET}, c: nonsense}}\n\
         defaults: {{telnet_port: 9010, transport_name: x}}\na: {{telnet_port: 9011, transport_name: a}}\n"
    ));
    let given = WorkerOptions {
        config: Some(config.path().to_path_buf()),
        ..options("vumi.multiworker.MultiWorker", &[])
    };
    let config = read(&given);
    let ports: Vec<_> = config
        .transports
        .iter()
        .map(|(name, transport)| {
            let TransportConfig::Telnet(telnet) = &transport.component else { panic!("{transport:?}") };
            (name.as_str(), transport.shared.transport_name.as_deref(), telnet.telnet_port)
        })
        .collect();
    assert_eq!(ports, [("a", Some("a"), Some(9011)), ("b", Some("x"), Some(9010))]);
    // Check 19: the child of no known class is left out, and said to be.
    assert!(config.warnings.iter().any(|text| text.contains("the worker `c` is left out")), "{:?}", config.warnings);
}
