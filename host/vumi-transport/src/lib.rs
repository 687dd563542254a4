//! Transports: each speaks to one network and turns it into messages and back.
//!
//! A transport is one file that knows one network; [`base`] stands around it and does everything that is the same for
//! all of them. [`registry`] is the list of transports, [`simulator`] the one without a network, [`devnull`] the one
//! that pretends to have one. Networks that speak HTTP have a second layer in common, [`http`], over which an
//! [aggregator](aggregators) is a short file.

pub mod aggregators;
pub mod base;
pub mod devnull;
pub mod http;
pub mod registry;
pub mod simulator;
pub mod telnet;

pub use base::{Once, Readiness, TransportShared, TransportWorker, WhenUnsure};
pub use http::Sites;
pub use registry::{Built, Listening, TransportComponent, TransportConfig, TransportPlace};
pub use simulator::{PhoneMessage, Simulator, SimulatorHandle};
