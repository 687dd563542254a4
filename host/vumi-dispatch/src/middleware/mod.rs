//! The middleware, one file each.

mod logging;

pub use logging::LoggingConfig;
