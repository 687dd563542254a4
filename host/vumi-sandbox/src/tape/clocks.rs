//! The clocks of a run with a tape, and its sleeps.
//!
//! Readings are noted, and played back. Sleeps are noted as calls; in a replay they are over at once, since what they
//! were for stands on the tape already.

use std::time::Duration;

use serde_json::Value;
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::clocks::WasiClocksView;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{self, Host};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiView};

use super::{Reel, Tape};
use crate::state::Guest;

/// The call of a sleep until a reading of the monotonic clock.
const UNTIL: &str = "clock.sleep-until";

/// The wall clock of a tape.
pub(super) struct Wall(pub(super) Tape);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.wall_ns())
    }
}

/// The monotonic clock of a tape.
pub(super) struct Monotonic(pub(super) Tape);

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.monotonic_ns()
    }
}

/// Puts the host's own functions for sleeping in the place of the library's.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<Guest, HasSelf<Guest>>(linker, |guest| guest)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// A sleep that is over.
struct Over;

#[wasmtime_wasi::async_trait]
impl Pollable for Over {
    async fn ready(&mut self) {
        // A guest that waits in a loop must not keep its thread from others.
        tokio::task::yield_now().await;
    }
}

impl Guest {
    /// A sleep begins. In a replay it ends here.
    fn sleeps(&mut self, call: &'static str, ns: u64) -> wasmtime::Result<Option<Resource<DynPollable>>> {
        self.listen(call, || vec![ns.into()])?;
        if !self.tape.as_ref().is_some_and(Tape::plays) {
            return Ok(None);
        }
        if call == UNTIL {
            // The library reads the clock here, so the reading stands on the tape.
            self.clocks().now()?;
        }
        let table = self.ctx().table;
        let over = table.push(Over)?;
        subscribe(table, over).map(Some)
    }

    fn slept(&self, ended: wasmtime::Result<Resource<DynPollable>>) -> wasmtime::Result<Resource<DynPollable>> {
        if let Some(tape) = &self.tape {
            tape.end(Ok(Value::Null), None);
        }
        ended
    }
}

impl Host for Guest {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.clocks().now()
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        self.clocks().resolution()
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        if let Some(over) = self.sleeps(UNTIL, when)? {
            return Ok(over);
        }
        if let Some(slept) = self.sleeps_on_stage(when)? {
            return Ok(slept);
        }
        let sleep = self.clocks().subscribe_instant(when);
        self.slept(sleep)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        if let Some(over) = self.sleeps("clock.sleep", duration)? {
            return Ok(over);
        }
        if self.app.stage.get().is_some() {
            let until = self.clocks().now()?.saturating_add(duration);
            if let Some(slept) = self.sleeps_on_stage(until)? {
                return Ok(slept);
            }
        }
        let sleep = self.clocks().subscribe_duration(duration);
        self.slept(sleep)
    }
}

impl Tape {
    /// Whether it plays.
    fn plays(&self) -> bool {
        matches!(*self.0.lock(), Reel::Playing(_))
    }
}
