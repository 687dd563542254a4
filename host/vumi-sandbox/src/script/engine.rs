//! The script engine itself: a component that came with the host, compiled when the first script needs it and then
//! shared by all scripts.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use vumi_bindings::script_engine::{ScriptEnginePre, vumi::app::legacy_host};
use wasmtime::component::{HasSelf, Linker};

use crate::cache::{ComponentCache, LoadError, one_line};
use crate::engine::Sandbox;
use crate::state::Guest;

/// What belongs to scripts among what all apps share.
pub(crate) struct Core {
    /// The engine's component.
    path: Option<PathBuf>,
    /// What a guest may use, and what the engine alone may.
    linker: Linker<Guest>,
    made: Mutex<Option<Arc<EnginePre>>>,
}

/// The engine, compiled and ready to be instantiated.
pub(crate) struct EnginePre {
    pub(crate) pre: ScriptEnginePre<Guest>,
    /// SHA-256 of its component, in hexadecimal: bytecode fits the engine that made it and no other.
    pub(crate) hash: String,
}

impl Core {
    /// For an engine in this file. `guests` is the linker of guests, which the engine's own import is added to.
    pub(crate) fn new(path: Option<PathBuf>, guests: &Linker<Guest>) -> wasmtime::Result<Self> {
        let mut linker = guests.clone();
        legacy_host::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest)?;
        Ok(Self { path, linker, made: Mutex::new(None) })
    }

    /// The engine, if it was needed before.
    fn made(&self) -> Option<Arc<EnginePre>> {
        self.made.lock().clone()
    }
}

impl Sandbox {
    /// The script engine. The first call compiles it or takes it from the cache, on the calling thread; `what` names
    /// the script that needs it.
    pub(crate) fn script_engine(&self, cache: &ComponentCache, what: &str) -> Result<Arc<EnginePre>, LoadError> {
        let core = self.scripts();
        let missing = |reason: String| LoadError::NoScriptEngine { what: what.to_owned(), reason };
        // Others that need it meanwhile wait for it.
        let mut made = core.made.lock();
        if let Some(engine) = &*made {
            return Ok(Arc::clone(engine));
        }
        let path = core.path.as_deref().ok_or_else(|| missing("there is none".to_owned()))?;
        let compiled = cache.load_file(self.engine(), path).map_err(|error| missing(error.to_string()))?;
        let ready = core
            .linker
            .instantiate_pre(&compiled.component)
            .and_then(ScriptEnginePre::new)
            .map_err(|error| missing(format!("{} is not of this host: {}", path.display(), one_line(&error))))?;
        let engine = Arc::new(EnginePre { pre: ready, hash: compiled.hash });
        *made = Some(Arc::clone(&engine));
        Ok(engine)
    }

    /// As [`Sandbox::script_engine`], for callers that must not block.
    pub(crate) async fn script_engine_soon(
        self: &Arc<Self>,
        cache: &ComponentCache,
        what: &str,
    ) -> Result<Arc<EnginePre>, LoadError> {
        if let Some(engine) = self.scripts().made() {
            return Ok(engine);
        }
        let (sandbox, cache, name) = (Arc::clone(self), cache.clone(), what.to_owned());
        let work = tokio::task::spawn_blocking(move || sandbox.script_engine(&cache, &name));
        work.await.map_err(|error| LoadError::Unavailable {
            what: what.to_owned(),
            reason: format!("the script engine could not be made ready: {error}"),
        })?
    }
}
