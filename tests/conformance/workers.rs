//! Options, configuration and life of workers (specification: workers).
//!
//! Where each check stands (`config/tests` is that of vumi-host):
//!
//! | Check | Where |
//! |---|---|
//! | 1 to 4, 6 to 9, 13 | `config/tests/worker.rs` |
//! | 5, 17 | `config/tests/include.rs` |
//! | 10, 14, 16, 18 | here; of 10 the int error, and of 14 the options, also in `config/tests/worker.rs` |
//! | 19 | here, and `config/tests/worker.rs` |
//!
//! Of 8, a null for a required text is refused: Vumi went on with queues called `None.inbound`. Of 10, a port without a
//! host is one of this machine alone: nothing listens for others unless told to.
//!
//! No counterpart: 11, as no worker connects to a client endpoint; 12, as no configuration is made per message, so that
//! every field is read and checked at the start; 15, as errors are reported over OTLP, and `--sentry` is ignored with a
//! warning.

mod running;

use vumi_core::{Change, Keyspaces, Op, RedisManager};
use vumi_tests::context::{OneKeyspace, context};
use vumi_worker::heartbeat::HeartbeatPublisher;

use crate::backends::{Running, on_each_backend, try_worker};
use crate::telnet::rig::Read;

fn tagpool(keys: &str) -> String {
    format!("class: tagpool_api\nweb_path: /api\n{keys}")
}

#[tokio::test]
async fn check_10_where_a_server_listens() {
    for keys in ["port: 0\n", "host: 127.0.0.1\nport: 0\n", "twisted_endpoint: tcp:0\n"] {
        let worker = Running::start(&tagpool(keys), &context()).await;
        let at = worker.at.clone().unwrap();
        assert!(at.starts_with("127.0.0.1:") && !at.ends_with(":0"), "{keys}: {at}");
        worker.stop().await;
    }
    for (keys, why) in [
        ("host: 127.0.0.1\n", "Missing required config field 'twisted_endpoint'"),
        ("", "Missing required config field 'twisted_endpoint'"),
        ("twisted_endpoint: udp:80\n", "Field 'twisted_endpoint' is not a valid server endpoint"),
        ("port: foo\n", "foo"),
        ("port: 70000\n", "70000"),
    ] {
        let error = try_worker(&tagpool(keys), &context()).err().unwrap();
        assert!(error.contains(why), "{keys}: {error}");
    }
}

#[test]
fn check_10_where_telnet_listens() {
    let built = |keys: &str| {
        let read =
            serde_saphyr::from_str::<Read>(&format!("class: telnet\n{keys}")).map_err(|error| error.to_string())?;
        read.0.component.check("t").map(drop).map_err(|error| error.to_string())
    };
    for keys in ["telnet_port: 0\n", "telnet_host: 127.0.0.1\ntelnet_port: \" 0 \"\n", "twisted_endpoint: tcp:0\n"] {
        built(keys).unwrap_or_else(|error| panic!("{keys}: {error}"));
    }
    for (keys, why) in [
        ("telnet_host: 127.0.0.1\n", "Missing required config field 'twisted_endpoint'"),
        ("", "Missing required config field 'twisted_endpoint'"),
        ("twisted_endpoint: udp:80\n", "it must begin with `tcp:`"),
        ("telnet_port: foo\n", "foo"),
        ("telnet_port: true\n", "a whole number"),
        ("telnet_port: 1.0\n", "a whole number"),
    ] {
        let error = built(keys).unwrap_err();
        assert!(error.contains(why), "{keys}: {error}");
    }
}

#[test]
fn check_14_the_name_in_heartbeats() {
    assert_eq!(HeartbeatPublisher::new("global", "w").worker_id(), "global:w");
    assert_eq!(HeartbeatPublisher::new("s", "w").worker_id(), "s:w");
}

/// A worker's `redis_manager` with these keys.
fn manager(keys: &str) -> RedisManager {
    serde_saphyr::from_str(keys).unwrap()
}

on_each_backend! {
    async fn check_16_prefixes(keys: Keys) {
        let spaces = OneKeyspace(keys.space.clone());
        for (settings, first) in [
            ("{}", "s:k"),
            ("{key_prefix: p}", "p:s:k"),
            ("{key_prefix: p, key_separator: '#'}", "p#s#k"),
            ("{key_prefix: ''}", "s:k"),
        ] {
            let sub = spaces.open(&manager(settings)).unwrap().under("s");
            let add = |key: &str| Op::SetAdd { key: key.to_owned(), members: vec!["m".to_owned()] };
            sub.collections.apply(Change::new().then(add("k")).then(add("l"))).await.unwrap();
            let last = first.replace('k', "l");
            assert_eq!(keys.all().await, [first.to_owned(), last], "{settings}");
            // Who lists them does not see the prefix.
            let mut listed = sub.collections.keys("", 10).await.unwrap();
            listed.sort();
            assert_eq!(listed, ["k", "l"], "{settings}");
            assert_eq!(sub.collections.ttl("k").await.unwrap(), None, "a key without expiry");
            assert_eq!(sub.collections.ttl("absent").await.unwrap(), None);
            let gone = Op::Delete { keys: vec!["k".to_owned(), "l".to_owned()] };
            sub.collections.apply(Change::new().then(gone)).await.unwrap();

            sub.kv.set("k", "1", None).await.unwrap();
            let [entry] = keys.space.kv.list("", 10).await.unwrap().try_into().unwrap();
            assert_eq!(entry.key, first, "{settings}");
            let [entry] = sub.kv.list("", 10).await.unwrap().try_into().unwrap();
            assert_eq!(entry.key, "k", "{settings}");
            assert_eq!((sub.kv.ttl("k").await.unwrap(), sub.kv.ttl("absent").await.unwrap()), (None, None));
            assert!(sub.kv.delete("k").await.unwrap());
        }
    }
}
