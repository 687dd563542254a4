//! Moments of expiry, in milliseconds since the epoch, as Redis keeps them.

use std::time::Duration;

use vumi_core::Clock;

/// How long a counter of keys stays after it has fallen to zero. Long enough to be looked at, and short enough that
/// namespaces that come and go do not fill the store with zeros.
pub(crate) const ZERO_COUNTER: Duration = Duration::from_secs(3600);

/// Now, in milliseconds since the epoch.
pub(crate) fn now_ms(clock: &dyn Clock) -> i64 {
    clock.now().micros().div_euclid(1_000)
}

/// The moment `ttl` after `now`, rounded up to the millisecond: never shorter than asked for.
pub(crate) fn moment(now: i64, ttl: Duration) -> i64 {
    let millis = ttl.as_nanos().div_ceil(1_000_000);
    now.saturating_add(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// True while a key that expires at `expires` (`None`: never) is there. At the moment itself it is gone.
pub(crate) fn is_live(expires: Option<i64>, now: i64) -> bool {
    expires.is_none_or(|at| at > now)
}

/// Milliseconds from `now` to `expires`.
pub(crate) fn left_ms(expires: i64, now: i64) -> u64 {
    u64::try_from(expires.saturating_sub(now)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_round_up_and_never_wrap() {
        assert_eq!(moment(10, Duration::from_micros(1)), 11);
        assert_eq!(moment(10, Duration::from_millis(5)), 15);
        assert_eq!(moment(10, Duration::ZERO), 10);
        assert_eq!(moment(10, Duration::MAX), i64::MAX);
        assert_eq!(left_ms(moment(0, Duration::MAX), -5), i64::MAX as u64);
        assert_eq!(left_ms(3, 7), 0);
    }

    #[test]
    fn a_key_is_gone_at_its_moment() {
        assert!(is_live(Some(11), 10));
        assert!(!is_live(Some(10), 10));
        assert!(is_live(None, i64::MAX));
    }
}
