//! One call to Redis: a command or a script, on whatever connection there is, within the response timeout.
//!
//! What certainly was not done is tried again until then. A write whose connection broke before the answer is not: it may
//! have been done, and a number must not be added twice; the caller is told, and decides.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value};
use tokio::time::Instant;

use super::fault::{Trouble, judge};
use super::health::Access;
use super::link::{Connections, Link, Live};
use crate::StoreError;

/// A script with its name in Redis' own cache of scripts.
pub(super) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    pub(super) fn new(code: &'static str) -> Self {
        Self { code, hash: redis::Script::new(code).get_hash().to_owned() }
    }

    fn command(&self, whole: bool, keys: &[&str], args: &[&str]) -> Cmd {
        let mut cmd = if whole { redis::cmd("EVAL") } else { redis::cmd("EVALSHA") };
        cmd.arg(if whole { self.code } else { &self.hash }).arg(keys.len()).arg(keys).arg(args);
        cmd
    }
}

/// What is sent, as often as need be.
enum Request<'a> {
    Command(&'a Cmd),
    /// A command for one node of a cluster.
    At(&'a Cmd, &'a SingleNodeRoutingInfo),
    Script {
        script: &'a Script,
        keys: &'a [&'a str],
        args: &'a [&'a str],
        short: Cmd,
    },
}

impl Link {
    /// Sends a command and reads its answer as `T`.
    pub(super) async fn command<T: FromRedisValue>(
        self: &Arc<Self>,
        access: Access,
        cmd: Cmd,
    ) -> Result<T, StoreError> {
        self.read(self.repeat(access, Request::Command(&cmd)).await?)
    }

    /// Sends a command to a node of a cluster; without a cluster, to the server.
    pub(super) async fn command_at<T: FromRedisValue>(
        self: &Arc<Self>,
        access: Access,
        route: &SingleNodeRoutingInfo,
        cmd: Cmd,
    ) -> Result<T, StoreError> {
        self.read(self.repeat(access, Request::At(&cmd, route)).await?)
    }

    /// Runs a script. All `keys` must be in one slot of a cluster.
    pub(super) async fn script<T: FromRedisValue>(
        self: &Arc<Self>,
        access: Access,
        script: &Script,
        keys: &[&str],
        args: &[&str],
    ) -> Result<T, StoreError> {
        let short = script.command(false, keys, args);
        self.read(self.repeat(access, Request::Script { script, keys, args, short }).await?)
    }

    async fn repeat(self: &Arc<Self>, access: Access, request: Request<'_>) -> Result<Value, StoreError> {
        let deadline = Instant::now() + self.options.response_timeout;
        let mut pause = Duration::from_millis(10);
        loop {
            let live = self.live(deadline).await?;
            let error = match live.serve(&request).await {
                Ok(value) => {
                    self.health.answered(access);
                    return Ok(value);
                }
                Err(error) => error,
            };
            let fault = judge(self.options.place(), self.options.response_timeout, &error, false);
            let Some(trouble) = fault.trouble else {
                // Redis works; it is the caller who asked for what cannot be.
                return Err(fault.error);
            };
            match (trouble, &live.connections) {
                (Trouble::Lost | Trouble::Login, Connections::Server { .. }) => self.broken(live.number),
                // Its address may lead to another server by now.
                (Trouble::ReadOnly, Connections::Server { .. }) => self.broken(live.number),
                (Trouble::Lost | Trouble::Silent | Trouble::Login | Trouble::Cluster, _) => self.suspect(live.number),
                _ => {}
            }
            let over_soon = match trouble {
                Trouble::Lost => fault.undone || access == Access::Read,
                Trouble::Cluster | Trouble::Loading | Trouble::Login => true,
                _ => false,
            };
            if !over_soon || Instant::now() + pause >= deadline {
                // Only now: what passes by itself, such as a slot that moves, is not worth a line in the log.
                self.health.failed(&fault);
                return Err(fault.error);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }

    fn read<T: FromRedisValue>(&self, value: Value) -> Result<T, StoreError> {
        redis::from_redis_value(value).map_err(|error| {
            let place = self.options.place();
            let sentence = format!("Redis at {place} holds what cannot be read here ({error})");
            StoreError::Redis { sentence, temporary: false }
        })
    }
}

impl Live {
    async fn serve(&self, request: &Request<'_>) -> Result<Value, RedisError> {
        match request {
            Request::Command(cmd) => self.send(cmd).await,
            Request::At(cmd, route) => self.send_to(cmd, (*route).clone()).await,
            Request::Script { script, keys, args, short } => match self.send(short).await {
                // Redis does not know the script yet: then with all of its text, which it remembers.
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    self.send(&script.command(true, keys, args)).await
                }
                answer => answer,
            },
        }
    }

    async fn send(&self, cmd: &Cmd) -> Result<Value, RedisError> {
        match &self.connections {
            Connections::Server { all, next } => {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                let connection = all.get(turn % all.len().max(1));
                let mut connection = connection.ok_or((ErrorKind::InvalidClientConfig, "no connection"))?.clone();
                cmd.query_async(&mut connection).await
            }
            Connections::Cluster(connection) => {
                let mut connection = connection.clone();
                match cmd.query_async(&mut connection).await {
                    Err(error) => match asked(&error) {
                        // The slot is moving, and this key has moved already.
                        Some(node) => {
                            let mut both = redis::pipe();
                            both.cmd("ASKING").add_command(cmd.clone());
                            let answers = connection.route_pipeline(both, 1, 1, node).await?;
                            answers.into_iter().next().unwrap_or(Value::Nil).extract_error()
                        }
                        None => Err(error),
                    },
                    answer => answer,
                }
            }
        }
    }

    async fn send_to(&self, cmd: &Cmd, route: SingleNodeRoutingInfo) -> Result<Value, RedisError> {
        match &self.connections {
            Connections::Server { .. } => self.send(cmd).await,
            Connections::Cluster(connection) => {
                let value = connection.clone().route_command(cmd.clone(), RoutingInfo::SingleNode(route)).await?;
                value.extract_error()
            }
        }
    }
}

/// The node that has taken a key over already, if that is what the error says.
fn asked(error: &RedisError) -> Option<SingleNodeRoutingInfo> {
    if error.kind() != ErrorKind::Server(ServerErrorKind::Ask) {
        return None;
    }
    let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
    Some(SingleNodeRoutingInfo::ByAddress { host: host.to_owned(), port: port.parse().ok()? })
}
