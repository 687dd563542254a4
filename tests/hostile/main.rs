//! Bad guests, bad input, faults: each gets its clear error and limit, and everybody else goes on.

#[path = "../conformance/sandbox/kit.rs"]
#[allow(dead_code, reason = "shared with the conformance tests, which use all of it")]
mod kit;

mod busy;
mod compile;
mod corpus;
mod deploy;
mod dialogue;
mod files;
mod guests;
mod http;
mod http_fuzz;
mod neighbour;
mod router;
mod web;
