//! The routers, one file each.

mod parts;
mod simple;

pub use simple::SimpleConfig;
