//! The flight recorder: what a run was given, written down so that the run can be made again from that alone.
//!
//! A run of a guest depends on nothing but its message, its configuration, and what the host answers: calls, clock
//! readings, random numbers. A *tape* holds all of these. While a run is recorded (`recorder`) each host function works
//! as always and its call is noted; while a tape is played (`player`, begun by [`Sandbox::replay`](crate::Sandbox::replay))
//! the host functions answer from the tape and touch nothing outside, and every point where the guest does something
//! else than the tape says is a *departure*.
//!
//! Which runs are recorded is a rule of the app (`rule`), kept with what must not be written down in `deck`. What is
//! masked is replaced when the run is over (`mask`, `seal`), so nothing secret is ever handed on.
//!
//! A run that is not recorded pays for one look at a flag, and one at an empty option in each host call.

mod alike;
mod bodies;
mod chance;
mod clocks;
mod cue;
mod cut;
mod deck;
mod departure;
mod document;
mod forms;
mod http;
mod judge;
mod mask;
mod needles;
mod nothing;
mod player;
mod recorder;
mod replay;
mod rule;
mod seal;
mod sends;
mod text;
mod values;
mod wipe;

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use vumi_message::{Timestamp, UserMessage};

pub use departure::{Departure, DepartureKind};
pub use document::{FORMAT, TapeCall, TapeClocks, TapeCost, TapeDocument, TapeInput, TapeSettings, TapeStop};
pub use replay::Replayed;
pub use rule::{RecordRule, Secret};
pub use text::TapeError;

pub(crate) use bodies::body_value;
pub(crate) use chance::{equip, random_numbers};
pub(crate) use clocks::link as link_clocks;
pub(crate) use deck::Deck;
pub(crate) use http::request_value;
pub(crate) use nothing::Nothing;
pub(crate) use sends::{reply_values, send_values};
pub(crate) use values::number;

use crate::meter::Stop;
use player::Player;
use recorder::Recorder;

/// The tape of one run, being written or being played. Clones are the same tape: the guest's clocks and its standard
/// output hold one each.
#[derive(Clone)]
pub(crate) struct Tape(Arc<Mutex<Reel>>);

/// The two ways to use a tape.
enum Reel {
    Recording(Box<Recorder>),
    Playing(Box<Player>),
}

/// What the tape has to say when a host call begins.
enum Begun {
    /// It is noted: the host does its work and says what came of it.
    Noted,
    /// It plays, and knows this call.
    Known(TapeCall),
    /// It plays, and has no such call.
    Unknown,
}

/// What becomes of a message that a run sends while a tape plays.
enum Delivery {
    /// It counts as sent.
    Sent,
    /// The guest gets this error; with a reason, the host had lost the message.
    Failed(vumi_bindings::app::vumi::app::types::Error, Option<String>),
}

impl Tape {
    fn recording(recorder: Recorder) -> Self {
        Self(Arc::new(Mutex::new(Reel::Recording(Box::new(recorder)))))
    }

    fn playing(player: Player) -> Self {
        Self(Arc::new(Mutex::new(Reel::Playing(Box::new(player)))))
    }

    /// Takes the recording out.
    fn recorded(&self) -> Option<Recorder> {
        match &mut *self.0.lock() {
            Reel::Recording(recorder) => Some(std::mem::take(&mut **recorder)),
            Reel::Playing(_) => None,
        }
    }

    /// Takes the player out.
    fn played(&self) -> Option<Player> {
        match &mut *self.0.lock() {
            Reel::Recording(_) => None,
            Reel::Playing(player) => Some(std::mem::take(&mut **player)),
        }
    }

    /// A host call begins.
    fn begin(&self, call: &str, args: Vec<Value>) -> Begun {
        match &mut *self.0.lock() {
            Reel::Recording(recorder) => {
                recorder.begin(call, args);
                Begun::Noted
            }
            Reel::Playing(player) => player.begin(call, &args).map_or(Begun::Unknown, Begun::Known),
        }
    }

    /// The host call that began last has ended.
    fn end(&self, ended: Result<Value, TapeStop>, fault: Option<String>) {
        match &mut *self.0.lock() {
            Reel::Recording(recorder) => recorder.end(ended, fault),
            Reel::Playing(player) => player.end(),
        }
    }

    /// Some work of the host that needs no answer from a tape, as one call.
    pub(crate) fn around(
        &self,
        call: &str,
        args: Vec<Value>,
        work: impl FnOnce() -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if let Begun::Known(TapeCall { stop: Some(stop), .. }) = self.begin(call, args) {
            return Err(stop.into());
        }
        let done = work();
        self.end(done.as_ref().map(|()| Value::Null).map_err(TapeStop::from), None);
        done
    }

    /// A message is about to be sent. `None` while recording: the host sends it.
    fn deliver(&self, message: &UserMessage) -> Option<Delivery> {
        match &mut *self.0.lock() {
            Reel::Recording(recorder) => {
                recorder.sending(message);
                None
            }
            Reel::Playing(player) => Some(player.deliver(message)),
        }
    }

    /// The time to put on a message.
    pub(crate) fn stamp(&self) -> Timestamp {
        match &mut *self.0.lock() {
            Reel::Recording(recorder) => recorder.stamp(),
            Reel::Playing(player) => player.stamp(),
        }
    }

    /// The wall clock, in nanoseconds since 1970.
    fn wall_ns(&self) -> u64 {
        match &mut *self.0.lock() {
            Reel::Recording(recorder) => recorder.wall_ns(),
            Reel::Playing(player) => player.wall_ns(),
        }
    }

    /// The monotonic clock, in nanoseconds.
    fn monotonic_ns(&self) -> u64 {
        match &mut *self.0.lock() {
            Reel::Recording(recorder) => recorder.monotonic_ns(),
            Reel::Playing(player) => player.monotonic_ns(),
        }
    }

    /// What the run's random numbers are made of.
    fn seed(&self) -> [u8; 32] {
        match &*self.0.lock() {
            Reel::Recording(recorder) => recorder.seed,
            Reel::Playing(player) => player.seed(),
        }
    }
}
