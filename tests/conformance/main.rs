//! Conformance: what the specifications promise, and what Python Vumi was recorded to do, checked from outside
//! through the crates' public interfaces. One module for each part of the specification.

mod codecs;
mod messages;
mod sandbox;
mod telnet;
mod transports;
