//! Private RabbitMQ and Redis servers and OCI registries for tests.
//!
//! What the host speaks to is tested against the real programs, those of Debian's packages `rabbitmq-server`,
//! `redis-server` and `docker-registry`, which `cargo xtask test` installs. A test starts what it needs and has it for itself: on free
//! loopback ports, with all its files in a temporary folder, apart from any server that the machine runs anyway.
//!
//! ```no_run
//! use vumi_test_servers::{Redis, shared_rabbitmq};
//!
//! let mut redis = Redis::start();
//! println!("{}", redis.url(0));
//! redis.kill(); // as a power cut would
//! redis.start_again(); // same port, same data
//!
//! let amqp = shared_rabbitmq().vhost("routing"); // the URL of a vhost that nobody else uses
//! # drop(amqp);
//! ```
//!
//! - [`RabbitMq`], [`Redis`], [`RedisCluster`], [`OciRegistry`]: a server of one's own, for tests that stop, kill or block it.
//! - [`shared_rabbitmq`], [`shared_redis`]: one server for all tests of a run, for those that only use it. RabbitMQ takes
//!   some seconds to start; a fresh vhost on the shared one takes milliseconds.
//!
//! Nothing outlives the tests, not even when they are killed: beside each server a small shell waits for the end of the
//! process that started it, then kills the server by its process group and removes its folder.
//!
//! Everything here blocks; an async test calls it before its work begins, or through `spawn_blocking`. What goes wrong
//! is a panic with a sentence that says what is missing, for nothing but tests and chores uses this crate; the chores
//! use the `try_start` functions, which give the sentence back.

mod cluster;
mod control;
mod process;
mod rabbitmq;
mod redis;
mod registry;
mod shared;
#[cfg(test)]
mod tests;

pub use cluster::RedisCluster;
pub use rabbitmq::RabbitMq;
pub use redis::Redis;
pub use registry::OciRegistry;
pub use shared::{SharedRabbit, SharedRedis, shared_rabbitmq, shared_redis};

/// The Debian packages whose programs cannot be found on this machine, without which no server starts.
pub fn missing_packages() -> Vec<&'static str> {
    [
        (control::PACKAGE, control::find_all().is_err()),
        (redis::PACKAGE, redis::find_server().is_err()),
        (registry::PACKAGE, registry::find_server().is_err()),
    ]
    .into_iter()
    .filter_map(|(package, missing)| missing.then_some(package))
    .collect()
}

/// The value, or a failed test with the reason.
#[track_caller]
#[allow(clippy::panic, reason = "a test without its server can only fail")]
fn must<T>(result: Result<T, String>) -> T {
    match result {
        Ok(value) => value,
        Err(reason) => panic!("{reason}"),
    }
}
