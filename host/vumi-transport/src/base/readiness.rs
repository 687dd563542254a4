//! Whether a transport is ready, and where it listens or is connected to.
//!
//! Outbound messages wait until the transport says that it is ready; the binary prints the address, and tests that
//! let the system choose a port learn it here.

use std::sync::Arc;

use tokio::sync::watch;

/// The transport's state; clones share it.
#[derive(Clone, Debug)]
pub struct Readiness {
    at: Arc<watch::Sender<Option<String>>>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { at: Arc::new(watch::Sender::new(None)) }
    }
}

impl Readiness {
    /// Where the transport listens or is connected to, e.g. `127.0.0.1:9010`; `None` while it is not ready.
    pub fn at(&self) -> Option<String> {
        self.at.borrow().clone()
    }

    /// Resolves when the transport is ready, with [`Readiness::at`].
    pub async fn wait(&self) -> String {
        let mut watch = self.at.subscribe();
        // The sender lives as long as `self`, so the wait cannot fail.
        match watch.wait_for(Option::is_some).await {
            Ok(at) => at.clone().unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    pub(super) fn set(&self, at: Option<&str>) {
        self.at.send_replace(at.map(str::to_owned));
    }

    pub(super) fn is_ready(&self) -> bool {
        self.at.borrow().is_some()
    }
}
