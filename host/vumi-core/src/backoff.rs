//! Waiting longer after each failure, with jitter, as Vumi's reconnecting clients did (specification: transports,
//! common, section C10): the first wait is about 2.7 s there; here the first delay, the factor and the cap are
//! options.

use std::time::Duration;

/// Delays for repeated attempts.
#[derive(Clone, Debug)]
pub struct Backoff {
    initial: Duration,
    factor: f64,
    max: Duration,
    jitter: f64,
    failures: u32,
}

impl Backoff {
    /// Delays of `initial`, `initial × factor`, … up to `max`, each changed by up to ± 12 %.
    pub fn new(initial: Duration, factor: f64, max: Duration) -> Self {
        Self { initial, factor, max, jitter: 0.12, failures: 0 }
    }

    /// For workers that fail: 0.5 s, doubling, at most a minute.
    pub fn for_workers() -> Self {
        Self::new(Duration::from_millis(500), 2.0, Duration::from_secs(60))
    }

    /// For messages that a host-side fault held up: 0.2 s, doubling, at most 30 s.
    pub fn for_messages() -> Self {
        Self::new(Duration::from_millis(200), 2.0, Duration::from_secs(30))
    }

    /// The delay after one more failure.
    pub fn next_delay(&mut self) -> Duration {
        let delay = self.delay_after(self.failures);
        self.failures = self.failures.saturating_add(1);
        delay
    }

    /// The delay after `failures` failures before this one, without keeping count.
    pub fn delay_after(&self, failures: u32) -> Duration {
        let exponent = i32::try_from(failures.min(1_000)).unwrap_or(1_000);
        let base = self.initial.as_secs_f64() * self.factor.powi(exponent);
        let capped = base.min(self.max.as_secs_f64());
        // Two hosts that lost the same server must not come back in step. A fresh id is random enough for that.
        let spread = (uuid::Uuid::new_v4().as_u128() % 2_001) as f64 / 1_000.0 - 1.0;
        Duration::from_secs_f64((capped * (1.0 + self.jitter * spread)).max(0.0))
    }

    /// Starts again from the first delay, after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// How many failures since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_cap_and_start_again() {
        let mut backoff = Backoff::new(Duration::from_secs(1), 2.0, Duration::from_secs(5));
        let seen: Vec<f64> = (0..5).map(|_| backoff.next_delay().as_secs_f64()).collect();
        for (delay, base) in seen.iter().zip([1.0, 2.0, 4.0, 5.0, 5.0]) {
            assert!((delay / base - 1.0).abs() <= 0.121, "{delay} is too far from {base}");
        }
        backoff.reset();
        assert!(backoff.next_delay().as_secs_f64() < 1.2);
        assert!(backoff.delay_after(u32::MAX).as_secs_f64() < 6.0);
    }
}
