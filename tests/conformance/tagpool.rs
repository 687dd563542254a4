//! Tag pools and their JSON-RPC API (specification: tagpool).

mod api;
mod pools;
