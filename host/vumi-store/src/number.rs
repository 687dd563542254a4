//! Numbers kept as text: what Redis takes as an integer, the sum, and the rule of the quota.

use vumi_core::KeyQuota;

use crate::error::StoreError;

/// The number in a stored text, by Redis' strict rule: exactly the text that Redis itself would write, so no blank, no
/// plus sign, no leading zero (<https://redis.io/docs/latest/commands/incr/>).
pub(crate) fn parse(text: &str) -> Result<i64, StoreError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.starts_with('+') || (digits.starts_with('0') && text != "0") {
        return Err(StoreError::NotAnInteger);
    }
    text.parse().map_err(|_| StoreError::NotAnInteger)
}

/// The sum.
pub(crate) fn add(number: i64, amount: i64) -> Result<i64, StoreError> {
    number.checked_add(amount).ok_or(StoreError::Overflow)
}

/// A counter of keys after one more key: `None` is a counter that is not there. A negative number, which only a foreign
/// hand can have written, counts as none.
pub(crate) fn one_more(counter: Option<&str>) -> Result<i64, StoreError> {
    add(counter.map_or(Ok(0), parse)?.max(0), 1)
}

/// A counter of keys after `gone` fewer keys, never below zero; `None` when its text is no number, which is then left
/// alone.
pub(crate) fn fewer(counter: &str, gone: i64) -> Option<i64> {
    let number = parse(counter).ok()?;
    Some(number.saturating_sub(gone).max(0))
}

/// Whether the quota takes the key that would be number `n` (specification: sandbox, section 5): refused when n > soft
/// and n >= hard.
pub(crate) fn admits(quota: &KeyQuota<'_>, n: u64) -> bool {
    n <= quota.soft || n < quota.hard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_strictly_as_redis_does() {
        for (text, number) in [("0", 0), ("5", 5), ("-12", -12), ("9223372036854775807", i64::MAX)] {
            assert_eq!(parse(text).expect("a number"), number);
        }
        assert_eq!(parse("-9223372036854775808").expect("a number"), i64::MIN);
        for text in
            ["", " 5", "5 ", "+5", "-+5", "05", "-05", "-0", "00", "-", "5.0", "1e3", "abc", "9223372036854775808"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_quota_s_edges() {
        let quota = |soft, hard| KeyQuota { counter: "c", soft, hard };
        assert!(admits(&quota(80, 100), 99) && !admits(&quota(80, 100), 100));
        assert!(admits(&quota(8, 10), 9) && !admits(&quota(8, 10), 10));
        // With soft at or above hard, soft decides.
        assert!(admits(&quota(10, 10), 10) && !admits(&quota(10, 10), 11));
        assert!(admits(&quota(20, 10), 20) && !admits(&quota(20, 10), 21));
        assert!(!admits(&quota(0, 0), 1) && !admits(&quota(0, 1), 1) && admits(&quota(0, 2), 1));
    }

    #[test]
    fn counters_stay_at_zero_or_above() {
        assert_eq!(one_more(None).expect("counts"), 1);
        assert_eq!(one_more(Some("-7")).expect("counts"), 1);
        assert_eq!(fewer("3", 5), Some(0));
        assert_eq!(fewer("x", 1), None);
    }
}
