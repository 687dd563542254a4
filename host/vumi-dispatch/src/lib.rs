//! Dispatchers: routers decide where a message goes, middleware changes or stops it on the way.
//!
//! A [`Dispatcher`] is a worker that stands between transports and applications: it consumes what both publish and
//! hands each message on, untouched in its body, to the queues that its router names. Adding a router or a
//! middleware is one file and one line in [`registry`].

pub mod middleware;
pub mod registry;
pub mod routers;
mod shared;
#[cfg(test)]
mod testing;
mod worker;

pub use registry::{MiddlewareComponent, MiddlewareConfig, Place, RouterComponent, RouterConfig};
pub use shared::DispatcherShared;
pub use worker::{Dispatcher, Passed};
