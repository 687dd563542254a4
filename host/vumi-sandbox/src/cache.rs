//! Components, compiled once.
//!
//! What Cranelift made of a component is kept in a folder, under a name made of the hash of the component's bytes
//! and of everything that the code depends on (engine version, settings, processor features). The next start maps
//! that file instead of compiling. Machine code from a file runs with the host's rights, so the folder must belong
//! to the host alone, and only files that the host wrote itself are ever read.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::logbook::printable;
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Largest component that is taken.
pub const MAX_COMPONENT: u64 = 256 << 20;

/// Why a component could not be loaded; each is one sentence for the app's owner.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file is not there or cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Larger than [`MAX_COMPONENT`].
    #[error("{what}: has {bytes} bytes, at most {MAX_COMPONENT} are taken")]
    TooLarge {
        /// The file.
        what: String,
        /// Its size.
        bytes: u64,
    },
    /// Neither a component nor anything else of WebAssembly.
    #[error("{what}: is not WebAssembly (it does not begin with the bytes \\0asm)")]
    NotWasm {
        /// The file.
        what: String,
    },
    /// A script that is no text.
    #[error("{what}: is not a script: it is no UTF-8 text")]
    NotText {
        /// The file.
        what: String,
    },
    /// A script that is larger than any.
    #[error("{what}: has {bytes} bytes, a script has at most 16 MiB")]
    ScriptTooLarge {
        /// The file.
        what: String,
        /// Its size.
        bytes: u64,
    },
    /// A script that the engine cannot read.
    #[error("{what}: is no JavaScript that can be run: {reason}")]
    Script {
        /// The file.
        what: String,
        /// What the engine says, and where.
        reason: String,
    },
    /// A script, and nothing to run it.
    #[error(
        "{what}: needs the script engine, which cannot be used ({reason}): run `cargo xtask engine`, or put \
         script-engine.wasm beside vumi-host"
    )]
    NoScriptEngine {
        /// The script.
        what: String,
        /// Why.
        reason: String,
    },
    /// A module of the core language.
    #[error(
        "{what}: is a core WebAssembly module, not a component; build it with `cargo build --target wasm32-wasip2`"
    )]
    NotAComponent {
        /// The file.
        what: String,
    },
    /// Broken, or uses features that are switched off.
    #[error("{what}: is not a valid component: {reason}")]
    Invalid {
        /// The file.
        what: String,
        /// What the validator says.
        reason: String,
    },
    /// Imports that nobody offers.
    #[error("{what}: imports `{import}`, which this host does not offer; it offers vumi:app@0.1.0 and WASI 0.2")]
    UnknownImport {
        /// The file.
        what: String,
        /// The first such import.
        import: String,
    },
    /// Does not fit the world in some other way.
    #[error("{what}: does not fit the world vumi:app/{world}@0.1.0: {reason}")]
    WrongWorld {
        /// The file.
        what: String,
        /// The world that it should have: `app`, `router` or `middleware`.
        world: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Compiling it would take more than is allowed.
    #[error("{what}: is refused: {reason}; split it up, or build it with less code in one function")]
    TooCostly {
        /// The component.
        what: String,
        /// Which limit it met.
        reason: String,
    },
    /// The host could not do its part.
    #[error("{what}: cannot be made ready: {reason}")]
    Unavailable {
        /// The component.
        what: String,
        /// Why.
        reason: String,
    },
    /// The cache folder cannot be used.
    #[error("the component cache {path} cannot be used: {reason}")]
    Cache {
        /// The folder.
        path: PathBuf,
        /// Why, and how to mend it.
        reason: String,
    },
}

/// A compiled component.
pub struct Compiled {
    pub(crate) component: Component,
    /// SHA-256 of the component's bytes, in hexadecimal.
    pub hash: String,
    /// Whether it came from the cache.
    pub from_cache: bool,
    /// Size of the component, in bytes.
    pub bytes: u64,
}

/// Where compiled components are kept.
#[derive(Clone, Debug)]
pub struct ComponentCache {
    folder: Option<PathBuf>,
}

impl ComponentCache {
    /// A cache that keeps nothing.
    pub fn none() -> Self {
        Self { folder: None }
    }

    /// Whether it keeps anything.
    pub fn keeps(&self) -> bool {
        self.folder.is_some()
    }

    /// A cache in a folder, which is made if need be.
    ///
    /// # Errors
    /// When the folder cannot be made, or others may write to it.
    pub fn at(folder: &Path) -> Result<Self, LoadError> {
        let cache_error = |reason: String| LoadError::Cache { path: folder.to_owned(), reason };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| cache_error(error.to_string()))?;
        let found = fs::metadata(folder).map_err(|error| cache_error(error.to_string()))?;
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(cache_error("it belongs to another user; choose another folder".into()));
        }
        if found.mode() & 0o022 != 0 {
            return Err(cache_error("others may write to it; run `chmod go-w` on it".into()));
        }
        Ok(Self { folder: Some(folder.to_owned()) })
    }

    /// Loads a component from its file, from the cache where possible. Compiles on the calling thread, which can
    /// take seconds.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load_file(&self, engine: &Engine, path: &Path) -> Result<Compiled, LoadError> {
        self.load(engine, &read_file(path)?, &path.display().to_string())
    }

    /// Loads a component from its bytes; `what` names it in errors.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, engine: &Engine, bytes: &[u8], what: &str) -> Result<Compiled, LoadError> {
        check_header(bytes, what)?;
        let hash = hex(&Sha256::digest(bytes));
        let file = self.file(engine, &hash);
        let size = bytes.len() as u64;
        if let Some((component, _)) = file.as_deref().and_then(|file| map_file(engine, file)) {
            return Ok(Compiled { component, hash, from_cache: true, bytes: size });
        }
        let component = Component::new(engine, bytes)
            .map_err(|error| LoadError::Invalid { what: what.to_owned(), reason: one_line(&error) })?;
        if let Some(file) = file
            && let Err(error) = component.serialize().map_err(std::io::Error::other).and_then(|code| keep(&code, &file))
        {
            tracing::warn!(file = %file.display(), "the compiled component could not be kept: {error}");
        }
        Ok(Compiled { component, hash, from_cache: false, bytes: size })
    }

    /// What this host kept under this name, unless it is not there or cannot be trusted.
    pub(crate) fn read_sealed(&self, name: &str) -> Option<Vec<u8>> {
        let file = self.folder.as_ref()?.join(name);
        let found = fs::symlink_metadata(&file).ok()?;
        if !is_mine(&file, &found) {
            return None;
        }
        let mut bytes = fs::read(&file).ok()?;
        let (content, seal) = bytes.split_last_chunk::<SEAL_LENGTH>()?;
        if *seal != seal_of(content) {
            tracing::warn!(file = %file.display(), "a file of the component cache is damaged and not used");
            return None;
        }
        bytes.truncate(content.len());
        Some(bytes)
    }

    /// Keeps something that this host made itself.
    pub(crate) fn keep_sealed(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        match &self.folder {
            Some(folder) => keep(bytes, &folder.join(name)),
            None => Ok(()),
        }
    }

    fn file(&self, engine: &Engine, hash: &str) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(format!("{hash}-{:016x}.cwasm", engine_hash(engine))))
    }

    /// Keeps machine code that this host's own compiler made.
    pub(crate) fn keep_code(&self, engine: &Engine, hash: &str, code: &[u8]) -> Result<(), LoadError> {
        let Some(file) = self.file(engine, hash) else {
            return Err(LoadError::Cache { path: PathBuf::new(), reason: "there is no folder for it".into() });
        };
        keep(code, &file).map_err(|error| LoadError::Cache { path: file, reason: error.to_string() })
    }

    /// Maps the compiled form of a component whose bytes are `bytes` long; the number is the size of its file. `None`
    /// when it is not there or cannot be used.
    pub(crate) fn map(&self, engine: &Engine, hash: &str, bytes: u64) -> Option<(Compiled, u64)> {
        let file = self.file(engine, hash).filter(|file| file.exists())?;
        let (component, size) = map_file(engine, &file)?;
        Some((Compiled { component, hash: hash.to_owned(), from_cache: true, bytes }, size))
    }
}

/// Reads a file that may be a component.
///
/// # Errors
/// When it cannot be read or is too large.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    let read_error = |source| LoadError::Read { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(read_error)?.len();
    if size > MAX_COMPONENT {
        return Err(LoadError::TooLarge { what: path.display().to_string(), bytes: size });
    }
    fs::read(path).map_err(read_error)
}

/// The first eight bytes tell what a file is, better than any later error.
pub(crate) fn check_header(bytes: &[u8], what: &str) -> Result<(), LoadError> {
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => Err(LoadError::NotAComponent { what: what.to_owned() }),
        Some([0, b'a', b's', b'm', ..]) => Ok(()),
        _ => Err(LoadError::NotWasm { what: what.to_owned() }),
    }
}

fn engine_hash(engine: &Engine) -> u64 {
    // DefaultHasher is stable for one compiler; another compiler only means compiling once more.
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

/// Ends every file: that it is whole, and a checksum of what stands before.
const SEAL: &[u8; 8] = b"vumicrc1";

/// Length of the seal and the checksum, in bytes.
const SEAL_LENGTH: usize = 12;

/// Whether a file is as it was written. Machine code is not looked at by the engine: a bit that a disk lost would
/// otherwise run.
fn is_whole(file: &Path) -> std::io::Result<bool> {
    let bytes = fs::read(file)?;
    let Some((code, seal)) = bytes.split_last_chunk::<SEAL_LENGTH>() else { return Ok(false) };
    Ok(*seal == seal_of(code))
}

fn seal_of(code: &[u8]) -> [u8; SEAL_LENGTH] {
    let mut seal = [0; SEAL_LENGTH];
    let (name, sum) = seal.split_at_mut(SEAL.len());
    name.copy_from_slice(SEAL);
    sum.copy_from_slice(&crc32fast::hash(code).to_le_bytes());
    seal
}

/// Whether nobody but this user can have written a file.
fn is_mine(file: &Path, found: &fs::Metadata) -> bool {
    let mine = found.is_file() && found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0;
    if !mine {
        tracing::warn!(file = %file.display(), "a compiled component that others could have written is not used");
    }
    mine
}

/// Maps a compiled component; the number is the size of its file. Whatever is wrong with the file, the answer is to
/// compile again.
fn map_file(engine: &Engine, file: &Path) -> Option<(Component, u64)> {
    let found = fs::symlink_metadata(file).ok()?;
    if !is_mine(file, &found) {
        return None;
    }
    match is_whole(file) {
        Ok(true) => {}
        Ok(false) => {
            tracing::warn!(file = %file.display(), "a compiled component is damaged and not used");
            return None;
        }
        Err(error) => {
            tracing::warn!(file = %file.display(), "a compiled component cannot be read: {error}");
            return None;
        }
    }
    // SAFETY: the engine trusts such a file as it trusts its own code. It lies in a folder that only this user may
    // write to (checked when the cache was opened), is a plain file of this user that nobody else may write to
    // (checked above), was put there whole by `keep`, through a rename, and is as it was then (checked above). The
    // engine checks its own version and settings in the file's header.
    #[allow(unsafe_code)]
    let mapped = unsafe { Component::deserialize_file(engine, file) };
    mapped
        .map(|component| (component, found.len()))
        .map_err(|error| tracing::warn!(file = %file.display(), "a compiled component is not used: {error:#}"))
        .ok()
}

/// How often this process has kept a component.
static WRITERS: AtomicU64 = AtomicU64::new(0);

/// Writes beside the place and renames, so that a reader sees all of it or nothing.
fn keep(code: &[u8], file: &Path) -> std::io::Result<()> {
    // A name of its own for each writer, other threads of this process included.
    let number = WRITERS.fetch_add(1, Ordering::Relaxed);
    let beside = file.with_extension(format!("{}.{number}.part", std::process::id()));
    let written =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside).and_then(|mut out| {
            out.write_all(code).and_then(|()| out.write_all(&seal_of(code))).and_then(|()| out.sync_all())
        });
    let kept = written.and_then(|()| fs::rename(&beside, file));
    if kept.is_err() {
        let _ = fs::remove_file(&beside);
    }
    kept
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An engine's error with its causes, on one line.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    shown(&format!("{error:#}"))
}

/// Longest sentence that holds words of a component, in bytes.
const MAX_SENTENCE: usize = 2 << 10;

/// A text that may hold what the component's author wrote (names of functions, of imports): on one line, of bounded
/// length, without control characters.
pub(crate) fn shown(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" "), MAX_SENTENCE)
}
