//! The built binary, as a user meets it: real sockets, a real browser, a real `kill -9`.

mod admin;
mod command_line;
mod deploy;
mod dev;
mod drain;
mod engines;
mod exactly_once;
mod examples;
mod failing;
mod faults;
mod first_steps;
mod interop;
mod js_sdk;
mod oci;
mod parts;
mod projects;
mod python;
mod rehearsal;
mod reload;
mod scripts;
mod simulator;
mod system;
mod traces;
mod transports;
