//! Work that is done at once and then again and again: deliveries, garbage collection, monitors.

use std::future::Future;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use vumi_core::{Error, Result};

/// Does `work` at once and then every `period`, until `shutdown` ends. Work that has begun is finished; work that
/// takes longer than a period puts the next one off.
pub(crate) async fn every<F, Fut>(period: Duration, shutdown: &CancellationToken, mut work: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = ()>,
{
    // An interval of nothing would panic.
    let mut ticks = tokio::time::interval(period.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        work().await;
    }
}

/// Seconds from a configuration as a duration.
///
/// # Errors
/// When the number is negative, not finite or out of all bounds.
pub(crate) fn seconds(key: &str, value: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(value).ok().filter(|duration| *duration <= LONGEST).ok_or_else(|| {
        Error::permanent(format!("`{key}` is {value}: write a number of seconds from 0 to {}", LONGEST.as_secs()))
    })
}

/// Ten years: longer than any wait makes sense, and short enough that nothing overflows.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test(start_paused = true)]
    async fn at_once_and_then_every_period_until_the_end() {
        let (shutdown, count) = (CancellationToken::new(), AtomicU32::new(0));
        let began = tokio::time::Instant::now();
        every(Duration::from_secs(3), &shutdown, || async {
            if count.fetch_add(1, Ordering::SeqCst) == 4 {
                shutdown.cancel();
            }
        })
        .await;
        assert_eq!(began.elapsed(), Duration::from_secs(12));
        every(Duration::ZERO, &shutdown, || async { panic!("it has ended") }).await;
    }

    #[test]
    fn odd_numbers_of_seconds_are_refused() {
        assert_eq!(seconds("p", 0.25).unwrap(), Duration::from_millis(250));
        for odd in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(seconds("delivery_period", odd).unwrap_err().to_string().contains("`delivery_period` is"), "{odd}");
        }
    }
}
