//! Redis that does not run, refuses the password, or is full.

use std::time::Duration;

use vumi_test_servers::Redis;
use vumi_tests::http;

use super::{Setup, converse, keeps, lines, troubled, user, well};

/// What the key-value store says of itself in the log.
const STORE: &str = "vumi_store";

#[test]
fn redis_is_started_after_the_host() {
    let mut redis = Redis::start();
    let port = redis.port();
    redis.kill();
    let mut host = Setup::echo(&format!("kv: \"{}\"\n", redis.url(0))).start();
    let sentence = format!("Redis at 127.0.0.1:{port} cannot be reached (");
    troubled(&mut host, STORE, "kv at redis://", &sentence);
    let [said] = lines(&host, &[STORE, &sentence]).try_into().expect("one line");
    assert!(said.contains("; start it, or correct its address"), "{said}");
    redis.start_again();
    well(&host);
    converse(&host);
}

#[test]
fn a_wrong_password() {
    let redis = Redis::with(&["--requirepass", "another"]);
    let address = format!("redis://:hunter2hunter2@127.0.0.1:{}/0", redis.port());
    let mut host = Setup::echo(&format!("kv: \"{address}\"\n")).start();
    let sentence = format!("Redis at 127.0.0.1:{} refuses the user name or password (", redis.port());
    troubled(&mut host, STORE, "kv at redis://", &sentence);
    redis.command(&["CONFIG", "SET", "requirepass", "hunter2hunter2"]);
    well(&host);
    converse(&host);
    keeps(&host, "hunter2");
}

/// A full Redis still answers: messages wait until there is room again.
#[test]
fn redis_is_full() {
    let redis = Redis::with(&["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"]);
    let host = Setup::echo(&format!("kv: \"{}\"\n", redis.url(0))).start();
    let mut user = user(&host, "telnet");
    assert_eq!(user.read_line().as_deref(), Some("Enter text to echo:"));
    assert_eq!(user.ask("there is room"), "there is room");
    // One small command that takes much room.
    redis.command(&["SETRANGE", "filling", "4000000", "x"]);
    user.line("there is none");
    user.line("nor here");
    let sentence = format!("Redis at 127.0.0.1:{} is full (OOM ", redis.port());
    let said = vumi_tests::until("the log says that Redis is full", || {
        Some(lines(&host, &[STORE, &sentence])).filter(|said| !said.is_empty())
    });
    assert!(said[0].contains("; raise its `maxmemory`, or delete keys that are not needed"), "{said:?}");
    vumi_tests::until("the message is tried again", || {
        let tries = lines(&host, &["a message is tried again", &sentence]);
        (tries.len() >= 2).then_some(())
    });
    assert!(user.is_silent_for(Duration::from_millis(100)));
    assert_eq!(http::get(host.admin, "/health").status, 200, "Redis is there");
    redis.command(&["DEL", "filling"]);
    assert_eq!(user.read_line().as_deref(), Some("there is none"));
    assert_eq!(user.read_line().as_deref(), Some("nor here"));
    assert_eq!(user.ask("and now"), "and now");
    assert_eq!(lines(&host, &[STORE, &sentence]).len(), 1, "once, however often it is tried");
    assert_eq!(lines(&host, &[STORE, "works again"]).len(), 1);
    let queues = host.get("/api/v1/queues");
    assert!(queues.as_array().expect("a list").iter().all(|queue| queue["dead"] == 0), "{queues}");
}
