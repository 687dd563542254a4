//! Conformance: what the specifications promise, and what Python Vumi was recorded to do, checked from outside
//! through the crates' public interfaces. One module for each part of the specification.

mod applications;
mod backends;
mod bindings;
mod codecs;
mod failures;
mod http;
mod http_relay;
mod legacy;
mod messages;
mod metrics;
mod middleware;
mod moving;
mod rapidsms_relay;
mod routers;
mod routing_naming;
mod sandbox;
mod schedule;
mod session;
mod tagpool;
mod telnet;
mod transports;
mod window_manager;
mod workers;
