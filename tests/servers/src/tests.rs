//! The servers start, keep their data, stay apart, and leave nothing behind.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::process::until;
use crate::{OciRegistry, RabbitMq, Redis, RedisCluster, shared_rabbitmq, shared_redis};

/// The processes that have this folder in their command line or environment, or work in it.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let works_in = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let text = [read("environ"), read("cmdline"), works_in.into_os_string().into_encoded_bytes()].concat();
        if String::from_utf8_lossy(&text).contains(folder) {
            found.push(format!("{}: {}", entry.path().display(), String::from_utf8_lossy(&read("cmdline"))));
        }
    }
    found
}

#[track_caller]
fn nothing_left(folder: &Path) {
    let gone = until(Duration::from_secs(20), || (processes_of(folder).is_empty() && !folder.exists()).then_some(()));
    assert!(gone.is_some(), "{}: {:?}", folder.display(), processes_of(folder));
}

/// How many queues a server has, all vhosts together.
fn queues(rabbit: &RabbitMq) -> String {
    rabbit.eval("length(rabbit_amqqueue:list())")
}

fn declare_queue(rabbit: &RabbitMq) {
    rabbit.eval(
        "{new, _} = rabbit_amqqueue:declare(rabbit_misc:r(<<\"/\">>, queue, <<\"q\">>), true, false, [], none, \
         <<\"guest\">>)",
    );
}

#[test]
fn rabbitmq_keeps_what_it_has_through_restart_and_kill() {
    let began = Instant::now();
    let mut rabbit = RabbitMq::start();
    println!("RabbitMQ started in {:?}", began.elapsed());
    let (port, folder) = (rabbit.port(), rabbit.folder().to_owned());
    assert_eq!(rabbit.url("%2f"), format!("amqp://guest:guest@127.0.0.1:{port}/%2f"));
    declare_queue(&rabbit);
    assert_eq!(queues(&rabbit), "1");

    let began = Instant::now();
    let first = rabbit.vhost("a");
    println!("a vhost was made in {:?}", began.elapsed());
    assert_ne!(first, rabbit.vhost("a"));
    assert_eq!(rabbit.add_vhost("/develop"), rabbit.url("%2fdevelop"));
    assert_eq!(rabbit.eval("rabbit_vhost:exists(<<\"/develop\">>)"), "true");
    assert!(rabbit.eval("rabbit_exchange:check_type(<<\"x-consistent-hash\">>)").contains("x-consistent-hash"));

    rabbit.memory_alarm(true);
    assert!(rabbit.eval("rabbit_alarm:get_alarms()").contains("memory"));
    rabbit.memory_alarm(false);
    assert_eq!(rabbit.eval("rabbit_alarm:get_alarms()"), "[]");

    let began = Instant::now();
    rabbit.restart();
    println!("RabbitMQ restarted in {:?}", began.elapsed());
    assert_eq!((rabbit.port(), queues(&rabbit).as_str()), (port, "1"));
    rabbit.kill();
    rabbit.start_again();
    assert_eq!(queues(&rabbit), "1");
    assert!(processes_of(&folder).len() >= 2, "a server and its watch: {:?}", processes_of(&folder));
    drop(rabbit);
    // Its port may be somebody else's by now; that nothing of it runs is seen in its folder.
    nothing_left(&folder);
}

#[test]
fn two_rabbitmqs_side_by_side_know_nothing_of_each_other() {
    let second = std::thread::spawn(RabbitMq::start);
    let (first, second) = (RabbitMq::start(), second.join().unwrap());
    assert_ne!(first.port(), second.port());
    declare_queue(&first);
    assert_eq!((queues(&first).as_str(), queues(&second).as_str()), ("1", "0"));
    assert_eq!(first.eval("nodes()"), "[]");
}

#[test]
fn redis_keeps_what_it_has_through_restart_and_kill() {
    let mut redis = Redis::start();
    let (port, folder) = (redis.port(), redis.folder().to_owned());
    assert_eq!(redis.url(3), format!("redis://127.0.0.1:{port}/3"));
    assert_eq!(redis.command(&["SET", "key", "värde\r\n"]), "OK");
    redis.restart();
    assert_eq!((redis.port(), redis.command(&["GET", "key"]).as_str()), (port, "värde\r\n"));
    redis.command(&["RPUSH", "list", "a", "b"]);
    redis.kill();
    redis.start_again();
    assert_eq!(redis.command(&["LRANGE", "list", "0", "-1"]), "a\nb");
    assert_eq!(redis.command(&["GET", "nothing"]), "");
    assert!(processes_of(&folder).len() >= 2, "a server and its watch: {:?}", processes_of(&folder));
    drop(redis);
    nothing_left(&folder);
}

#[test]
fn redis_takes_arguments_and_its_password_is_in_the_url() {
    let redis = Redis::with(&["--requirepass", "a/b", "--maxmemory", "2mb"]);
    assert_eq!(redis.url(0), format!("redis://:a%2fb@127.0.0.1:{}/0", redis.port()));
    assert_eq!(redis.command(&["CONFIG", "GET", "maxmemory"]), "maxmemory\n2097152");
    let reason = redis.try_command(&["NO-SUCH-COMMAND"]).unwrap_err();
    assert!(reason.starts_with("Redis refuses: ERR unknown command"), "{reason}");
    let reason = Redis::try_with(&["--no-such-option", "1"]).unwrap_err();
    assert!(reason.starts_with("Redis does not start; it says:") && reason.contains("no-such-option"), "{reason}");
}

#[test]
fn two_redises_side_by_side_and_a_paused_one_is_silent() {
    let (mut first, second) = (Redis::start(), Redis::start());
    first.command(&["SET", "key", "1"]);
    assert_eq!(second.command(&["GET", "key"]), "");
    first.pause();
    assert!(first.try_command(&["PING"]).unwrap_err().starts_with("Redis does not answer"));
    first.resume();
    assert_eq!(first.command(&["GET", "key"]), "1");
}

#[test]
fn a_cluster_is_whole_and_every_node_has_its_slots() {
    let mut cluster = RedisCluster::start(3);
    let folders: Vec<PathBuf> = cluster.nodes().iter().map(|node| node.folder().to_owned()).collect();
    assert_eq!((cluster.urls().len(), folders.len()), (3, 3));
    for node in cluster.nodes() {
        let info = node.command(&["CLUSTER", "INFO"]);
        assert!(info.contains("cluster_slots_ok:16384") && info.contains("cluster_size:3"), "{info}");
    }
    // The key lies with the third node, and the others know.
    let slot = cluster.nodes()[0].command(&["CLUSTER", "KEYSLOT", "foo"]);
    assert_eq!(slot, "12182");
    let reason = cluster.nodes()[0].try_command(&["GET", "foo"]).unwrap_err();
    assert_eq!(reason, format!("Redis refuses: MOVED 12182 127.0.0.1:{}", cluster.nodes()[2].port()));
    drop(cluster);
    folders.iter().for_each(|folder| nothing_left(folder));
    assert_eq!(RedisCluster::try_start(2).unwrap_err(), "a Redis Cluster needs three masters at least, not 2");
}

#[test]
fn a_registry_answers_and_leaves_nothing() {
    let (open, closed) = (OciRegistry::start(), OciRegistry::start_closed());
    assert_ne!(open.port(), closed.port());
    assert_eq!(open.reference("a:1"), format!("oci://127.0.0.1:{}/a:1", open.port()));
    assert!(open.blob("sha256:abcd").ends_with("sha256/ab/abcd/data"));
    let folder = open.folder().to_owned();
    assert!(processes_of(&folder).len() >= 2, "a server and its watch: {:?}", processes_of(&folder));
    drop(open);
    nothing_left(&folder);
}

#[test]
fn what_is_shared_is_one_server_with_room_for_each_test() {
    // Many tests ask at the same time.
    let asked: Vec<_> = (0..16).map(|_| std::thread::spawn(|| shared_rabbitmq().vhost("a"))).collect();
    let urls: BTreeSet<String> = asked.into_iter().map(|asked| asked.join().unwrap()).collect();
    let servers: BTreeSet<&str> = urls.iter().map(|url| url.rsplit_once('/').unwrap().0).collect();
    assert_eq!((urls.len(), servers.len()), (16, 1), "{urls:?}");
    assert_eq!(shared_redis().url(1).rsplit_once('/').unwrap().0, shared_redis().url(2).rsplit_once('/').unwrap().0);
}

/// Starts one of each, says where they are, and waits to be killed. The test below runs it in a process of its own.
#[test]
#[ignore = "a part of the next test"]
fn servers_until_killed() {
    let (rabbit, redis) = (RabbitMq::start(), Redis::start());
    println!("folder:{}", rabbit.folder().display());
    println!("folder:{}", redis.folder().display());
    println!("ready:");
    loop {
        std::thread::park();
    }
}

#[test]
fn a_killed_test_leaves_nothing_behind() {
    let mut helper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::servers_until_killed", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(helper.stdout.take().unwrap()).lines().map(Result::unwrap);
    let folders: Vec<PathBuf> = lines
        .take_while(|line| line != "ready:")
        .filter_map(|line| line.split_once("folder:").map(|(_, folder)| PathBuf::from(folder)))
        .collect();
    assert_eq!(folders.len(), 2);
    for folder in &folders {
        assert!(processes_of(folder).len() >= 2, "a server and its watch: {:?}", processes_of(folder));
    }
    kill_process(Pid::from_child(&helper), Signal::KILL).unwrap();
    helper.wait().unwrap();
    folders.iter().for_each(|folder| nothing_left(folder));
}
