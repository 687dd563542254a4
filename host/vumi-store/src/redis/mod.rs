//! [`RedisStore`]: the key-value store and the collections in a Redis server, a Redis cluster, or their twin Valkey.
//!
//! Everything has the layout that Vumi gave it: texts are Redis strings, hashes are Redis hashes, and so on, so that data
//! of a running Vumi are read and continued. What Redis cannot do in one command is a script (`scripts/`), which Redis
//! runs as one step.
//!
//! Expiry is Redis' own, by its clock.

mod call;
mod collections;
mod fault;
mod health;
mod kv;
mod link;
mod options;
mod quota;
mod scan;
mod slot;
mod spread;

use std::sync::Arc;

use call::Script;
use link::Link;
pub use options::RedisOptions;

/// See the module's text. As [`vumi_core::KvStore`] and as [`vumi_core::Collections`] it has the same keys: a key belongs
/// to one of the two.
///
/// While Redis is away, calls wait for it, for the response timeout at most, then fail with a temporary error that says
/// what is the matter. The log tells each trouble once, and when it is over.
pub struct RedisStore {
    link: Arc<Link>,
    quota: quota::Scripts,
    spread: spread::Scripts,
    apply: Script,
    len: Script,
}

impl RedisStore {
    /// Returns at once; connections are made in the background, and again whenever they break.
    pub fn open(options: RedisOptions) -> Arc<Self> {
        let link = Arc::new(Link::new(options));
        link.start();
        Arc::new(Self {
            link,
            quota: quota::Scripts::new(),
            spread: spread::Scripts::new(),
            apply: Script::new(include_str!("scripts/apply.lua")),
            len: Script::new(include_str!("scripts/len.lua")),
        })
    }

    /// Whether there are connections now.
    pub fn is_connected(&self) -> bool {
        self.link.is_connected()
    }

    /// What the store was opened with.
    pub fn options(&self) -> &RedisOptions {
        &self.link.options
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.link.close();
    }
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore")
            .field("address", &self.link.options.to_string())
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
