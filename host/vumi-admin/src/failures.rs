//! How many wrong tokens an address may send: ten at once, and one more every six seconds. Further ones are answered
//! with 429 and are not logged one by one.
//!
//! A right token is taken at any time, also from an address that has used this up: otherwise anybody behind the same
//! proxy or network could keep an owner out. So the limit is not what makes guessing hopeless, which is the tokens' 256
//! random bits; it keeps the log readable and shows that somebody tries. For the same reason `admin.token` should be
//! random too.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How many wrong tokens may come at once.
const BURST: u32 = 10;
/// After how long one more may come.
const REFILL: Duration = Duration::from_secs(6);
/// How many addresses one generation remembers; there are two.
const GENERATION: usize = 5_000;

/// The failures of all addresses.
///
/// Each is one time: when all its failures so far are forgiven (the generic cell rate algorithm, which is a token
/// bucket without a counter). The addresses are kept in two generations: when the young one is full it becomes the old
/// one, and those that failed longest ago are forgotten, at no cost per address.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<IpAddr, Instant>,
    old: HashMap<IpAddr, Instant>,
}

impl Failures {
    /// Counts a wrong token from an address.
    ///
    /// # Errors
    /// How long the address has to wait, when it had used up its failures before this one.
    pub(crate) fn count(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let network = network(address);
        let mut generations = self.0.lock();
        let forgiven = generations.get(network).map_or(now, |at| at.max(now));
        let with_this = forgiven + REFILL;
        let wait = with_this.saturating_duration_since(now).saturating_sub(REFILL * BURST);
        let counts = wait.is_zero();
        generations.put(network, if counts { with_this } else { forgiven });
        if counts { Ok(()) } else { Err(wait) }
    }
}

impl Generations {
    fn get(&self, network: IpAddr) -> Option<Instant> {
        self.young.get(&network).or_else(|| self.old.get(&network)).copied()
    }

    fn put(&mut self, network: IpAddr, at: Instant) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&network) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(network, at);
    }
}

/// What counts as one address: with IPv6 the /64, which is what one customer has at least.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ten_failures_at_once_and_then_one_every_six_seconds() {
        let (failures, start) = (Failures::default(), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for _ in 0..10 {
            assert_eq!(failures.count(ip("192.0.2.1"), at(0)), Ok(()));
        }
        // Those that are refused do not make it longer.
        for _ in 0..100 {
            assert_eq!(failures.count(ip("192.0.2.1"), at(1)), Err(Duration::from_secs(5)));
        }
        assert_eq!(failures.count(ip("192.0.2.2"), at(1)), Ok(()), "another address");
        assert_eq!(failures.count(ip("192.0.2.1"), at(6)), Ok(()));
        assert_eq!(failures.count(ip("192.0.2.1"), at(6)), Err(Duration::from_secs(6)));
        for _ in 0..10 {
            assert_eq!(failures.count(ip("192.0.2.1"), at(66)), Ok(()), "a minute later all is forgiven");
        }
        assert!(failures.count(ip("192.0.2.1"), at(66)).is_err());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let (failures, now) = (Failures::default(), Instant::now());
        for host in 0..10 {
            failures.count(ip(&format!("2001:db8:0:1::{host}")), now).unwrap();
        }
        assert!(failures.count(ip("2001:db8:0:1:ffff::1"), now).is_err());
        assert!(failures.count(ip("2001:db8:0:2::1"), now).is_ok());
        for _ in 0..10 {
            failures.count(ip("::ffff:192.0.2.1"), now).unwrap();
        }
        assert!(failures.count(ip("192.0.2.1"), now).is_err(), "the same address, written twice");
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_are_forgotten() {
        let (failures, now) = (Failures::default(), Instant::now());
        let fail = |number: u32| failures.count(IpAddr::V4(number.into()), now);
        while fail(0).is_ok() {}
        for number in 1..8_000 {
            fail(number).unwrap();
        }
        assert!(fail(0).is_err(), "still remembered, and young again");
        for number in 8_000..100_000 {
            fail(number).unwrap();
        }
        let generations = failures.0.lock();
        assert!(generations.young.len() + generations.old.len() <= 10_000);
        assert_eq!(generations.get(IpAddr::V4(0.into())), None);
        assert!(generations.get(IpAddr::V4(99_999.into())).is_some());
    }
}
