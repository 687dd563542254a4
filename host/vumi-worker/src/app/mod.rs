//! The host's own applications, one file each, and what they share.
//!
//! An application is a [`base::Handler`]: it says what to do with a message, an ack, a delivery report. [`base`] turns
//! it into an [`Application`](vumi_core::Application) of the host and gives it the means to reply and to send. The
//! relays speak to web servers through one small client.

pub mod base;
mod client;
mod http_relay;
mod rapidsms_relay;
mod static_reply;

pub use client::HttpUrl;
pub use http_relay::HttpRelayConfig;
pub use rapidsms_relay::RapidSmsRelayConfig;
pub use static_reply::StaticReplyConfig;
