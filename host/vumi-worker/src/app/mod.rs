//! The host's own applications, one file each.

mod static_reply;

pub use static_reply::StaticReplyConfig;
