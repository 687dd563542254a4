//! The loop that sends what may take off (specification: window_manager, section 4).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use vumi_core::Result;

use super::error::WindowError;
use super::manager::WindowManager;
use crate::every::every;

/// Is told what happens in windows.
#[async_trait]
pub trait WindowWatcher: Send + Sync + 'static {
    /// An item has taken off and is to be sent; the next one waits until this returns. An error is logged, and the
    /// item stays in flight until it is removed or expires.
    async fn take_off(&self, window: &str, key: &str) -> Result<()>;

    /// The flight of an item has expired: nobody reported its end.
    async fn expired(&self, window: &str, key: &str) {
        let _ = (window, key);
    }

    /// Nothing waits or flies in a window any more; it is removed after this.
    async fn cleaned_up(&self, window: &str) {
        let _ = window;
    }
}

/// How a monitor works.
#[derive(Clone, Copy, Debug)]
pub struct MonitorOptions {
    /// Between two passes.
    pub interval: Duration,
    /// Removes windows in which nothing waits or flies.
    pub cleanup: bool,
}

impl Default for MonitorOptions {
    fn default() -> Self {
        Self { interval: Duration::from_secs(10), cleanup: true }
    }
}

impl WindowManager {
    /// Sends what may take off, at once and then at every interval, until [`WindowManager::stop`].
    ///
    /// # Errors
    /// [`WindowError::Monitoring`] when there is a monitor already.
    pub fn monitor(
        self: &Arc<Self>,
        watcher: Arc<dyn WindowWatcher>,
        options: MonitorOptions,
    ) -> std::result::Result<(), WindowError> {
        if std::mem::replace(&mut *self.monitoring.lock(), true) {
            return Err(WindowError::Monitoring);
        }
        let manager = Arc::clone(self);
        self.tasks.spawn(async move {
            every(options.interval, &manager.stopping, || async {
                if let Err(error) = manager.monitor_once(&*watcher, options.cleanup).await {
                    tracing::error!("the windows could not be looked after: {error}");
                }
            })
            .await;
        });
        Ok(())
    }

    /// One pass of the monitor: every window, in the order of creation.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn monitor_once(
        &self,
        watcher: &dyn WindowWatcher,
        cleanup: bool,
    ) -> std::result::Result<(), WindowError> {
        for window in self.get_windows().await? {
            if let Err(error) = self.look_after(&window, watcher, cleanup).await {
                match error {
                    error @ WindowError::Store(_) => return Err(error),
                    // What is wrong with one window must not hold up the others.
                    error => tracing::error!(window, "a window could not be looked after: {error}"),
                }
            }
        }
        Ok(())
    }

    async fn look_after(
        &self,
        window: &str,
        watcher: &dyn WindowWatcher,
        cleanup: bool,
    ) -> std::result::Result<(), WindowError> {
        while !self.stopping.is_cancelled() {
            let Some(key) = self.get_next_key(window).await? else { break };
            if let Err(error) = watcher.take_off(window, &key).await {
                tracing::error!(window, key, "an item that took off could not be sent: {}", error.report());
            }
        }
        if !cleanup || self.count_waiting(window).await? > 0 || self.count_in_flight(window).await? > 0 {
            return Ok(());
        }
        watcher.cleaned_up(window).await;
        match self.remove_window(window).await {
            // Something was added meanwhile: the window is needed after all.
            Err(WindowError::NotEmpty) => Ok(()),
            removed => removed,
        }
    }

    /// Ends the monitor and garbage collection, and waits for what they had begun. They do not start again.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
