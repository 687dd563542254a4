//! A worker that fails is started again, later each time; the rest of the host goes on.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::error::Result;
use crate::feed::{Feed, Happening};

/// A run of this length counts as a success: the next failure waits the first delay again.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// Runs `work` until it returns `Ok` or `shutdown` ends; after an error, again with backoff. A panic is an error
/// like any other.
pub async fn supervise<F, Fut>(name: &str, feed: &Feed, shutdown: &CancellationToken, mut work: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let mut backoff = Backoff::for_workers();
    loop {
        tell(feed, name, "starting", None);
        let began = tokio::time::Instant::now();
        let outcome = tokio::spawn(work()).await;
        let reason = match outcome {
            Ok(Ok(())) => {
                tell(feed, name, "stopped", None);
                return;
            }
            Ok(Err(error)) => error.report(),
            // The threads that it ran on are going: nothing failed, and there is nothing to start it on again.
            Err(join) if join.is_cancelled() => {
                tell(feed, name, "stopped", None);
                return;
            }
            Err(join) => format!("it panicked: {join}"),
        };
        if shutdown.is_cancelled() {
            tell(feed, name, "stopped", Some(reason));
            return;
        }
        if began.elapsed() >= HEALTHY_AFTER {
            backoff.reset();
        }
        let delay = backoff.next_delay();
        tracing::error!(worker = name, retry_in_ms = delay.as_millis(), "worker failed: {reason}");
        metrics::counter!("vumi_worker_restarts_total", "worker" => name.to_owned()).increment(1);
        tell(feed, name, "waiting", Some(reason));
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = shutdown.cancelled() => {
                tell(feed, name, "stopped", None);
                return;
            }
        }
    }
}

fn tell(feed: &Feed, name: &str, state: &str, reason: Option<String>) {
    feed.tell(|| Happening::Worker { name: name.to_owned(), state: state.to_owned(), reason });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test(start_paused = true)]
    async fn failures_and_panics_are_started_again() {
        let tries = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&tries);
        supervise("w", &Feed::default(), &CancellationToken::new(), move || {
            let n = counter.fetch_add(1, Ordering::SeqCst);
            async move {
                match n {
                    0 => Err(Error::temporary("not yet")),
                    1 => panic!("on purpose"),
                    _ => Ok(()),
                }
            }
        })
        .await;
        assert_eq!(tries.load(Ordering::SeqCst), 3);
    }
}
