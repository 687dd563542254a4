//! From a script to its bytecode: the engine does that itself, in an instance of its own and under limits. Nothing of the
//! script runs on the way.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vumi_bindings::script_engine::exports::vumi::app::script as wit;
use vumi_core::{ByteSize, Outcome};
use wasmtime::Store;

use super::cache;
use super::engine::EnginePre;
use super::instance::Script;
use super::source::{Dialect, ScriptSource};
use super::source_map;
use super::traces::Traces;
use crate::app::AppShared;
use crate::cache::{ComponentCache, LoadError, shown};
use crate::engine::Sandbox;
use crate::limits::Limits;
use crate::run::{Began, Entry, beginning};
use crate::state::{Cause, Guest};

/// What making one script's bytecode may take.
const TIMEOUT: Duration = Duration::from_secs(60);

fn limits() -> Limits {
    Limits {
        cpu_ms: 10_000,
        memory: ByteSize::mib(512),
        transfer: ByteSize::mib(64),
        host_calls: 1_000,
        ..Limits::default()
    }
}

/// The call of the engine.
struct Make<'a> {
    engine: &'a EnginePre,
    source: &'a ScriptSource,
}

impl Entry for Make<'_> {
    type Answer = Vec<u8>;

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let instance = self.engine.pre.instantiate_async(&mut *store).await.map_err(beginning)?;
        let source = wit::Source {
            name: self.source.name.clone(),
            code: self.source.code.clone(),
            dialect: self.source.dialect.into(),
            app_context: self.source.app_context.clone(),
        };
        instance.vumi_app_script().call_compile(store, &source).await
    }
}

impl Sandbox {
    /// A script with its bytecode, from the cache where possible. `what` names it in errors.
    ///
    /// # Errors
    /// [`LoadError::Script`] for what is no JavaScript, and see there.
    pub(crate) async fn script(
        &self,
        engine: &Arc<EnginePre>,
        cache: &ComponentCache,
        source: &ScriptSource,
        what: &str,
    ) -> Result<(Script, bool), LoadError> {
        let key = source.key();
        if let Some(found) = cache::find(cache, engine, &key) {
            return Ok((found, true));
        }
        let bytecode = self.bytecode(engine, source, what).await?;
        let map = match &source.source_map {
            Some(map) => Some(map.clone()),
            None if source.dialect == Dialect::Module => source_map::inline(&source.code),
            None => None,
        };
        if cache.keeps()
            && let Err(error) = cache::keep(cache, engine, &key, source, map.as_deref(), &bytecode)
        {
            tracing::warn!("the bytecode of {what} could not be kept: {error}");
        }
        let traces = Traces::later(&source.name, move || map.clone());
        let engine = Arc::clone(engine);
        let script = Script { engine, dialect: source.dialect, bytecode: bytecode.into(), traces: Arc::new(traces) };
        Ok((script, false))
    }

    /// As [`Sandbox::script`], for callers that are not asynchronous: it has a thread and a runtime of its own.
    pub(crate) fn script_now(
        &self,
        engine: &Arc<EnginePre>,
        cache: &ComponentCache,
        source: &ScriptSource,
        what: &str,
    ) -> Result<(Script, bool), LoadError> {
        let failed = |reason: String| LoadError::Unavailable { what: what.to_owned(), reason };
        std::thread::scope(|scope| {
            let work = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.map_err(|error| failed(error.to_string()))?;
                runtime.block_on(self.script(engine, cache, source, what))
            });
            work.join().unwrap_or_else(|_| Err(failed("the thread that did so ended".to_owned())))
        })
    }

    async fn bytecode(&self, engine: &EnginePre, source: &ScriptSource, what: &str) -> Result<Vec<u8>, LoadError> {
        let shared = Arc::new(AppShared::nowhere("compile", limits(), TIMEOUT));
        let _place = self.place().await;
        let first = self.turns().first(&shared.account).await;
        let began = Began::now();
        let guest = Guest::new(Arc::clone(&shared), Cause::Event { id: "compile".to_owned() }, began.clock + TIMEOUT);
        let mut store = shared.open(self, guest);
        let ended = shared.enter(&mut store, Make { engine, source }, &began, self.turns(), first).await;
        let Some(stop) = ended.stop else { return Ok(ended.answer.unwrap_or_default()) };
        let what = what.to_owned();
        Err(match stop.outcome {
            Outcome::HandlerError => LoadError::Script { what, reason: shown(&stop.sentence) },
            Outcome::HostFault | Outcome::Instantiate => LoadError::Unavailable { what, reason: stop.sentence },
            _ => LoadError::TooCostly { what, reason: stop.sentence },
        })
    }
}

/// The source map beside a file: `app.mjs.map` for `app.mjs`.
pub(crate) fn map_beside(path: &Path) -> Option<Vec<u8>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".map");
    let file = std::fs::File::open(name).ok()?;
    let mut map = Vec::new();
    let bound = source_map::MAX_MAP.saturating_add(1) as u64;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, bound), &mut map).ok()?;
    (map.len() <= source_map::MAX_MAP).then_some(map)
}
