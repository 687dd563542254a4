//! The built binary, as a user meets it: real sockets, a real browser, a real `kill -9`.

mod exactly_once;
mod first_steps;
mod simulator;
