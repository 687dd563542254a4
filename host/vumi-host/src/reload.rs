//! Reload on change: the app that is being worked on is built again and put in place while the host runs.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use vumi_sandbox::{App, ComponentCache, Sandbox};

use crate::project::Source;

/// Time between two looks at the files.
const INTERVAL: Duration = Duration::from_millis(500);

/// Watches an app's source until `stop`; each change is built, compiled and put in place. A source that does not
/// build leaves the old version running.
pub(crate) fn watch(
    source: Source,
    app: Arc<App>,
    sandbox: Arc<Sandbox>,
    cache: ComponentCache,
    stop: CancellationToken,
) {
    tokio::spawn(async move {
        let mut seen = source.changed();
        loop {
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => {}
                () = stop.cancelled() => return,
            }
            let now = source.changed();
            if now.is_none() || now == seen {
                continue;
            }
            seen = now;
            let (source, sandbox, cache) = (source.clone(), Arc::clone(&sandbox), cache.clone());
            let built = tokio::task::spawn_blocking(move || {
                let path = source.component().map_err(|error| error.report())?;
                sandbox.load(&cache, &path).map_err(|error| error.to_string())
            });
            match built.await {
                Ok(Ok(component)) if component.hash() == app.component().0 => {}
                Ok(Ok(component)) => {
                    app.replace(&component);
                    tracing::info!(app = app.name(), hash = component.hash(), "reloaded");
                }
                Ok(Err(reason)) => tracing::error!(app = app.name(), "not reloaded, the old version goes on: {reason}"),
                Err(error) => tracing::error!(app = app.name(), "not reloaded: {error}"),
            }
        }
    });
}
