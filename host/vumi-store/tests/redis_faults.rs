//! A Redis that goes away, refuses, is full, is slow: each gives one clear sentence and a temporary error, and all goes on
//! by itself once it is over.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod kit;

use std::sync::Arc;
use std::time::{Duration, Instant};

use kit::log::Log;
use kit::redis::{open, open_impatient};
use vumi_core::{Change, Collections, Guard, KvStore, Op};
use vumi_store::RedisStore;
use vumi_test_servers::Redis;

const BRIEF: Duration = Duration::from_millis(300);

/// Calls until it succeeds, for twenty seconds at most.
async fn until_set(store: &RedisStore, key: &str) {
    let since = Instant::now();
    while let Err(error) = store.set(key, "v", None).await {
        assert!(error.is_temporary(), "{error}");
        assert!(since.elapsed() < Duration::from_secs(20), "{error}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The error of a write, which is a temporary one that names the server.
async fn refused(store: &RedisStore, port: u16) -> String {
    let error = store.set("refused", "v", None).await.expect_err("is refused");
    assert!(error.is_temporary(), "{error}");
    let text = error.report();
    assert!(text.contains(&format!("127.0.0.1:{port}")), "{text}");
    text
}

/// A connection for the test itself, which stays logged in whatever happens to the password.
async fn admin(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).expect("an address").get_multiplexed_async_connection().await.expect("connects")
}

async fn config(admin: &mut redis::aio::MultiplexedConnection, name: &str, value: &str) {
    redis::cmd("CONFIG").arg("SET").arg(name).arg(value).query_async::<()>(admin).await.expect("is set");
}

#[tokio::test]
async fn nobody_there_at_the_start() {
    let log = Log::start();
    let mut server = Redis::start();
    let (port, url) = (server.port(), server.url(0));
    server.kill();
    let since = Instant::now();
    let store = open_impatient(&url, BRIEF);
    assert!(since.elapsed() < BRIEF && !store.is_connected(), "opening does not wait");
    let text = refused(&store, port).await;
    assert!(text.contains("cannot be reached (") && text.contains("refused"), "{text}");
    assert!(text.ends_with("; start it, or correct its address"), "{text}");
    assert!(since.elapsed() >= BRIEF, "it waited for the server");
    refused(&store, port).await;
    assert_eq!(log.count("cannot be reached"), 1, "once, however often it is tried:\n{}", log.text());
    server.start_again();
    until_set(&store, "k").await;
    assert!(store.is_connected());
    assert_eq!(log.count("works again"), 1, "{}", log.text());
}

#[tokio::test]
async fn a_call_waits_for_a_server_that_comes_up_in_time() {
    let mut server = Redis::start();
    server.kill();
    let store = open(&server.url(0));
    let waiting = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.set("k", "v", None).await })
    };
    tokio::task::yield_now().await;
    let started = tokio::task::spawn_blocking(move || {
        server.start_again();
        server
    });
    let _server = started.await.expect("starts");
    waiting.await.expect("ends").expect("was done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_the_middle_of_work() {
    let mut server = Redis::start();
    let store = open(&server.url(0));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..4_u64 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let (mut confirmed, mut failed) = (Vec::new(), 0);
            for n in 0_u64.. {
                let key = format!("{task} {n}");
                match store.set(&key, "v", None).await {
                    Ok(()) => confirmed.push(key),
                    Err(error) => {
                        assert!(error.is_temporary(), "{error}");
                        failed += 1;
                    }
                }
                match store.get("stop").await {
                    Ok(Some(_)) => break,
                    Ok(None) => {}
                    Err(error) => assert!(error.is_temporary(), "{error}"),
                }
            }
            (confirmed, failed)
        });
    }
    let server = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            server.restart();
            server.kill();
            server.start_again();
        }
        server
    });
    let server = server.await.expect("restarts");
    until_set(&store, "stop").await;
    for (confirmed, failed) in tasks.join_all().await {
        assert!(!confirmed.is_empty());
        // A broken connection fails what was under way on it, not what came while there was none.
        assert!(failed <= 20, "{failed} calls failed");
        for key in confirmed {
            assert!(store.get(&key).await.expect("reads").is_some(), "{key} was confirmed and is lost");
        }
    }
    drop(server);
}

#[tokio::test]
async fn a_wrong_password() {
    let log = Log::start();
    let server = Redis::start();
    let mut admin = admin(&server.url(0)).await;
    config(&mut admin, "requirepass", "hunter2").await;
    let bare = open_impatient(&server.url(0), BRIEF);
    let text = refused(&bare, server.port()).await;
    assert!(text.contains("wants a password (NOAUTH"), "{text}");
    let url = format!("redis://:letmein@127.0.0.1:{}/0", server.port());
    let store = open_impatient(&url, BRIEF);
    let text = refused(&store, server.port()).await;
    assert!(text.contains("refuses the user name or password (WRONGPASS"), "{text}");
    assert!(!text.contains("letmein") && !log.text().contains("letmein"), "{text}");
    config(&mut admin, "requirepass", "letmein").await;
    until_set(&store, "k").await;
    config(&mut admin, "requirepass", "").await;
    until_set(&bare, "k").await;
    assert_eq!(log.count("works again"), 2, "{}", log.text());
}

/// The password is changed while connections stand: they are let be, new ones need it.
#[tokio::test]
async fn a_password_that_comes_later() {
    let mut server = Redis::start();
    let store = open_impatient(&server.url(0), BRIEF);
    until_set(&store, "k").await;
    let mut admin = admin(&server.url(0)).await;
    config(&mut admin, "requirepass", "hunter2").await;
    store.set("k", "v", None).await.expect("its connections are logged in");
    redis::cmd("CLIENT")
        .arg("KILL")
        .arg("TYPE")
        .arg("normal")
        .arg("SKIPME")
        .arg("yes")
        .query_async::<()>(&mut admin)
        .await
        .expect("kills");
    let since = Instant::now();
    let text = loop {
        match store.set("k", "v", None).await {
            Err(error) if error.report().contains("NOAUTH") => break error.report(),
            Err(error) => assert!(error.is_temporary(), "{error}"),
            Ok(()) => {}
        }
        assert!(since.elapsed() < Duration::from_secs(10), "it does not notice");
    };
    assert!(text.contains("wants a password"), "{text}");
    // Without it again after a restart, as it stood in no file.
    server.kill();
    server.start_again();
    until_set(&store, "k").await;
}

#[tokio::test]
async fn a_full_server() {
    let log = Log::start();
    let server = Redis::start();
    let store = open(&server.url(0));
    store.set("k", "v", None).await.expect("sets");
    let mut admin = admin(&server.url(0)).await;
    config(&mut admin, "maxmemory", "1").await;
    let text = refused(&store, server.port()).await;
    assert!(text.contains("is full (OOM command not allowed when used memory > 'maxmemory'"), "{text}");
    assert!(text.contains("; raise its `maxmemory`, or delete keys that are not needed"), "{text}");
    refused(&store, server.port()).await;
    let change = Change::new()
        .when(Guard::Exists { key: "k".to_owned() })
        .then(Op::SetAdd { key: "set".to_owned(), members: vec!["m".to_owned()] })
        .then(Op::Delete { keys: vec!["k".to_owned()] });
    let error = store.apply(change.clone()).await.expect_err("is full");
    assert!(error.is_temporary() && error.report().contains("is full"), "{error}");
    assert_eq!(store.get("k").await.expect("reads go on").as_deref(), Some("v"), "nothing was done");
    assert!(!store.delete("absent").await.expect("what removes goes on"));
    assert!(store.is_connected());
    let quota = vumi_core::KeyQuota { counter: "count", soft: 8, hard: 10 };
    assert!(store.set_within("counted", "v", None, quota).await.expect_err("is full").is_temporary());
    assert_eq!(store.get("count").await.expect("reads"), None);
    config(&mut admin, "maxmemory", "0").await;
    store.set("k", "w", None).await.expect("sets again");
    assert!(store.apply(change).await.expect("applies").is_some());
    assert_eq!((log.count("is full"), log.count("works again")), (1, 1), "{}", log.text());
}

#[tokio::test]
async fn a_replica_takes_no_writes() {
    let server = Redis::start();
    let store = open_impatient(&server.url(0), BRIEF);
    until_set(&store, "k").await;
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    let text = refused(&store, server.port()).await;
    assert!(text.contains("is a replica that takes no writes (READONLY"), "{text}");
    server.command(&["REPLICAOF", "NO", "ONE"]);
    until_set(&store, "k").await;
}

#[tokio::test]
async fn a_server_that_stands_still() {
    let log = Log::start();
    let mut server = Redis::start();
    let store = open_impatient(&server.url(0), BRIEF);
    until_set(&store, "k").await;
    server.pause();
    let since = Instant::now();
    let text = refused(&store, server.port()).await;
    assert!(text.contains("did not answer within 0.3 s"), "{text}");
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    store.get("k").await.expect_err("stands still");
    server.resume();
    until_set(&store, "k").await;
    assert!(log.count("did not answer") <= 2 && log.count("works again") >= 1, "{}", log.text());
}

#[tokio::test]
async fn a_closed_store() {
    let server = Redis::start();
    let store = open(&server.url(0));
    store.set("k", "v", None).await.expect("sets");
    store.close().await;
    let since = Instant::now();
    let text = refused(&store, server.port()).await;
    assert!(text.contains("this program has closed it"), "{text}");
    assert!(since.elapsed() < Duration::from_secs(1), "there is nothing to wait for");
    // Its connections are gone, those of others are not.
    let others = open(&server.url(0));
    others.set("k", "v", None).await.expect("sets");
    for _ in 0..1_000 {
        let clients = server.command(&["CLIENT", "LIST"]);
        // Four of `others`, and the one that asks.
        if clients.lines().filter(|line| !line.is_empty()).count() <= 5 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("connections stay");
}

/// Opened where no runtime is yet, it connects with the first call.
#[test]
fn opened_before_the_runtime() {
    let server = Redis::start();
    let store = open(&server.url(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { store.set("k", "v", None).await.expect("sets") });
}
