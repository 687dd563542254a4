//! What transports that speak HTTP share (transport specifications "common" C6 to C8 and "httprpc").
//!
//! A network is an [`Aggregator`]: it turns a [`Request`] into a message, a reply into an [`Answer`], and where its
//! messages go out by requests of the host, a message into a [`Call`]. Around it stands everything else, once:
//! - `sites`, `server`: one listener for each address, shared by all transports that are configured for it,
//! - `transport`: method, credentials, bounds; requests that are held open until their reply, their time limits;
//!   `pending`: the table of them; `body`: tells when an answer is written,
//! - [`Request`], [`Reply`], [`Refusal`]: what comes in and goes out; `params`, [`form`]: parameters,
//! - [`HttpLink`]: what a handler may touch: publishing, sessions, keys, answering; `dialogue`: its part about
//!   dialogues that the gateway numbers; `correlate`: the ids that the network gives to messages, for its later reports,
//! - [`Client`]: requests to the network, with time limits and a rate; [`Tokens`]: access tokens, kept until shortly
//!   before they expire; [`signature`]: signed requests,
//! - [`find_soon`]: ids of messages for reports that come early,
//! - [`outcome`]: acks, nacks and failures in the specifications' short forms,
//! - [`keys`]: the configuration keys; [`Pattern`]: regular expressions among them,
//! - [`xml`], [`xmlrpc`], [`soap`]: the documents that networks speak; [`json`]: values that may be missing.

mod aggregator;
mod body;
mod client;
mod correlate;
mod dialogue;
pub mod form;
pub mod json;
pub mod keys;
mod link;
pub mod outcome;
mod overtaken;
mod params;
pub mod pattern;
mod pending;
mod reply;
mod request;
mod server;
pub mod signature;
mod site;
mod sites;
pub mod soap;
#[cfg(test)]
mod tests;
mod token;
mod transport;
pub mod xml;
pub mod xmlrpc;

pub use aggregator::{Aggregator, Http};
pub use client::{Answered, Call, CallError, Client, check_url};
pub use correlate::Report;
pub use dialogue::session_id;
pub use keys::{EndpointKeys, OwnKeys, RpcKeys};
pub use link::{Done, Finish, HttpLink, Keeps, Speed};
pub use overtaken::find_soon;
pub use pattern::Pattern;
pub use reply::{Answer, Refusal, Reply, ascii_json};
pub use request::{Fields, Request};
pub use site::{BasicAuth, Site, basic_credentials};
pub use sites::Sites;
pub use token::{Token, Tokens};
