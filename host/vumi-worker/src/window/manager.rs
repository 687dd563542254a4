//! The operations on windows and their items (specification: window_manager, section 3).

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vumi_core::{Change, Clock, Collections, Guard, Keyspace, Op, Scores};
use vumi_message::{Timestamp, json, new_id};

use super::error::WindowError;
use super::keys::{WINDOWS, WindowKeys};
use super::options::WindowOptions;

/// How often a change is tried that another process may have forestalled.
pub(super) const TRIES: u32 = 50;

/// Windows of items in flight. See the module's text.
pub struct WindowManager {
    pub(super) collections: Arc<dyn Collections>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) size: u64,
    pub(super) lifetime: Duration,
    pub(super) interval: Duration,
    /// Ends garbage collection and the monitor.
    pub(super) stopping: CancellationToken,
    pub(super) tasks: TaskTracker,
    /// True while there is a monitor.
    pub(super) monitoring: Mutex<bool>,
}

impl std::fmt::Debug for WindowManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WindowManager").field("size", &self.size).finish_non_exhaustive()
    }
}

impl WindowManager {
    /// A manager of the windows that are kept here. It does nothing by itself until [`WindowManager::collect_garbage`]
    /// and [`WindowManager::monitor`] are called.
    ///
    /// # Errors
    /// One sentence for options that make no sense.
    pub fn new(space: &Keyspace, clock: Arc<dyn Clock>, options: &WindowOptions) -> vumi_core::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            collections: Arc::clone(&space.collections),
            clock,
            size: options.window_size,
            lifetime: options.lifetime()?,
            interval: options.interval()?,
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            monitoring: Mutex::new(false),
        }))
    }

    /// After which time an item in flight no longer occupies a slot.
    pub fn flight_lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Makes a window, or renews the time of its creation, which is returned. With `strict` it must not exist.
    ///
    /// # Errors
    /// [`WindowError::Exists`], [`WindowError::Reserved`], or the store's.
    pub async fn create_window(&self, window: &str, strict: bool) -> Result<Timestamp, WindowError> {
        WindowKeys::of(window)?;
        let exists = || WindowError::Exists(window.to_owned());
        if strict && self.window_exists(window).await? {
            return Err(exists());
        }
        let now = self.clock.now();
        let add = Op::SortedAdd { key: WINDOWS.to_owned(), member: window.to_owned(), score: score(now) };
        let answers = self.collections.apply(Change::new().then(add)).await?;
        // Of two that create it at the same moment, one finds that it is not the first.
        let is_new = answers.is_some_and(|answers| answers.first() == Some(&vumi_core::Answer::Count(1)));
        if strict && !is_new { Err(exists()) } else { Ok(now) }
    }

    /// Whether there is such a window.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn window_exists(&self, window: &str) -> Result<bool, WindowError> {
        Ok(self.collections.score(WINDOWS, window).await?.is_some())
    }

    /// The windows, in the order of their creation.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn get_windows(&self) -> Result<Vec<String>, WindowError> {
        let windows = self.collections.sorted(WINDOWS, Scores::default(), u64::MAX).await?;
        Ok(windows.into_iter().map(|(window, _)| window).collect())
    }

    /// Removes a window in which nothing waits. What is in flight does not matter.
    ///
    /// # Errors
    /// [`WindowError::NotEmpty`], or the store's.
    pub async fn remove_window(&self, window: &str) -> Result<(), WindowError> {
        let change = Change::new()
            .when(Guard::Absent { key: WindowKeys::of(window)?.waiting() })
            .then(Op::SortedRemove { key: WINDOWS.to_owned(), members: vec![window.to_owned()] });
        self.collections.apply(change).await?.map(drop).ok_or(WindowError::NotEmpty)
    }

    /// Adds an item behind those that wait, under this key or a new one, which is returned. The window need not exist.
    ///
    /// # Errors
    /// [`WindowError::Reserved`], or the store's.
    pub async fn add(&self, window: &str, data: &Value, key: Option<&str>) -> Result<String, WindowError> {
        let keys = WindowKeys::of(window)?;
        let key = key.map_or_else(new_id, str::to_owned);
        let change = Change::new()
            .then(Op::SetText { key: keys.data(&key), value: json::to_text(data) })
            .then(Op::PushHead { key: keys.waiting(), values: vec![key.clone()] });
        self.collections.apply(change).await?;
        Ok(key)
    }

    /// Lets the item that has waited longest take off, and returns its key. `None` when nothing waits or the window
    /// is full.
    ///
    /// # Errors
    /// [`WindowError::Reserved`], or the store's.
    pub async fn get_next_key(&self, window: &str) -> Result<Option<String>, WindowError> {
        let keys = WindowKeys::of(window)?;
        for _ in 0..TRIES {
            let waiting = self.collections.len(&keys.waiting()).await?;
            if waiting == 0 || self.collections.len(&keys.in_flight()).await? >= self.size {
                return Ok(None);
            }
            let last = self.collections.list(&keys.waiting(), waiting - 1, 1).await?;
            let Some(key) = last.into_iter().next() else { continue };
            // The slot is checked in the step that takes it: several processes never have more in flight.
            let change = Change::new()
                .when(Guard::TailIs { key: keys.waiting(), value: Some(key.clone()) })
                .when(Guard::Below { key: keys.in_flight(), len: self.size })
                .then(Op::PopTail { key: keys.waiting() })
                .then(Op::PushHead { key: keys.in_flight(), values: vec![key.clone()] })
                .then(Op::SortedAdd { key: keys.flight_times(), member: key.clone(), score: score(self.clock.now()) });
            if self.collections.apply(change).await?.is_some() {
                return Ok(Some(key));
            }
        }
        // Others are at it; whoever asks comes again.
        Ok(None)
    }

    /// The data of an item, also of one in flight; `None` when there is no such item.
    ///
    /// # Errors
    /// [`WindowError::Data`], or the store's.
    pub async fn get_data(&self, window: &str, key: &str) -> Result<Option<Value>, WindowError> {
        let Some(text) = self.collections.text(&WindowKeys::of(window)?.data(key)).await? else { return Ok(None) };
        let wrong = |_| WindowError::Data { window: window.to_owned(), key: key.to_owned() };
        json::parse(text.as_bytes()).map(Some).map_err(wrong)
    }

    /// How many items wait.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn count_waiting(&self, window: &str) -> Result<u64, WindowError> {
        Ok(self.collections.len(&WindowKeys::of(window)?.waiting()).await?)
    }

    /// How many items are in flight.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn count_in_flight(&self, window: &str) -> Result<u64, WindowError> {
        Ok(self.collections.len(&WindowKeys::of(window)?.in_flight()).await?)
    }

    /// Ends an item: it leaves flight, and all that was kept of it is deleted. Nothing happens when there is none.
    ///
    /// # Errors
    /// [`WindowError::Contended`], or the store's.
    pub async fn remove_key(&self, window: &str, key: &str) -> Result<(), WindowError> {
        let keys = WindowKeys::of(window)?;
        for _ in 0..TRIES {
            let external_id = self.collections.text(&keys.external(key)).await?;
            let mut gone = vec![keys.data(key), keys.external(key)];
            gone.extend(external_id.as_deref().map(|id| keys.internal(id)));
            let [leave, forget_time] = keys.land(key);
            let change = Change::new()
                .when(Guard::TextIs { key: keys.external(key), value: external_id })
                .then(leave)
                .then(forget_time)
                .then(Op::Delete { keys: gone });
            if self.collections.apply(change).await?.is_some() {
                return Ok(());
            }
        }
        Err(WindowError::Contended(key.to_owned()))
    }
}

/// A moment as Vumi keeps it: seconds since the epoch, with a fraction.
pub(super) fn score(at: Timestamp) -> f64 {
    at.micros() as f64 / 1e6
}
