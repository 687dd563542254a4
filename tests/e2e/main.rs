//! The built binary, as a user meets it: real sockets, a real browser, a real `kill -9`.

mod admin;
mod command_line;
mod deploy;
mod drain;
mod engines;
mod exactly_once;
mod failing;
mod faults;
mod first_steps;
mod interop;
mod oci;
mod parts;
mod reload;
mod simulator;
mod system;
mod traces;
