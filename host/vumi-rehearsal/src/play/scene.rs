//! What stands in for the world in one conversation: its clock, its random numbers, its answers from the web.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use vumi_core::Clock;
use vumi_message::Timestamp;
use vumi_sandbox::Stage;
use vumi_sandbox::web::{WebError, WebRequest, WebResponse};

use super::web::{Stubs, Unexpected};

/// See the module's text.
pub(super) struct Scene {
    /// Microseconds since 1970.
    wall: AtomicI64,
    /// Nanoseconds.
    monotonic: AtomicU64,
    seed: u64,
    /// The number of the run that is under way.
    run: AtomicU64,
    pub(super) web: Mutex<Stubs>,
}

impl Scene {
    pub(super) fn new(begins: Timestamp, seed: u64, web: Stubs) -> Self {
        Self {
            wall: AtomicI64::new(begins.micros()),
            // Not zero: some languages take that for a clock which does not go.
            monotonic: AtomicU64::new(1_000_000_000),
            seed,
            run: AtomicU64::new(0),
            web: Mutex::new(web),
        }
    }

    /// Moves the clocks on.
    pub(super) fn pass(&self, time: Duration) {
        // Rounded up: what the readings of the monotonic clock took off a sleep is not missing from it.
        let micros = i64::try_from(time.as_nanos().div_ceil(1_000)).unwrap_or(i64::MAX);
        self.set(Timestamp::from_micros(self.micros().saturating_add(micros)));
        self.monotonic.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Sets the wall clock.
    pub(super) fn set(&self, now: Timestamp) {
        self.wall.store(now.micros(), Ordering::Relaxed);
    }

    /// Another run begins.
    pub(super) fn next_run(&self) {
        self.run.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests that nobody expected, since this was asked last.
    pub(super) fn unexpected(&self) -> Vec<Unexpected> {
        std::mem::take(&mut self.web.lock().unexpected)
    }

    fn micros(&self) -> i64 {
        self.wall.load(Ordering::Relaxed)
    }
}

impl Clock for Scene {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros())
    }
}

impl Stage for Scene {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros())
    }

    fn elapsed_ns(&self) -> u64 {
        // A clock that stood still would let some programs wait for ever.
        self.monotonic.fetch_add(1, Ordering::Relaxed)
    }

    fn sleep(&self, ns: u64) {
        self.pass(Duration::from_nanos(ns));
    }

    fn seed(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(self.run.load(Ordering::Relaxed).to_le_bytes());
        hash.finalize().into()
    }

    fn answer(&self, request: &WebRequest, timeout: Duration) -> Result<WebResponse, WebError> {
        let (answer, takes) = self.web.lock().answer(request);
        self.pass(takes.min(timeout));
        if takes > timeout {
            return Err(WebError::Timeout(format!("The exchange did not end within {} ms.", timeout.as_millis())));
        }
        answer
    }
}
