//! One RabbitMQ and one Redis for all tests of a run of the test command, so that no test program has to start its own.
//!
//! The steps after this one find them by the environment variables that `vumi-test-servers` reads. One that is set
//! already names a server that is there, and none is started. Both are private to the run: a server that the machine
//! runs anyway, perhaps since its package was installed, is neither used nor touched.
//!
//! They are stopped when the test command ends. When it is interrupted or killed, the watch that `vumi-test-servers` sets
//! beside each server does the same.

use std::env;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vumi_test_servers::{RabbitMq, Redis};

const AMQP: &str = "VUMI_TEST_AMQP";
const AMQP_CONTROL: &str = "VUMI_TEST_AMQP_CONTROL";
const REDIS: &str = "VUMI_TEST_REDIS";

/// What runs for this process.
static RUNNING: Mutex<Servers> = Mutex::new(Servers { rabbitmq: None, redis: None });

struct Servers {
    rabbitmq: Option<RabbitMq>,
    redis: Option<Redis>,
}

impl Servers {
    /// Starts those that the environment does not name already.
    fn start(named: impl Fn(&str) -> bool) -> Result<Self, String> {
        let rabbitmq = if named(AMQP) { None } else { Some(RabbitMq::try_start()?) };
        let redis = if named(REDIS) { None } else { Some(Redis::try_start()?) };
        Ok(Self { rabbitmq, redis })
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = Vec::new();
        if let Some(rabbitmq) = &self.rabbitmq {
            variables.push((AMQP, rabbitmq.url("%2f")));
            variables.push((AMQP_CONTROL, rabbitmq.control()));
        }
        variables.extend(self.redis.as_ref().map(|redis| (REDIS, redis.url(0))));
        variables
    }
}

fn running() -> MutexGuard<'static, Servers> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The step.
pub(crate) fn start() -> Result<(), String> {
    let servers = Servers::start(|variable| env::var_os(variable).is_some())?;
    let port = |port: Option<u16>| port.map_or_else(|| "as the environment says".into(), |port| format!("port {port}"));
    println!("  RabbitMQ: {}", port(servers.rabbitmq.as_ref().map(RabbitMq::port)));
    println!("  Redis: {}", port(servers.redis.as_ref().map(Redis::port)));
    *running() = servers;
    Ok(())
}

/// Ends what the step started.
pub(crate) fn stop() {
    *running() = Servers { rabbitmq: None, redis: None };
}

/// What the later steps are told about them.
pub(crate) fn environment() -> Vec<(&'static str, String)> {
    running().environment()
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn both_run_and_the_environment_says_where() {
        let servers = Servers::start(|_| false).unwrap();
        let ports = [servers.rabbitmq.as_ref().unwrap().port(), servers.redis.as_ref().unwrap().port()];
        let variables = servers.environment();
        assert_eq!(variables.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [AMQP, AMQP_CONTROL, REDIS]);
        assert_eq!(variables[0].1, format!("amqp://guest:guest@127.0.0.1:{}/%2f", ports[0]));
        assert_eq!(variables[2].1, format!("redis://127.0.0.1:{}/0", ports[1]));
        for port in ports {
            TcpStream::connect(("127.0.0.1", port)).unwrap();
        }
    }

    #[test]
    fn a_server_that_is_named_already_is_not_started() {
        let servers = Servers::start(|variable| variable == AMQP).unwrap();
        assert!(servers.rabbitmq.is_none());
        assert_eq!(servers.environment().iter().map(|(name, _)| *name).collect::<Vec<_>>(), [REDIS]);
    }
}
