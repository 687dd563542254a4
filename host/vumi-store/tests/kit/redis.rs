//! Redis servers for the tests: one server and one cluster for all, in which each test has a prefix of its own.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use vumi_core::{Collections, Keyspace, KvStore};
use vumi_store::{RedisOptions, RedisStore};
use vumi_test_servers::{RedisCluster, shared_redis};

/// Which Redis, and what the keys begin with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Server,
    /// Keys without hash tag: each in a slot of its own.
    Cluster,
    /// Keys with one hash tag: all in one slot.
    TaggedCluster,
}

/// A store on a server of its own, or on the shared one.
pub(crate) fn open(url: &str) -> Arc<RedisStore> {
    RedisStore::open(RedisOptions::parse(url).expect("an address"))
}

/// A store that gives up after a moment.
pub(crate) fn open_impatient(url: &str, patience: Duration) -> Arc<RedisStore> {
    let mut options = RedisOptions::parse(url).expect("an address");
    options.connect_timeout = patience;
    options.response_timeout = patience;
    RedisStore::open(options)
}

/// The address of the cluster that the tests share.
pub(crate) fn cluster_url() -> String {
    static CLUSTER: OnceLock<Mutex<RedisCluster>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| Mutex::new(RedisCluster::start(3)));
    let urls = cluster.lock().urls();
    let nodes: Vec<&str> = urls.iter().filter_map(|url| url.strip_prefix("redis://")).collect();
    format!("redis+cluster://{}", nodes.join(","))
}

/// A fresh prefix.
pub(crate) fn prefix(kind: Kind) -> String {
    let name = uuid::Uuid::new_v4().simple().to_string();
    if kind == Kind::TaggedCluster { format!("{{{name}}}") } else { name }
}

/// A store, and keys under a prefix of their own in it.
pub(crate) fn keyspace(kind: Kind) -> Keyspace {
    let store = match kind {
        Kind::Server => open(&shared_redis().url(0)),
        Kind::Cluster | Kind::TaggedCluster => open(&cluster_url()),
    };
    Keyspace::new(Arc::clone(&store) as Arc<dyn KvStore>, store as Arc<dyn Collections>).under(&prefix(kind))
}
