//! The library: components of apps that come and go while the host runs.
//!
//! A component that was admitted stays on disk in compiled form. It is mapped into memory when the first message needs
//! it, and dropped again when others need the room: ten thousand apps of which a hundred are busy take the memory of a
//! hundred. Apps with the same component share one copy, on disk and in memory.
//!
//! Which one has to go is decided by a clock: a hand goes round the components in memory and drops the first that has
//! not been used since it came by last. That is nearly as good as dropping the least recently used one, and a run has
//! nothing to write but one flag.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};

use crate::app::LoadedComponent;
use crate::cache::{ComponentCache, LoadError, check_header, hex};
use crate::compile::Compiler;
use crate::engine::Sandbox;
use crate::script::{Runnable, Sniffed};

/// Where the bytes of a component are, for the case that its compiled form is gone.
#[async_trait]
pub trait Origin: Send + Sync + 'static {
    /// The component with this hash.
    ///
    /// # Errors
    /// When it cannot be had now.
    async fn bytes(&self, hash: &str) -> vumi_core::Result<Option<Bytes>>;
}

/// See the module's text.
pub struct Library {
    sandbox: Arc<Sandbox>,
    cache: ComponentCache,
    compiler: Compiler,
    origin: Arc<dyn Origin>,
    /// Bytes that components in memory may take.
    budget: u64,
    known: Mutex<HashMap<String, Weak<Version>>>,
    shelf: Mutex<Shelf>,
    loads: AtomicU64,
    drops: AtomicU64,
}

/// What is in memory.
#[derive(Default)]
struct Shelf {
    ring: Vec<Arc<Version>>,
    hand: usize,
    bytes: u64,
}

/// What a library holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LibraryStats {
    /// Components in memory.
    pub resident: usize,
    /// Bytes that these take, by their size on disk and a fixed share for each.
    pub bytes: u64,
    /// How often a component was brought into memory.
    pub loads: u64,
    /// How often one was dropped.
    pub drops: u64,
}

/// A component that is ready to run, or can be made so.
pub(crate) struct Version {
    pub(crate) hash: String,
    pub(crate) bytes: u64,
    ready: RwLock<Option<Runnable>>,
    used: AtomicBool,
    weight: AtomicU64,
    loading: tokio::sync::Mutex<()>,
    /// Brings it back; `None` for a component that always stays.
    library: Option<Weak<Library>>,
}

impl Version {
    /// One that always stays in memory.
    pub(crate) fn staying(ready: Runnable, hash: String, bytes: u64) -> Self {
        Self { ready: RwLock::new(Some(ready)), ..Self::absent(hash, bytes, None) }
    }

    fn absent(hash: String, bytes: u64, library: Option<Weak<Library>>) -> Self {
        Self {
            hash,
            bytes,
            ready: RwLock::new(None),
            used: AtomicBool::new(true),
            weight: AtomicU64::new(0),
            loading: tokio::sync::Mutex::new(()),
            library,
        }
    }

    /// The component, brought into memory if need be.
    ///
    /// # Errors
    /// One sentence when it cannot be brought.
    pub(crate) async fn ready(self: &Arc<Self>) -> Result<Runnable, String> {
        if let Some(pre) = self.here() {
            return Ok(pre);
        }
        let Some(library) = self.library.as_ref().and_then(Weak::upgrade) else {
            return Err("the host is stopping".into());
        };
        // Others that want it wait here, and find it.
        let _loading = self.loading.lock().await;
        if let Some(pre) = self.here() {
            return Ok(pre);
        }
        library.bring(self).await.map_err(|error| error.to_string())
    }

    fn here(&self) -> Option<Runnable> {
        let pre = self.ready.read().clone();
        // Read first: a flag that every run writes would travel between processors.
        if pre.is_some() && !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        pre
    }
}

impl Library {
    /// A library over a cache folder. `budget` is what components in memory may take, in bytes.
    pub fn new(
        sandbox: &Arc<Sandbox>,
        cache: ComponentCache,
        compiler: Compiler,
        origin: Arc<dyn Origin>,
        budget: u64,
    ) -> Arc<Self> {
        Arc::new(Self {
            sandbox: Arc::clone(sandbox),
            cache,
            compiler,
            origin,
            budget,
            known: Mutex::default(),
            shelf: Mutex::default(),
            loads: AtomicU64::new(0),
            drops: AtomicU64::new(0),
        })
    }

    /// Checks a component from outside, compiles it where it was not yet, and makes it ready.
    ///
    /// # Errors
    /// See [`LoadError`]; `what` names the component in it.
    pub async fn admit(self: &Arc<Self>, component: &Bytes, what: &str) -> Result<LoadedComponent, LoadError> {
        if matches!(Sniffed::of(component, None, what)?, Sniffed::Component) {
            check_header(component, what)?;
        }
        let hash = hex(&Sha256::digest(component));
        let version = self.version(&hash, component.len() as u64);
        let _loading = version.loading.lock().await;
        if version.here().is_none() {
            self.make_ready(&version, Some(component), what).await?;
        }
        Ok(LoadedComponent::new(false, Arc::clone(&version)))
    }

    /// A component that was admitted before. Nothing is read, compiled or mapped until a message needs it.
    pub fn register(self: &Arc<Self>, hash: &str, bytes: u64) -> LoadedComponent {
        LoadedComponent::new(true, self.version(hash, bytes))
    }

    /// What is in memory now.
    pub fn stats(&self) -> LibraryStats {
        let shelf = self.shelf.lock();
        LibraryStats {
            resident: shelf.ring.len(),
            bytes: shelf.bytes,
            loads: self.loads.load(Ordering::Relaxed),
            drops: self.drops.load(Ordering::Relaxed),
        }
    }

    /// The one entry of a hash, shared by all apps that have it.
    fn version(self: &Arc<Self>, hash: &str, bytes: u64) -> Arc<Version> {
        let mut known = self.known.lock();
        if let Some(version) = known.get(hash).and_then(Weak::upgrade) {
            return version;
        }
        let version = Arc::new(Version::absent(hash.to_owned(), bytes, Some(Arc::downgrade(self))));
        known.insert(hash.to_owned(), Arc::downgrade(&version));
        if known.len().is_power_of_two() {
            known.retain(|_, version| version.strong_count() > 0);
        }
        version
    }

    /// Maps the compiled form; compiles it again when it is gone, e.g. after an upgrade of the engine, or damaged.
    async fn bring(&self, version: &Arc<Version>) -> Result<Runnable, LoadError> {
        let began = Instant::now();
        let what = format!("the component {}", version.hash.get(..12).unwrap_or(&version.hash));
        let pre = self.make_ready(version, None, &what).await?;
        metrics::histogram!("vumi_component_load_seconds").record(began.elapsed());
        Ok(pre)
    }

    /// `component` is what the catalog need not be asked for.
    async fn make_ready(
        &self,
        version: &Arc<Version>,
        component: Option<&Bytes>,
        what: &str,
    ) -> Result<Runnable, LoadError> {
        let engine = self.sandbox.engine();
        if let Some((compiled, size)) = self.cache.map(engine, &version.hash, version.bytes) {
            let ready = Runnable::Component(Arc::new(self.sandbox.ready(&compiled, what)?));
            return Ok(self.shelve(version, ready, size));
        }
        let unavailable = |reason: String| LoadError::Unavailable { what: what.to_owned(), reason };
        let component = match component {
            Some(component) => component.clone(),
            None => {
                let found = self.origin.bytes(&version.hash).await.map_err(|error| unavailable(error.report()))?;
                found.ok_or_else(|| unavailable("its bytes are gone".into()))?
            }
        };
        // The text of a script is small; its bytecode is looked for under what it was made of.
        if let Sniffed::Script(source) = Sniffed::of(&component, None, what)? {
            let engine = self.sandbox.script_engine_soon(&self.cache, what).await?;
            let (script, _) = self.sandbox.script(&engine, &self.cache, &source, what).await?;
            return Ok(self.shelve(version, Runnable::Script(Arc::new(script)), 0));
        }
        let code = self.compiler.compile(engine, &component, what).await?;
        self.cache.keep_code(engine, &version.hash, &code)?;
        let found = self.cache.map(engine, &version.hash, version.bytes);
        let (compiled, size) = found.ok_or_else(|| unavailable("its compiled form cannot be read back".into()))?;
        let ready = Runnable::Component(Arc::new(self.sandbox.ready(&compiled, what)?));
        Ok(self.shelve(version, ready, size))
    }

    /// Puts one where runs find it, and drops others for it. `size` is that of its mapped code, in bytes.
    fn shelve(&self, version: &Arc<Version>, ready: Runnable, size: u64) -> Runnable {
        *version.ready.write() = Some(ready.clone());
        version.used.store(true, Ordering::Relaxed);
        version.weight.store(size + ready.weight(), Ordering::Relaxed);
        self.loads.fetch_add(1, Ordering::Relaxed);
        let dropped = self.shelf.lock().add(version, self.budget);
        self.drops.fetch_add(dropped.len() as u64, Ordering::Relaxed);
        // Unmapping takes the kernel a moment; the lock is not held meanwhile.
        drop(dropped);
        ready
    }
}

impl Shelf {
    /// Puts one on the shelf; the answer is what had to go for it. Runs that have begun keep theirs until they end.
    fn add(&mut self, version: &Arc<Version>, budget: u64) -> Vec<Runnable> {
        self.ring.push(Arc::clone(version));
        self.bytes += version.weight.load(Ordering::Relaxed);
        let mut gone = Vec::new();
        // Twice round clears every flag once, so the second round finds something.
        let mut looks = self.ring.len().saturating_mul(2);
        while self.bytes > budget && self.ring.len() > 1 && looks > 0 {
            looks -= 1;
            self.hand %= self.ring.len();
            let Some(next) = self.ring.get(self.hand) else { break };
            if Arc::ptr_eq(next, version) || next.used.swap(false, Ordering::Relaxed) {
                self.hand += 1;
                continue;
            }
            let next = self.ring.swap_remove(self.hand);
            self.bytes = self.bytes.saturating_sub(next.weight.load(Ordering::Relaxed));
            gone.extend(next.ready.write().take());
        }
        gone
    }
}
