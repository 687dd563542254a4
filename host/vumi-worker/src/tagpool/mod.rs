//! Tag pools: routable addresses that one owner at a time may hold (specification: tagpool).
//!
//! A *tag* is a pair of a pool and a name, e.g. (`shortcode`, `10001`). [`TagPools`] has the operations, in the layout
//! that Vumi gave them; the worker `tagpool_api` offers them to other programs by JSON-RPC.

mod api;
mod config;
mod error;
mod keys;
mod methods;
mod pools;
mod queries;
mod rpc;
mod serve;
mod tag;
mod types;

pub use config::TagpoolApiConfig;
pub use error::TagPoolError;
pub use pools::TagPools;
pub use tag::Tag;
