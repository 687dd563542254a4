//! Windows: how many items are in flight at once, for instance on one connection to an operator
//! (specification: window_manager).
//!
//! Items wait in a queue of their window, first in, first out. An item *takes off* when the window has a free slot;
//! whoever sent it reports its end with [`WindowManager::remove_key`]. An item whose end nobody reports frees its slot
//! after a time and is reported as expired, once. Everything is kept in the layout of Vumi's, and each step is one
//! change, so that several processes may share a window.
//!
//! `manager` has the operations, `expiry` the end of flights, `monitor` the loop that sends what may take off.

mod error;
mod expiry;
mod ids;
mod keys;
mod manager;
mod monitor;
mod options;

pub use error::WindowError;
pub use manager::WindowManager;
pub use monitor::{MonitorOptions, WindowWatcher};
pub use options::WindowOptions;
