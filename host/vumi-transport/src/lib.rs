//! Transports: each speaks to one network and turns it into messages and back.
//!
//! A transport is one file that knows one network; [`base`] stands around it and does everything that is the same for
//! all of them. [`registry`] is the list of transports, [`simulator`] the one without a network.

pub mod base;
pub mod registry;
pub mod simulator;
pub mod telnet;

pub use base::{Once, Readiness, TransportShared, TransportWorker, WhenUnsure};
pub use registry::{Built, TransportComponent, TransportConfig};
pub use simulator::{PhoneMessage, Simulator, SimulatorHandle};
