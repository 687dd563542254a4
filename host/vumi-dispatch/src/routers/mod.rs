//! The routers, one file each.

mod simple;

pub use simple::SimpleConfig;
