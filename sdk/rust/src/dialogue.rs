//! Conversations as data: states, what may be answered to them, and where each answer leads.
//!
//! ```
//! use vumi_sdk::dialogue::*;
//! use vumi_sdk::testing::Phone;
//!
//! fn clinic() -> Dialogue {
//!     Dialogue::new("clinic")
//!         .version(1)
//!         .start("menu")
//!         .state(Menu::new("menu", "Welcome.").option("Register", "name").option("Opening hours", "hours"))
//!         .state(FreeText::new("name", "What is your name?").validate(check::length(2..=40)).next("sex"))
//!         .state(Choice::new("sex", "Are you").option("f", "Female").option("m", "Male").next("thanks"))
//!         .state(End::new("hours", "We are open from 8:00 to 16:00."))
//!         .state(End::new("thanks", "Thank you, {name}."))
//! }
//!
//! // vumi_sdk::dialogue!(clinic); makes a component of it.
//!
//! let mut phone = Phone::ussd(clinic);
//! assert_eq!(phone.dial(), "Welcome.\n1. Register\n2. Opening hours");
//! assert_eq!(phone.say("1"), "What is your name?");
//! assert_eq!(phone.say("A"), "Please enter between 2 and 40 characters.\nWhat is your name?");
//! assert_eq!(phone.say("Anna"), "Are you\n1. Female\n2. Male");
//! assert_eq!(phone.say("1"), "Thank you, Anna.");
//! ```
//!
//! The kit keeps where each user is (in kv), makes pages of what is too long for a phone, translates and counts. The
//! guide, `docs/dialogues.md`, says exactly what is stored, shown and counted.
//!
//! The dialogue is built anew for each message: keep what is costly out of its building and in its functions.

mod build;
pub mod check;
mod context;
mod graph;
mod join;
mod kinds;
mod page;
mod record;
mod state;
mod text;
mod translate;
mod turn;

pub use build::{Dialogue, Resume};
pub use context::Context;
pub use kinds::{Booklet, Choice, End, FreeText, Menu, PaginatedChoice};
pub use record::Record;
pub use state::{Name, Opt, State};
pub use text::Text;
pub use translate::Translations;

pub use crate::{t, tc, tn};
