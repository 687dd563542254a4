//! Tests of the whole way from a text to a configuration.

mod fuzz;
mod good;
mod include;
mod js;
mod manual;
mod mistakes;
mod secrets;
mod worker;

use std::path::Path;

use tempfile::TempDir;

use super::{ConfigError, SystemConfig};

/// A folder with the components that the tests name.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["echo.wasm", "audit.wasm"] {
        std::fs::write(folder.path().join(name), b"\0asm").unwrap();
    }
    folder
}

/// The environment of the tests.
fn env(name: &str) -> Option<String> {
    match name {
        "PORT" => Some("9011".to_owned()),
        "EMPTY" => Some(String::new()),
        "SECRET" => Some("hunter2hunter2hunter2".to_owned()),
        "SHORT" => Some("k9".to_owned()),
        _ => None,
    }
}

fn read_in(folder: &Path, yaml: &str) -> Result<SystemConfig, ConfigError> {
    super::from_text(yaml, &folder.join("vumi.yaml").to_string_lossy(), &env)
}

fn read(yaml: &str) -> Result<SystemConfig, ConfigError> {
    read_in(folder().path(), yaml)
}

/// What the user sees, with file names as if the folder were the current one.
fn shown(yaml: &str) -> String {
    let folder = folder();
    let error = match read_in(folder.path(), yaml) {
        Ok(config) => format!("no mistake; warnings: {:?}", config.warnings),
        Err(error) => error.to_string(),
    };
    error.replace(&format!("{}/", folder.path().display()), "")
}

/// A context in memory.
fn context() -> vumi_core::Context {
    use std::sync::Arc;

    use vumi_core::{Keyspace, Keyspaces, RedisManager, Result, SystemClock};

    struct InMemory;
    impl Keyspaces for InMemory {
        fn open(&self, _: &RedisManager) -> Result<Keyspace> {
            let clock = Arc::new(SystemClock);
            let kv = vumi_store::kv_in_memory(vumi_store::MemoryBounds::default(), clock.clone());
            Ok(Keyspace::new(kv, vumi_store::collections_in_memory(clock)))
        }
    }
    vumi_core::Context {
        name: "test".to_owned(),
        system_id: "global".to_owned(),
        broker: vumi_broker::EmbeddedBroker::in_memory(vumi_broker::BrokerOptions::default()),
        keyspaces: Arc::new(InMemory),
        store: vumi_store::store_in_memory().unwrap(),
        feed: vumi_core::Feed::default(),
        clock: Arc::new(SystemClock),
        guests: Arc::new(vumi_core::NoGuests),
        bindings: vumi_core::bindings::no_bindings(),
    }
}
