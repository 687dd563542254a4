//! The keys of a window (specification: window_manager, section 2).

use vumi_core::Op;

use super::error::WindowError;

/// The sorted set of all windows.
pub(super) const WINDOWS: &str = "windows";

const RESERVED: [&str; 3] = ["inflight", "flightstats", "keymap"];

/// The keys of one window.
pub(super) struct WindowKeys<'a> {
    window: &'a str,
}

impl<'a> WindowKeys<'a> {
    /// # Errors
    /// When the window's keys would be those of another purpose: its first part is a name of the layout.
    pub(super) fn of(window: &'a str) -> Result<Self, WindowError> {
        if window.split(':').next().is_some_and(|first| RESERVED.contains(&first)) {
            return Err(WindowError::Reserved(window.to_owned()));
        }
        Ok(Self { window })
    }

    pub(super) fn waiting(&self) -> String {
        format!("windows:{}", self.window)
    }

    pub(super) fn data(&self, key: &str) -> String {
        format!("windows:{}:{key}", self.window)
    }

    pub(super) fn in_flight(&self) -> String {
        format!("windows:inflight:{}", self.window)
    }

    pub(super) fn flight_times(&self) -> String {
        format!("windows:flightstats:{}", self.window)
    }

    /// External id → item key.
    pub(super) fn internal(&self, external_id: &str) -> String {
        format!("windows:keymap:{}:internal:{external_id}", self.window)
    }

    /// Item key → external id.
    pub(super) fn external(&self, key: &str) -> String {
        format!("windows:keymap:{}:external:{key}", self.window)
    }

    /// The steps by which an item leaves flight. The first answers whether it was there, the second whether this
    /// process was the one to end its flight.
    pub(super) fn land(&self, key: &str) -> [Op; 2] {
        [
            Op::ListRemove { key: self.in_flight(), value: key.to_owned() },
            Op::SortedRemove { key: self.flight_times(), members: vec![key.to_owned()] },
        ]
    }
}
