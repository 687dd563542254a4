//! The sandbox (specification: sandbox), checked with real components in this process.
//!
//! `checks` holds the checks of the specification under their numbers; the other modules hold its rules on limits
//! (sections 4 to 9), isolation, faults of the host, the worker around an app, the cache of compiled code, and guests
//! that are routers and middleware.
//!
//! Without a counterpart for components are those checks that only the line protocol of Vumi's child processes can
//! break: 2, 10 (an `in_reply_to` of another message), 13 (a request without `url`), 15, 16, and arguments of a wrong JSON
//! type in 6 and 18. They are made with apps of that protocol (`legacy`).

mod cache;
mod checks;
mod dialogue;
mod faults;
mod isolation;
pub(crate) mod kit;
mod limits;
mod parts;
mod recorder;
mod records;
mod reuse;
mod scripts;
mod versions;
pub(crate) mod web;
mod worker;
