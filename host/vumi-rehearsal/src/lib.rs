//! Conversation tests of apps: who sends what, and what comes back, written in YAML and played in the real sandbox.
//!
//! A [`Script`] is a test file, read and checked. [`rehearse`] plays scripts against a component, each conversation with an
//! app of its own: in the sandbox that it also runs in for real, but with a kv in memory, a clock and random numbers
//! that follow from the test, and answers in place of the web. What came of it is a [`Rehearsal`]; `report` shows it to
//! people, with the expected and the seen screen side by side, and to build servers. `docs/testing-apps.md` is the
//! manual of the format.

mod coverage;
mod outcome;
mod play;
pub mod report;
mod run;
mod script;
mod update;

pub use coverage::{Coverage, Way};
pub use outcome::{Edit, Failure, FilePlayed, Pair, Played, Problem, Rehearsal, Screen};
pub use run::{Options, rehearse};
pub use script::{Mistake, Place, Script, ScriptError};
pub use update::update;
