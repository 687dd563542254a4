//! The kit that the tests share: a running host, clients that speak to it as users do, and a browser.
//!
//! Nothing here knows the host's code: it starts the binary and talks to its sockets. Tests wait for conditions, with
//! a limit, never for an amount of time.

pub mod blowup;
pub mod browser;
pub mod context;
pub mod deploy;
pub mod forge;
pub mod golden;
pub mod guests;
pub mod host;
pub mod http;
pub mod telnet;
pub mod wait;

pub use browser::Browser;
pub use host::{Host, HostBuilder};
pub use telnet::Telnet;
pub use wait::{PATIENCE, until};
