//! The sandbox (specification: sandbox), checked with real components in this process.
//!
//! `checks` holds the checks of the specification under their numbers; the other modules hold its rules on limits
//! (sections 4 to 9), isolation, faults of the host, the worker around an app, the cache of compiled code, and guests
//! that are routers and middleware.
//!
//! Without a counterpart for components are those checks that only the line protocol of Vumi's child processes can
//! break; they belong to the runner of such legacy apps:
//! - 2: requests to unknown resources or commands. A component that imports what nobody offers is refused when it is
//!   loaded (`hostile`).
//! - 6 in part, 18 in part: `seconds` or `msg` of a wrong JSON type. The contract's types leave no such argument; what
//!   is left of 6 is the expiry, of 18 the levels.
//! - 10 in part: an `in_reply_to` that names another message. A component's reply has no such argument.
//! - 13, first half: a request without `url`.
//! - 15: `verify_options`. Certificates are always checked in full.
//! - 16: `files` as multipart. A component makes the body of its request itself.

mod cache;
mod checks;
mod faults;
mod isolation;
pub(crate) mod kit;
mod limits;
mod parts;
mod recorder;
mod records;
mod reuse;
mod versions;
mod web;
mod worker;
