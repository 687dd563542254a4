//! Scripts on disk: bytecode that the engine made here, beside the compiled components.
//!
//! A file's name holds the hash of everything that the bytecode was made of and the hash of the engine that made it, so
//! neither is ever handed what belongs to another. As with compiled components, only files that this host wrote itself
//! are read, and a damaged one is made again.

use std::sync::Arc;

use super::engine::EnginePre;
use super::instance::Script;
use super::source::{Dialect, ScriptSource};
use super::traces::Traces;
use crate::cache::ComponentCache;

/// The name of a file, for bytecode and for the source map beside it.
fn name(key: &str, engine: &EnginePre, ending: &str) -> String {
    let engine = engine.hash.get(..16).unwrap_or(&engine.hash);
    format!("{key}-{engine}.{ending}")
}

/// The script with this key, if its bytecode is there.
pub(super) fn find(cache: &ComponentCache, engine: &Arc<EnginePre>, key: &str) -> Option<Script> {
    let bytes = cache.read_sealed(&name(key, engine, "script"))?;
    let (dialect, rest) = bytes.split_first()?;
    let dialect = match dialect {
        b'm' => Dialect::Module,
        b'l' => Dialect::Legacy,
        _ => return None,
    };
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (script, bytecode) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let script = std::str::from_utf8(script).ok()?.to_owned();
    let (cache, map) = (cache.clone(), name(key, engine, "map"));
    let traces = Traces::later(&script, move || cache.read_sealed(&map));
    Some(Script { engine: Arc::clone(engine), dialect, bytecode: bytecode.into(), traces: Arc::new(traces) })
}

/// Keeps the bytecode that the engine made of a script, under the script's key.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn keep(
    cache: &ComponentCache,
    engine: &EnginePre,
    key: &str,
    source: &ScriptSource,
    map: Option<&[u8]>,
    bytecode: &[u8],
) -> std::io::Result<()> {
    let mut bytes = vec![if source.dialect == Dialect::Module { b'm' } else { b'l' }];
    let length = u32::try_from(source.name.len()).map_err(std::io::Error::other)?;
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(source.name.as_bytes());
    bytes.extend_from_slice(bytecode);
    if let Some(map) = map {
        cache.keep_sealed(&name(key, engine, "map"), map)?;
    }
    cache.keep_sealed(&name(key, engine, "script"), &bytes)
}
