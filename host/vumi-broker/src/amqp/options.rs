//! How to reach RabbitMQ, and what the queues there are like.

use std::path::PathBuf;
use std::time::Duration;

use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::{AMQPScheme, AMQPUri};
use vumi_core::{Error, Result};

use crate::shared::NAME;

/// What kind of queue is declared. It must be the same on every host of a deployment, and fit the queues that exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueType {
    /// As Vumi declares them: durable, without arguments. The only one that can be shared with Vumi's workers.
    #[default]
    Classic,
    /// Replicated on the nodes of a RabbitMQ cluster; for new deployments. RabbitMQ drops none of their messages,
    /// however often it was delivered: giving up is this host's decision.
    Quorum,
}

/// Options of an [`AmqpBroker`](crate::AmqpBroker).
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpOptions {
    /// `amqp://user:password@host:port/vhost`, or `amqps://` for TLS. In the vhost a slash is written `%2F`, so Vumi's
    /// `/develop` is `%2Fdevelop`; without one, it is `/`. User and password are `guest` when they are missing, the
    /// port is 5672 (5671 with TLS).
    pub url: String,
    /// Seconds after which a silent connection counts as lost; 0 takes what RabbitMQ proposes (60). Default 30.
    pub heartbeat_s: u16,
    /// The kind of queue that is declared.
    pub queue_type: QueueType,
    /// Declares queues with a single active consumer: RabbitMQ gives each queue to one host at a time, and to the next
    /// one when that host goes, which keeps the order when several hosts consume a queue. For new deployments, as it
    /// is part of a queue's declaration. Default false.
    pub single_active_consumer: bool,
    /// How long one attempt to connect may take. Default 10 s.
    pub connect_timeout: Duration,
    /// The largest body in bytes; a larger one is refused for good. Default 1 MiB, at most 64 MiB (RabbitMQ itself
    /// refuses bodies beyond its `max_message_size`, 128 MiB at first).
    pub max_body: usize,
    /// Messages published and not yet confirmed that are kept, to be published again after a lost connection; more
    /// have to wait. Default 10 000.
    pub max_unconfirmed: usize,
    /// The same in bytes of bodies. Default 64 MiB.
    pub max_unconfirmed_bytes: usize,
    /// A PEM file with certificates to trust in addition to the system's, for `amqps://`.
    pub ca_file: Option<PathBuf>,
}

const MIB: usize = 1024 * 1024;

/// Bounds above which an option is cut.
const LARGEST_BODY: usize = 64 * MIB;

impl AmqpOptions {
    /// The defaults, for this address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            heartbeat_s: 30,
            queue_type: QueueType::default(),
            single_active_consumer: false,
            connect_timeout: Duration::from_secs(10),
            max_body: MIB,
            max_unconfirmed: 10_000,
            max_unconfirmed_bytes: 64 * MIB,
            ca_file: None,
        }
    }
}

impl std::fmt::Debug for AmqpOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AmqpOptions")
            .field("url", &"(not shown: it holds the password)")
            .field("heartbeat_s", &self.heartbeat_s)
            .field("queue_type", &self.queue_type)
            .field("single_active_consumer", &self.single_active_consumer)
            .finish_non_exhaustive()
    }
}

/// The options, checked.
pub(crate) struct Plan {
    pub(crate) uri: AMQPUri,
    pub(crate) connect_timeout: Duration,
    /// PEM text.
    pub(crate) trusted: Option<String>,
    pub(crate) queue_type: QueueType,
    pub(crate) single_active_consumer: bool,
    pub(crate) max_body: usize,
    pub(crate) max_unconfirmed: usize,
    pub(crate) max_unconfirmed_bytes: usize,
}

impl Plan {
    /// # Errors
    /// One sentence about the first option that cannot be used.
    pub(crate) fn of(options: &AmqpOptions) -> Result<Self> {
        let mut uri = parse(&options.url)?;
        uri.query.heartbeat = Some(options.heartbeat_s);
        let trusted = match &options.ca_file {
            None => None,
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                Error::permanent(format!(
                    "{}: the certificates for RabbitMQ cannot be read ({error}); name a PEM file",
                    path.display()
                ))
            })?),
        };
        if trusted.as_ref().is_some_and(|pem| !pem.contains("-----BEGIN CERTIFICATE-----")) {
            let path = options.ca_file.clone().unwrap_or_default();
            return Err(Error::permanent(format!("{}: holds no certificate; name a PEM file", path.display())));
        }
        Ok(Self {
            uri,
            connect_timeout: options.connect_timeout.max(Duration::from_millis(100)),
            trusted,
            queue_type: options.queue_type,
            single_active_consumer: options.single_active_consumer,
            max_body: options.max_body.clamp(1, LARGEST_BODY),
            max_unconfirmed: options.max_unconfirmed.clamp(1, 1_000_000),
            max_unconfirmed_bytes: options.max_unconfirmed_bytes.clamp(1, 4096 * MIB),
        })
    }

    /// Where RabbitMQ is, for sentences; without the password.
    pub(crate) fn place(&self) -> String {
        let authority = &self.uri.authority;
        let host = if authority.host.contains(':') { format!("[{}]", authority.host) } else { authority.host.clone() };
        format!("RabbitMQ at {host}:{} (vhost `{}`)", authority.port, self.uri.vhost)
    }

    /// The arguments with which a queue is declared, by consumers and publishers alike.
    pub(crate) fn arguments(&self, queue: &str) -> FieldTable {
        let mut arguments = FieldTable::default();
        if self.queue_type == QueueType::Quorum {
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            // RabbitMQ 4 drops a message from a quorum queue at its 21st delivery, if nothing is said here. Looking at
            // dead letters delivers each of them, too.
            arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(1_000_000_000));
        }
        // Dead letters have no consumer whose order could matter; they are looked at from several hosts.
        if self.single_active_consumer && !queue.ends_with(".dead") {
            arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
        }
        arguments
    }
}

/// The address. No text of the parser is passed on: it may hold the password.
fn parse(url: &str) -> Result<AMQPUri> {
    let refuse = |why: &str| {
        Error::permanent(format!(
            "the broker address {why}: write amqp://user:password@host:5672/vhost (or amqps://), with %2F for a slash in \
             the vhost and percent escapes in the password"
        ))
    };
    if !url.starts_with("amqp://") && !url.starts_with("amqps://") {
        return Err(refuse("does not begin with amqp:// or amqps://"));
    }
    let mut uri: AMQPUri = url.parse().map_err(|_| refuse("cannot be read"))?;
    // The parser falls back to `localhost` for an IPv6 address.
    let authority = url.split_once("://").map_or("", |(_, rest)| rest).split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if let Some((inside, _)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        uri.authority.host = inside.to_owned();
    }
    if host.is_empty() || host.starts_with(':') {
        return Err(refuse("names no host"));
    }
    // `amqp://host/` would be the vhost with the empty name, which nobody has; the slash is just there.
    if uri.vhost.is_empty() {
        uri.vhost = "/".to_owned();
    }
    // Names are short strings in AMQP.
    if uri.vhost.len() > NAME {
        return Err(refuse("has a vhost of more than 255 bytes"));
    }
    if uri.authority.userinfo.username.len() > NAME {
        return Err(refuse("has a user of more than 255 bytes"));
    }
    if uri.scheme != AMQPScheme::AMQP && uri.scheme != AMQPScheme::AMQPS {
        return Err(refuse("has an unknown scheme"));
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(url: &str) -> Result<Plan> {
        Plan::of(&AmqpOptions::new(url))
    }

    #[test]
    fn addresses() {
        let told = |url: &str| plan(url).map(|plan| plan.place()).unwrap();
        assert_eq!(told("amqp://u:p@h:1234/%2Fdevelop"), "RabbitMQ at h:1234 (vhost `/develop`)");
        assert_eq!(told("amqp://h"), "RabbitMQ at h:5672 (vhost `/`)");
        assert_eq!(told("amqps://h/"), "RabbitMQ at h:5671 (vhost `/`)");
        assert_eq!(told("amqp://u:p@[::1]:5673/v"), "RabbitMQ at [::1]:5673 (vhost `v`)");
        assert_eq!(told("amqp://127.0.0.1:5672/v"), "RabbitMQ at 127.0.0.1:5672 (vhost `v`)");
        let uri = plan("amqp://u:p%40%2F@h/v").unwrap().uri;
        assert_eq!(uri.authority.userinfo.password, "p@/");
        assert_eq!(uri.query.heartbeat, Some(30));
    }

    #[test]
    fn bad_addresses_are_refused_without_the_password() {
        let long = format!("amqp://u:secret@h/{}", "v".repeat(256));
        for url in ["", "h:5672", "http://u:secret@h/", "amqp:u:secret@h", "amqp://u:secret@h:x/", &long] {
            let error = plan(url).map(|plan| plan.place()).unwrap_err();
            assert!(!error.is_temporary());
            let report = error.report();
            assert!(report.contains("amqp://user:password@host:5672/vhost") && !report.contains("secret"), "{report}");
        }
        let options = AmqpOptions::new("amqp://u:secret@h/v");
        assert!(!format!("{options:?}").contains("secret"));
    }

    #[test]
    fn certificates_are_looked_at_when_the_broker_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        let options = AmqpOptions { ca_file: Some(path.clone()), ..AmqpOptions::new("amqps://h/") };
        let error = Plan::of(&options).map(|plan| plan.place()).unwrap_err();
        assert!(error.to_string().contains("ca.pem: the certificates for RabbitMQ cannot be read"), "{error}");
        std::fs::write(&path, "hello").unwrap();
        let error = Plan::of(&options).map(|plan| plan.place()).unwrap_err();
        assert!(error.to_string().ends_with("ca.pem: holds no certificate; name a PEM file"), "{error}");
    }

    #[test]
    fn arguments_of_queues() {
        let classic = plan("amqp://h").unwrap();
        assert_eq!(classic.arguments("a.inbound"), FieldTable::default(), "as Vumi declares them");
        let options =
            AmqpOptions { queue_type: QueueType::Quorum, single_active_consumer: true, ..AmqpOptions::new("amqp://h") };
        let quorum = Plan::of(&options).unwrap();
        assert!(quorum.arguments("a.inbound").contains_key("x-single-active-consumer"));
        assert!(!quorum.arguments("a.inbound.dead").contains_key("x-single-active-consumer"));
        assert!(quorum.arguments("a.inbound.dead").contains_key("x-queue-type"));
    }
}
