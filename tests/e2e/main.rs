//! The built binary, as a user meets it: real sockets, a real browser, a real `kill -9`.

mod first_steps;
