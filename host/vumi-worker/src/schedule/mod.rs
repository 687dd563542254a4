//! Scheduling, in two independent parts (specification: schedule).
//!
//! *Once-off*: a payload is delivered at a later time. [`Scheduler`] keeps the payloads and calls a [`Deliver`] when
//! they fall due; the worker `scheduler` does that for messages to users.
//!
//! *Recurring*: [`Recurring`] answers whether a due time of a definition such as "daily at 12:00:00" has passed.

mod days;
mod once;
mod options;
mod recurring;
mod runs;
mod service;

pub use once::{Deliver, Scheduled, Scheduler};
pub use options::SchedulerOptions;
pub use recurring::{Recurring, ScheduleError};
pub use service::SchedulerConfig;
