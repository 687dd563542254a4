//! One RabbitMQ and one Redis for all tests that only use them.
//!
//! `cargo xtask test` starts both once and names them in the environment; a test that runs without that, as
//! `cargo test` alone does, starts one for its own process, which goes with the process.

use std::env;
use std::sync::OnceLock;

use crate::control::{Control, unique};
use crate::must;
use crate::rabbitmq::RabbitMq;
use crate::redis::{Redis, encode};

/// The RabbitMQ that tests share. Each test takes a [`SharedRabbit::vhost`] of its own, and so never sees another's
/// exchanges and queues.
#[derive(Debug)]
pub struct SharedRabbit {
    /// The URL without the vhost.
    base: String,
    control: Option<Control>,
    _own: Option<RabbitMq>,
}

/// The Redis that tests share. Tests of one database must not share key prefixes.
#[derive(Debug)]
pub struct SharedRedis {
    /// The URL without the database.
    base: String,
    _own: Option<Redis>,
}

/// The server named by `VUMI_TEST_AMQP` (a URL, whose path is ignored) and `VUMI_TEST_AMQP_CONTROL` (what
/// [`RabbitMq::control`] gives), or else one started for this process, once.
#[track_caller]
pub fn shared_rabbitmq() -> &'static SharedRabbit {
    static SHARED: OnceLock<SharedRabbit> = OnceLock::new();
    SHARED.get_or_init(|| match env::var("VUMI_TEST_AMQP") {
        Ok(url) => {
            let control = env::var("VUMI_TEST_AMQP_CONTROL").ok().and_then(|text| Control::parse(&text));
            SharedRabbit { base: without_path(&url), control, _own: None }
        }
        Err(_) => {
            let own = RabbitMq::start();
            SharedRabbit { base: without_path(&own.url("")), control: Control::parse(&own.control()), _own: Some(own) }
        }
    })
}

/// The server named by `VUMI_TEST_REDIS` (a URL, whose path is ignored), or else one started for this process, once.
#[track_caller]
pub fn shared_redis() -> &'static SharedRedis {
    static SHARED: OnceLock<SharedRedis> = OnceLock::new();
    SHARED.get_or_init(|| match env::var("VUMI_TEST_REDIS") {
        Ok(url) => SharedRedis { base: without_path(&url), _own: None },
        Err(_) => {
            let own = Redis::start();
            SharedRedis { base: without_path(&own.url(0)), _own: Some(own) }
        }
    })
}

impl SharedRabbit {
    /// The URL of a vhost whose name is percent-encoded already.
    pub fn url(&self, vhost_encoded: &str) -> String {
        format!("{}/{vhost_encoded}", self.base)
    }

    /// Makes a fresh vhost whose name begins so, and gives its URL. Takes milliseconds.
    #[track_caller]
    pub fn vhost(&self, name: &str) -> String {
        let name = unique(name);
        let control = self.control.as_ref().ok_or_else(|| {
            "VUMI_TEST_AMQP names a server, but VUMI_TEST_AMQP_CONTROL does not say how to make vhosts on it as \
             `<port of its node>:<cookie>`; set it, or set neither and a private server is started"
                .to_owned()
        });
        must(control.and_then(|control| control.add_vhost(&name)));
        self.url(&encode(&name))
    }
}

impl SharedRedis {
    /// The URL of one of its databases.
    pub fn url(&self, db: u32) -> String {
        format!("{}/{db}", self.base)
    }
}

/// A URL as far as the host and port.
fn without_path(url: &str) -> String {
    let start = url.find("://").map_or(0, |place| place + 3);
    let end = url.get(start..).and_then(|rest| rest.find('/')).map_or(url.len(), |place| start + place);
    url.get(..end).unwrap_or(url).to_owned()
}
