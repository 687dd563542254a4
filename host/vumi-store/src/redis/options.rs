//! What is said about a Redis in configuration: its address, how long to wait for it, how many connections to keep.

use std::fmt;
use std::time::Duration;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use crate::StoreError;

/// The addresses that are understood, for error texts.
const FORMS: &str = "write it as redis://[user:password@]host:port/database, rediss://… (TLS), \
    redis+cluster://[user:password@]host1:port,host2:port, rediss+cluster://… or unix:///path/to/socket; characters \
    such as @ : / # ? in a password must be percent-encoded";

/// Where a Redis (or Valkey) is, and how to talk to it. Never shows the password.
#[derive(Clone)]
pub struct RedisOptions {
    /// How long connecting may take; default 5 s.
    pub connect_timeout: Duration,
    /// How long an answer may take, and how long a call waits for a connection while there is none; default 5 s.
    pub response_timeout: Duration,
    /// Connections that the calls share in turn, at least 1; default 4. A cluster has one for each of its nodes.
    pub connections: usize,
    pub(super) cluster: bool,
    pub(super) nodes: Vec<ConnectionInfo>,
    place: String,
}

impl RedisOptions {
    /// Reads an address: `redis://[user:password@]host:port/database`, `rediss://…` for TLS,
    /// `redis+cluster://[user:password@]host1:port,host2:port` and `rediss+cluster://…` for a cluster (any of its
    /// nodes), `unix:///path/to/socket`.
    ///
    /// # Errors
    /// [`StoreError::RedisAddress`], one sentence for the user without the password.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").ok_or_else(|| refused("it has no scheme"))?;
        let (cluster, urls) = match scheme {
            "redis+cluster" | "valkey+cluster" => (true, each_node("redis", rest)?),
            "rediss+cluster" | "valkeys+cluster" => (true, each_node("rediss", rest)?),
            "redis" | "rediss" | "valkey" | "valkeys" | "unix" | "redis+unix" => (false, vec![url.to_owned()]),
            _ => return Err(refused("its scheme is not known")),
        };
        let mut nodes = Vec::with_capacity(urls.len());
        for url in urls {
            // The library's errors name what is wrong, never the text itself.
            let info = url.as_str().into_connection_info().map_err(|error| refused(&reason(&error)))?;
            let redis = info.redis_settings().clone();
            if cluster && redis.db() != 0 {
                return Err(refused("a cluster has no database but 0"));
            }
            nodes.push(info.set_redis_settings(redis.set_protocol(ProtocolVersion::RESP3)));
        }
        Ok(Self::of(cluster, nodes))
    }

    /// A server by the parts of its address: what a worker's `redis_manager` names.
    ///
    /// # Errors
    /// [`StoreError::RedisAddress`], when the host is none.
    pub fn server(
        host: &str,
        port: u16,
        database: u32,
        username: Option<&str>,
        password: Option<&str>,
    ) -> Result<Self, StoreError> {
        if host.trim().is_empty() {
            return Err(refused("it names no host"));
        }
        let info = (host.trim(), port).into_connection_info().map_err(|error| refused(&reason(&error)))?;
        let mut redis = info.redis_settings().clone().set_db(i64::from(database)).set_protocol(ProtocolVersion::RESP3);
        if let Some(username) = username {
            redis = redis.set_username(username);
        }
        if let Some(password) = password {
            redis = redis.set_password(password);
        }
        Ok(Self::of(false, vec![info.set_redis_settings(redis)]))
    }

    fn of(cluster: bool, nodes: Vec<ConnectionInfo>) -> Self {
        let places: Vec<String> = nodes.iter().map(|node| shown(node.addr())).collect();
        Self {
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(5),
            connections: 4,
            cluster,
            nodes,
            place: places.join(","),
        }
    }

    /// Host and port (of a cluster: of all nodes that were named, with commas between).
    pub fn place(&self) -> &str {
        &self.place
    }

    /// True for a cluster.
    pub fn is_cluster(&self) -> bool {
        self.cluster
    }
}

/// One address for each node of a cluster.
fn each_node(scheme: &str, rest: &str) -> Result<Vec<String>, StoreError> {
    let (login, hosts) = match rest.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), rest),
    };
    let (hosts, path) = hosts.split_once('/').unwrap_or((hosts, ""));
    let urls: Vec<String> = hosts
        .split(',')
        .map(str::trim)
        .filter(|host| !host.is_empty())
        .map(|host| format!("{scheme}://{login}{host}/{path}"))
        .collect();
    if urls.is_empty() { Err(refused("it names no host")) } else { Ok(urls) }
}

fn refused(why: &str) -> StoreError {
    StoreError::RedisAddress(format!("the address of the Redis server cannot be used ({why}); {FORMS}"))
}

fn reason(error: &redis::RedisError) -> String {
    let text = error.to_string();
    text.split(" - ").next().unwrap_or_default().to_owned()
}

fn shown(addr: &ConnectionAddr) -> String {
    match addr {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } if host.contains(':') => {
            format!("[{host}]:{port}")
        }
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => format!("{host}:{port}"),
        ConnectionAddr::Unix(path) => path.display().to_string(),
        _ => "an unknown place".to_owned(),
    }
}

impl fmt::Display for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tls = self.nodes.iter().any(|node| matches!(node.addr(), ConnectionAddr::TcpTls { .. }));
        let unix = self.nodes.iter().any(|node| matches!(node.addr(), ConnectionAddr::Unix(_)));
        let scheme = match (unix, tls, self.cluster) {
            (true, ..) => "unix",
            (_, false, false) => "redis",
            (_, true, false) => "rediss",
            (_, false, true) => "redis+cluster",
            (_, true, true) => "rediss+cluster",
        };
        write!(f, "{scheme}://{}", self.place)?;
        match self.nodes.first().map(|node| node.redis_settings().db()) {
            Some(db) if !self.cluster && !unix => write!(f, "/{db}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("address", &self.to_string())
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_without_their_password() {
        for (url, shown, place) in [
            ("redis://127.0.0.1/3", "redis://127.0.0.1:6379/3", "127.0.0.1:6379"),
            ("rediss://user:hunter2@redis.example:7000/1", "rediss://redis.example:7000/1", "redis.example:7000"),
            ("redis://:hunter2@[::1]:7000", "redis://[::1]:7000/0", "[::1]:7000"),
            ("redis+cluster://u:hunter2@a:1,b:2", "redis+cluster://a:1,b:2", "a:1,b:2"),
            ("rediss+cluster://a,b/", "rediss+cluster://a:6379,b:6379", "a:6379,b:6379"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock", "/run/redis.sock"),
        ] {
            let options = RedisOptions::parse(url).expect(url);
            assert_eq!((options.to_string().as_str(), options.place()), (shown, place));
            let debug = format!("{options:?}");
            assert!(debug.contains(shown) && !debug.contains("hunter2"), "{debug}");
        }
        let parts = RedisOptions::server("::1", 7000, 2, Some("u"), Some("h@:/r")).expect("an address");
        assert_eq!(parts.to_string(), "redis://[::1]:7000/2");
        assert_eq!(parts.nodes[0].redis_settings().password(), Some("h@:/r"));
        assert!(RedisOptions::server(" ", 1, 0, None, None).is_err());
        let login = RedisOptions::parse("redis+cluster://u:hun%40ter@a:1,b:2").expect("reads");
        assert_eq!(login.nodes.len(), 2);
        for node in &login.nodes {
            assert_eq!(node.redis_settings().username(), Some("u"));
            assert_eq!(node.redis_settings().password(), Some("hun@ter"));
        }
    }

    #[test]
    fn bad_addresses_give_a_sentence_without_the_password() {
        for url in [
            "127.0.0.1:6379",
            "http://:hunter2@host",
            "redis://:hunter2@host:99999",
            "redis://:hunter2@host/seven",
            "redis://:hunter2@",
            "redis+cluster://:hunter2@",
            "redis+cluster://:hunter2@a:1,b:2/5",
            "redis+cluster://:hunter2@a:1,b:zz",
            "",
        ] {
            let error = vumi_core::Error::from(RedisOptions::parse(url).expect_err(url));
            assert!(!error.is_temporary());
            let text = error.report();
            assert!(text.starts_with("the address of the Redis server cannot be used ("), "{url}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
