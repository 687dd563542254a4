//! Dispatchers: routers decide where a message goes, middleware changes or stops it on the way.
//!
//! A [`Dispatcher`] is a worker that stands between transports and applications: it consumes what both publish and
//! hands a copy of each message to the queues that its router names, changed no further than router and middleware
//! say. Where there is no way for a message it is logged, counted and dropped, so that it holds up no other. Adding a
//! router or a middleware is one file and one line in [`registry`].

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
