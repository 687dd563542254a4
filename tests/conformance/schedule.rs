//! Scheduling (specification: schedule): the once-off scheduler, the worker around it, and recurring schedules.

mod once;
mod recurring;
mod service;
