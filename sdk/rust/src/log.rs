//! The app's log. The macros [`debug!`](crate::debug!), [`info!`](crate::info!), [`warning!`](crate::warning!) and
//! [`error!`](crate::error!) take what `format!` takes.

pub use crate::bindings::vumi::app::log::Level;

/// Writes one entry.
pub fn log(level: Level, text: &str) {
    crate::host::log(level, text);
}

/// Writes an entry at level debug.
#[macro_export]
macro_rules! debug {
    ($($text:tt)*) => { $crate::log::log($crate::log::Level::Debug, &::std::format!($($text)*)) };
}

/// Writes an entry at level info.
#[macro_export]
macro_rules! info {
    ($($text:tt)*) => { $crate::log::log($crate::log::Level::Info, &::std::format!($($text)*)) };
}

/// Writes an entry at level warning.
#[macro_export]
macro_rules! warning {
    ($($text:tt)*) => { $crate::log::log($crate::log::Level::Warning, &::std::format!($($text)*)) };
}

/// Writes an entry at level error.
#[macro_export]
macro_rules! error {
    ($($text:tt)*) => { $crate::log::log($crate::log::Level::Error, &::std::format!($($text)*)) };
}
