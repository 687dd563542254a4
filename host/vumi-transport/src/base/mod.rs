//! What all transports share, once, around the [`Transport`](vumi_core::Transport) trait.
//!
//! A transport knows its network and nothing else. A [`TransportWorker`] stands around it: it takes outbound messages
//! from the broker, hands them to the transport, and tells what became of each; it gives the transport a
//! [`Link`](vumi_core::Link) to publish through; it starts the transport again when it fails; and it stops everything
//! in an order in which nothing is lost. The parts:
//! - [`TransportShared`]: the configuration keys that every transport has,
//! - `worker`: start, restart, stop; `link`: what the transport publishes; `outbound`: what is sent through it,
//! - `sent`: the record of sent ids, which keeps a redelivered message from going out twice,
//! - `journal`: the records for people; `meters`: the metrics; [`Readiness`]: where the transport listens,
//! - `endpoint`: where a server listens, as Vumi writes it,
//! - [`values`]: the lenient value types of Vumi's configuration.

mod carry;
pub(crate) mod endpoint;
mod journal;
mod link;
mod meters;
mod outbound;
mod readiness;
mod sent;
mod settle;
mod shared;
#[cfg(test)]
mod tests;
pub mod values;
mod worker;

pub use readiness::Readiness;
pub use shared::{TransportShared, WhenUnsure};
pub use worker::{Once, TransportWorker};
