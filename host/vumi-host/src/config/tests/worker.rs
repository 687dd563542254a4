//! `vumi-host worker`: options and files of Vumi's workers (specification: workers, sections 1, 3 and 5).

use clap::Parser;
use vumi_transport::TransportConfig;

use super::super::{AppChoice, BrokerChoice, KvChoice, SystemConfig, WorkerOptions, for_worker};

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
fn check_02_options_are_split_at_the_first_colon() {
    let line = ["vumi-host", "worker", "--set-option=a:b:c", "--set-option=a", "--set-option", "d:"];
    let Some(crate::cli::Command::Worker(given)) = crate::cli::Cli::parse_from(line).command else { panic!() };
    let told: Vec<_> = given.set_option.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(told, [("a", "b:c"), ("a", ""), ("d", "")]);
    // The value stays a text, and the last one of a key counts.
    let set = [("transport_name", "t"), ("telnet_port", "1"), ("telnet_port", "9010"), ("to_addr", "a:b")];
    let config = read(&options(TELNET, &set));
    let TransportConfig::Telnet(telnet) = &config.transports[0].1.component else { panic!("{config:?}") };
    assert_eq!((telnet.telnet_port, telnet.to_addr.as_deref()), (Some(9010), Some("a:b")));
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

/// The keys of a file, for a class.
fn keys(class: &str, text: &str) -> (tempfile::NamedTempFile, WorkerOptions) {
    let file = file(text);
    let given = WorkerOptions { config: Some(file.path().to_path_buf()), ..options(class, &[]) };
    (file, given)
}

#[test]
fn check_06_whole_numbers() {
    for (written, port) in [("9010", 9010), ("\"10\"", 10), ("' 5 '", 5)] {
        let (_file, given) = keys(TELNET, &format!("{{transport_name: t, telnet_port: {written}}}"));
        let config = read(&given);
        let TransportConfig::Telnet(telnet) = &config.transports[0].1.component else { panic!("{config:?}") };
        assert_eq!(telnet.telnet_port, Some(port), "{written}");
    }
    // The same for a class's own key, a shared one, and one of another kind of worker.
    let tagpool = "vumi.components.tagpool_api.TagpoolApiWorker";
    for written in ["1.0", "true", "x", "\"1.0\"", "[1]"] {
        for (class, key, rest) in [
            (TELNET, "telnet_port", "transport_name: t"),
            (TELNET, "amqp_prefetch_count", "transport_name: t, telnet_port: 9010"),
            (tagpool, "port", "web_path: /api"),
        ] {
            let (_file, given) = keys(class, &format!("{{{rest}, {key}: {written}}}"));
            let error = mistake(&given);
            assert!(error.contains(&format!("Field '{key}' could not be converted to int")), "{written}: {error}");
        }
    }
    let set = [("transport_name", "t"), ("telnet_port", "many")];
    let error = mistake(&options(TELNET, &set));
    assert!(error.contains("Field 'telnet_port' could not be converted to int"), "{error}");
    let core = file("{port: many}");
    let given = WorkerOptions {
        vumi_config: Some(core.path().to_path_buf()),
        ..options(TELNET, &[("transport_name", "t"), ("telnet_port", "9010")])
    };
    let error = mistake(&given);
    assert!(error.contains("Field 'port' could not be converted to int"), "{error}");
}

/// Vumi took null for a required text, and went on with queues called `None.inbound`.
#[test]
fn check_08_required_texts() {
    for (class, text, key) in [
        (TELNET, "{telnet_port: 9010}", "transport_name"),
        (TELNET, "{telnet_port: 9010, transport_name: null}", "transport_name"),
        ("tagpool_api", "{port: 9010}", "web_path"),
        ("failure", "{failures_routing_key: a, retry_routing_key: b}", "transport_name"),
    ] {
        let error = mistake(&keys(class, text).1);
        assert!(error.contains(&format!("Missing required config field '{key}'")), "{text}: {error}");
    }
    let error = mistake(&keys("tagpool_api", "{port: 9010, web_path: null}").1);
    assert!(error.contains("web_path: expected a text, found nothing"), "{error}");
}

#[test]
fn check_09_no_bound_for_messages_ahead_of_their_turn() {
    for (written, expected) in
        [("", Some(20)), ("amqp_prefetch_count: null", None), ("amqp_prefetch_count: 7", Some(7))]
    {
        let (_file, given) = keys(TELNET, &format!("transport_name: t\ntelnet_port: 9010\n{written}\n"));
        assert_eq!(read(&given).transports[0].1.shared.amqp_prefetch_count, expected);
        let router = "router_class: simple\nroute_mappings: {t: [a]}\ntransport_names: [t]\nexposed_names: [a]";
        let (_file, given) = keys("dispatcher", &format!("{router}\n{written}\n"));
        assert_eq!(read(&given).dispatchers[0].1.shared.amqp_prefetch_count, expected);
        let (_file, given) = keys("static_reply", &format!("transport_name: t\nreply_text: x\n{written}\n"));
        let config = read(&given);
        let AppChoice::Native(app) = &config.apps[0].1 else { panic!("{config:?}") };
        assert_eq!(app.shared.amqp_prefetch_count, expected);
        let (_file, given) = keys("tagpool_api", &format!("web_path: /api\nport: 9010\n{written}\n"));
        assert_eq!(read(&given).workers[0].1.shared.prefetch(), expected.unwrap_or(0));
    }
}

#[test]
fn check_14_and_10_names_in_heartbeats_and_a_host_alone() {
    let set = [("transport_name", "t"), ("telnet_port", "9010")];
    let config = read(&options(TELNET, &set));
    assert_eq!(config.system_id, "global");
    assert_eq!(config.transports[0].1.shared.worker_name, None);
    let given = WorkerOptions {
        system_id: Some("s".into()),
        ..options(TELNET, &[("transport_name", "t"), ("telnet_port", "9010"), ("worker_name", "w")])
    };
    let config = read(&given);
    assert_eq!(config.system_id, "s");
    assert_eq!(config.transports[0].1.shared.worker_name.as_deref(), Some("w"));
    for (class, text) in
        [(TELNET, "{transport_name: t, telnet_host: 127.0.0.1}"), ("tagpool_api", "{web_path: /api, host: 127.0.0.1}")]
    {
        let error = mistake(&keys(class, text).1);
        assert!(error.contains("Missing required config field 'twisted_endpoint'"), "{text}: {error}");
    }
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
    let config =
        file("{transport_name: t, telnet_port: 9010, redis_manager: {host: r, db: 3, key_prefix: p, password: x}}");
    let given = WorkerOptions { config: Some(config.path().to_path_buf()), ..options(TELNET, &[]) };
    let config = read(&given);
    let KvChoice::Redis(url) = &config.kv else { panic!("{config:?}") };
    assert_eq!(url.reveal(), "redis://:x@r:6379/3");
    assert_eq!(config.redis.key_prefix.as_deref(), Some("p"));
    assert!(!format!("{config:?}").contains(":x@"), "the password shows");
    let fake = for_worker(&given, &|name| (name == "FAKE_REDIS").then(|| "1".to_owned())).unwrap();
    assert_eq!(fake.kv, KvChoice::Embedded);
}

/// The prefix of a class that has a `redis_manager` of its own is told to it alone, or its keys would have it twice.
#[test]
fn a_redis_manager_of_the_class_names_its_server() {
    const FAILURE: &str = "vumi.transports.failures.FailureWorker";
    let config = file(
        "{transport_name: sms, retry_routing_key: a.b, failures_routing_key: c.d, redis_manager: {port: 6380, key_prefix: p}}",
    );
    let given = WorkerOptions { config: Some(config.path().to_path_buf()), ..options(FAILURE, &[]) };
    let manager = |config: &SystemConfig| match &config.workers[..] {
        [(_, worker)] => match &worker.component {
            vumi_worker::WorkerConfig::Failure(failure) => failure.redis_manager.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let named = manager(&read(&given));
    assert_eq!(
        (named.host.as_deref(), named.port, named.key_prefix.as_deref()),
        (Some("127.0.0.1"), Some(6380), Some("p"))
    );
    // Where all keys are kept elsewhere, only the prefix counts.
    let elsewhere = WorkerOptions { kv: Some("redis://elsewhere/1".into()), ..given.clone() };
    let fake = for_worker(&given, &|name| (name == "FAKE_REDIS").then(|| "1".to_owned())).unwrap();
    for config in [read(&elsewhere), fake] {
        let prefixed = manager(&config);
        assert!(!prefixed.names_a_server() && config.redis.key_prefix.is_none(), "{prefixed:?}");
        assert_eq!(prefixed.key_prefix.as_deref(), Some("p"));
    }
}

#[test]
fn children_name_their_servers_each() {
    const FAILURE: &str = "vumi.transports.failures.FailureWorker";
    let config = file(&format!(
        "workers: {{a: {FAILURE}, b: {FAILURE}}}\n\
         defaults: {{transport_name: sms, retry_routing_key: a.b, failures_routing_key: c.d, redis_manager: {{key_prefix: p}}}}\n\
         b: {{redis_manager: {{host: r, db: 2, key_prefix: q}}}}\n"
    ));
    let given =
        WorkerOptions { config: Some(config.path().to_path_buf()), ..options("vumi.multiworker.MultiWorker", &[]) };
    let managers = read(&given).workers.into_iter().map(|(name, worker)| match worker.component {
        vumi_worker::WorkerConfig::Failure(failure) => (name, failure.redis_manager),
        other => panic!("{other:?}"),
    });
    let managers: Vec<_> = managers.map(|(name, of)| (name, of.host.unwrap(), of.db, of.key_prefix.unwrap())).collect();
    let expected = [("a", "127.0.0.1", None, "p"), ("b", "r", Some(2), "q")];
    assert_eq!(managers, expected.map(|(name, host, db, prefix)| (name.into(), host.into(), db, prefix.into())));
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
    let given =
        WorkerOptions { config: Some(config.path().to_path_buf()), ..options("vumi.multiworker.MultiWorker", &[]) };
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
