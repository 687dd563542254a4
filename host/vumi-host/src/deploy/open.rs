//! Putting together what deployed apps need, from the configuration and the rest of the system.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use vumi_core::{BindingTable, Catalog, Error, Recordings, Result};
use vumi_sandbox::{CompileLimits, Compiler, ComponentCache, Library};

use super::roster::{Ground, Roster};
use super::{CatalogOrigin, Deployed};
use crate::config::SystemConfig;
use crate::seal::Sealer;

/// Name of the key file within a data directory.
const KEY_FILE: &str = "secrets.key";

/// The command of this program that compiles one component.
const COMPILE: &str = "compile-component";

/// What [`open`] puts together.
pub(crate) struct Parts<'a> {
    pub(crate) config: &'a SystemConfig,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) recordings: Arc<dyn Recordings>,
    pub(crate) cache: ComponentCache,
    /// This program, to compile in; `None` compiles in this process.
    pub(crate) program: Option<PathBuf>,
    pub(crate) ground: Ground,
    pub(crate) table: watch::Sender<Arc<BindingTable>>,
}

/// Makes deployed apps possible. None is started yet.
///
/// # Errors
/// When the key of the secrets cannot be read or made, or there is no folder for compiled components.
pub(crate) fn open(parts: Parts<'_>) -> Result<Arc<Deployed>> {
    let Parts { config, catalog, recordings, cache, program, ground, table } = parts;
    let limits = compile_limits(config);
    let compiler = match program {
        Some(program) => Compiler::in_child(program, arguments(limits), limits),
        None => Compiler::here(),
    };
    let cache = if cache.keeps() { cache } else { private_cache()? };
    let origin = Arc::new(CatalogOrigin(Arc::clone(&catalog)));
    let library = Library::new(&ground.sandbox, cache, compiler, origin, config.deploy.memory.0);
    Ok(Arc::new(Deployed {
        catalog,
        recordings,
        library,
        sealer: sealer(config)?,
        roster: Arc::new(Roster::new(ground, table)),
        taken: taken(config),
        turn: tokio::sync::Mutex::new(()),
    }))
}

/// Names that a deployed app cannot have, because their queues are somebody else's. A name that a dispatcher exposes
/// waits for an app to have it.
fn taken(config: &SystemConfig) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    for (name, app) in &config.apps {
        taken.extend([name.clone(), app.connector(name).to_owned()]);
    }
    for (name, transport) in &config.transports {
        taken.extend([Some(name.clone()), transport.shared.transport_name.clone()].into_iter().flatten());
    }
    for (name, dispatcher) in &config.dispatchers {
        taken.insert(name.clone());
        taken.extend(dispatcher.shared.transport_names.iter().cloned());
    }
    taken
}

fn sealer(config: &SystemConfig) -> Result<Sealer> {
    let path = match (&config.deploy.secrets_key, &config.data_dir) {
        (Some(path), _) => PathBuf::from(path),
        (None, Some(folder)) => folder.join(KEY_FILE),
        // Nothing outlives the process, so the key need not either.
        (None, None) => return Ok(Sealer::in_memory()?),
    };
    Ok(Sealer::open(Path::new(&path))?)
}

/// Without a data directory and without a home there is still a folder that only this user can write to.
fn private_cache() -> Result<ComponentCache> {
    let user = rustix::process::geteuid().as_raw();
    let folder = std::env::temp_dir().join(format!("vumi-host-{user}")).join("components");
    ComponentCache::at(&folder).map_err(|error| Error::permanent(error.to_string()))
}

fn compile_limits(config: &SystemConfig) -> CompileLimits {
    CompileLimits {
        cpu_s: config.deploy.compile_cpu.max(1),
        memory: config.deploy.compile_memory.0,
        wall: Duration::from_secs(config.deploy.compile_timeout.max(1)),
    }
}

/// The limits as the command's arguments.
fn arguments(limits: CompileLimits) -> Vec<String> {
    let (cpu, memory) = (limits.cpu_s.to_string(), limits.memory.to_string());
    vec![COMPILE.to_owned(), "--cpu".to_owned(), cpu, "--memory".to_owned(), memory]
}
