//! `vumi-host worker`: the options and files of a Vumi worker become a system of one worker.
//!
//! Vumi started each worker with a class, a file of its keys and options for the broker (specification: workers,
//! section 1). Here those become the same tree as a configuration file's, and from there on everything is the same. What
//! Vumi allowed and a configuration file does not is settled on the way: keys in any order, keys that the class does
//! not have (ignored, with a warning), flags and numbers written as text.

mod class;
mod core;
mod keys;
mod managers;
mod multi;
mod tree;
mod words;

use std::path::PathBuf;
use std::rc::Rc;

use vumi_admin::{AdminOptions, Secret};

use super::backend::{EngineUrl, KvChoice};
use super::error::ConfigError;
use super::yaml::{Fault, Mark, Node};
use super::{Document, SystemConfig};

pub(crate) use class::describe;
use core::Core;
pub(crate) use core::redis_url;
use tree::{entry, map, text};

/// What the command line gives.
#[derive(Clone, Debug, Default)]
pub struct WorkerOptions {
    /// `--worker-class`
    pub worker_class: Option<String>,
    /// `--worker_class`, the old spelling.
    pub old_worker_class: Option<String>,
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--set-option`, in order, split at the first colon.
    pub set_options: Vec<(String, String)>,
    /// `--vumi-config`
    pub vumi_config: Option<PathBuf>,
    /// `--hostname`
    pub hostname: Option<String>,
    /// `--port`
    pub port: Option<u16>,
    /// `--username`
    pub username: Option<String>,
    /// `--password`
    pub password: Option<Secret>,
    /// `--vhost`
    pub vhost: Option<String>,
    /// `--system-id`
    pub system_id: Option<String>,
    /// `--kv`: where keys are kept; the worker's `redis_manager` unless given.
    pub kv: Option<String>,
    /// `--admin`: where dashboard and API listen; nowhere unless given.
    pub admin: Option<std::net::SocketAddr>,
    /// Keeps `!include` within the folder of the file.
    pub confined: bool,
    /// Options that are taken for Vumi's sake and mean nothing here.
    pub ignored: Vec<&'static str>,
}

/// The system of one worker.
///
/// # Errors
/// All mistakes that could be found at once.
pub fn for_worker(options: &WorkerOptions, env: &dyn Fn(&str) -> Option<String>) -> Result<SystemConfig, ConfigError> {
    let mut warnings: Vec<String> =
        options.ignored.iter().map(|option| format!("{option} means nothing here and is ignored")).collect();
    let class = match (&options.worker_class, &options.old_worker_class) {
        (Some(class), _) => class,
        (None, Some(class)) => {
            warnings.push("--worker_class is an old spelling: write --worker-class".to_owned());
            class
        }
        (None, None) => {
            let help = "for example --worker-class vumi.transports.telnet.TelnetServerTransport";
            return Err(ConfigError::file("vumi-host worker", "please specify --worker-class".to_owned(), help));
        }
    };
    let core = Core::read(options, env, &mut warnings)?;
    let mut document = match &options.config {
        Some(path) => Document::open(path, "the worker's configuration")?,
        None => Document::new("--set-option", ""),
    };
    if options.confined {
        document.confine();
    }
    // Otherwise all keys are kept in one place, whatever the worker's keys say.
    let servers = options.kv.is_none() && env("FAKE_REDIS").is_none();
    let mut found = Found::default();
    let shape = |tree: &Rc<Node>| {
        let keys = managers::settled(&overlaid(tree, &options.set_options)?, servers);
        found = if multi::is_multi(class) {
            multi::children(&keys, env)?
        } else {
            let mut found = Found::default();
            class::place(class, None, &keys, &mut found)?;
            found
        };
        Ok(Rc::new(found.system(&core)))
    };
    let mut config = document.system(env, shape).map_err(|error| words::of_vumi(&error))?;
    if let Some(heartbeat) = core.heartbeat {
        config.amqp.heartbeat = heartbeat;
    }
    match (&options.kv, found.redis) {
        (Some(url), _) => config.kv = KvChoice::Redis(EngineUrl::new(url.as_str())),
        (None, Some((url, prefix))) if servers => {
            config.kv = KvChoice::Redis(EngineUrl::new(url));
            config.redis.key_prefix = prefix;
        }
        _ => {}
    }
    config.admin = options.admin.map(|listen| AdminOptions { listen, token: None });
    if let Some(admin) = &config.admin
        && admin.check().is_err()
    {
        let help = "give an address of this machine alone, such as 127.0.0.1:8080, or use `vumi-host run` with a token";
        let sentence = format!("other machines can reach {}, so a token is required", admin.listen);
        return Err(ConfigError::file("--admin", sentence, help));
    }
    warnings.extend(found.warnings);
    config.warnings.splice(0..0, warnings);
    Ok(config)
}

/// What was found in the worker's keys.
#[derive(Default)]
struct Found {
    /// Section of the system, name, keys.
    workers: Vec<(&'static str, String, Node)>,
    /// The first Redis that a worker names, and its key prefix.
    redis: Option<(String, Option<String>)>,
    warnings: Vec<String>,
}

impl Found {
    /// The tree of a system's file.
    fn system(&self, core: &Core) -> Node {
        let mut entries =
            vec![entry("broker", Mark::START, text(&core.url)), entry("system_id", Mark::START, text(&core.system_id))];
        for section in ["transports", "dispatchers", "apps", "workers"] {
            let inner: Vec<_> = self
                .workers
                .iter()
                .filter(|(of, ..)| *of == section)
                .map(|(_, name, keys)| entry(name, keys.mark, keys.clone()))
                .collect();
            if !inner.is_empty() {
                entries.push(entry(section, Mark::START, map(Mark::START, inner)));
            }
        }
        map(Mark::START, entries)
    }
}

/// The keys of the file, with those of `--set-option` over them.
fn overlaid(tree: &Node, set_options: &[(String, String)]) -> Result<Node, Fault> {
    if !tree.is_nothing() && tree.entries().is_empty() && !tree.is_map() {
        return Err(Fault::says("the worker's configuration is no map").at(tree.mark).help("write `key: value` lines"));
    }
    let mut entries = tree.entries().to_vec();
    for (key, value) in set_options {
        let new = entry(key, Mark::START, text(value));
        match entries.iter_mut().find(|entry| entry.key == *key) {
            Some(old) => old.value = new.value,
            None => entries.push(new),
        }
    }
    Ok(map(tree.mark, entries))
}
