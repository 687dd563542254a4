//! A long random walk, every answer of which is compared with that of a model too simple to be wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use vumi_core::{KeyQuota, KvEntry, Quota};

use crate::kit::KvBench;

const KEYS: [&str; 8] = ["a#1", "a#2", "a#3", "a#4", "b#1", "b#2", "b#3", "b#4"];
const SOFT: u64 = 2;
const HARD: u64 = 4;
const MINUTES: Duration = Duration::from_secs(600);

struct Held {
    value: i64,
    expires_ms: Option<u64>,
    counted: bool,
}

/// Keys are counted in `count#` and their first letter.
#[derive(Default)]
struct Model {
    now_ms: u64,
    keys: BTreeMap<&'static str, Held>,
}

impl Model {
    fn tick(&mut self, by_ms: u64) {
        self.now_ms += by_ms;
        let now = self.now_ms;
        self.keys.retain(|_, held| held.expires_ms.is_none_or(|at| at > now));
    }

    fn count(&self, owner: &str) -> u64 {
        self.keys.iter().filter(|(key, held)| key.starts_with(owner) && held.counted).count() as u64
    }

    fn put(&mut self, key: &'static str, value: i64, ttl_ms: Option<u64>, counted: bool) {
        let expires_ms = ttl_ms.map(|ttl| self.now_ms + ttl);
        let counted = self.keys.get(key).map_or(counted, |held| held.counted);
        self.keys.insert(key, Held { value, expires_ms, counted });
    }

    fn admit(&self, key: &str) -> Result<u64, ()> {
        let n = self.count(&key[..1]) + 1;
        // The soft limit is below the hard one here and decides nothing.
        if n >= HARD { Err(()) } else { Ok(n) }
    }

    fn left_ms(&self, key: &str) -> Option<u64> {
        self.keys.get(key)?.expires_ms.map(|at| at - self.now_ms)
    }
}

/// A generator of numbers that are the same in every run (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

pub(crate) async fn a_long_random_walk_agrees_with_a_simple_model(bench: KvBench) {
    let (kv, mut model, mut dice) = (&bench.kv, Model::default(), Dice(7));
    // With Redis, whose clock cannot be moved, no key expires during the walk, and counted keys are written and deleted
    // by the calls under a quota alone, as sandboxes do.
    let redis = bench.redis;
    for step in 0..if redis { 1_000 } else { 4_000 } {
        let key = KEYS[dice.below(8) as usize];
        let (owner, counter) = (&key[..1], format!("count#{}", &key[..1]));
        let quota = KeyQuota { counter: &counter, soft: SOFT, hard: HARD };
        let value = dice.below(100) as i64;
        let ttl_ms = (dice.below(3) > 0).then(|| dice.below(5_000) + if redis { 1_000_000 } else { 0 });
        let ttl = ttl_ms.map(Duration::from_millis);
        let there = model.keys.get(key).map(|held| held.value);
        let counted = model.keys.get(key).map(|held| held.counted);
        match dice.below(9) {
            0 | 1 | 3 if redis && counted == Some(true) => {
                assert!(kv.delete_within(key, &counter).await.expect("deletes"));
                model.keys.remove(key);
            }
            5..=7 if redis && counted == Some(false) => {
                assert!(kv.delete(key).await.expect("deletes"));
                model.keys.remove(key);
            }
            0 if redis => {}
            0 => {
                let by = dice.below(2_000);
                bench.clock.advance(Duration::from_millis(by));
                model.tick(by);
            }
            1 => {
                kv.set(key, &value.to_string(), ttl).await.expect("sets");
                model.put(key, value, ttl_ms, false);
            }
            2 => {
                assert_eq!(kv.set_if_absent(key, &value.to_string(), ttl).await.expect("sets"), there.is_none());
                if there.is_none() {
                    model.put(key, value, ttl_ms, false);
                }
            }
            3 => {
                assert_eq!(kv.delete(key).await.expect("deletes"), model.keys.remove(key).is_some());
            }
            4 => {
                assert_eq!(kv.incr(key, value).await.expect("adds"), there.unwrap_or(0) + value);
                let left = model.left_ms(key);
                model.put(key, there.unwrap_or(0) + value, left, false);
            }
            5 | 6 => {
                let answer = kv.set_within(key, &value.to_string(), ttl, quota).await.expect("answers");
                let wanted = match (there, model.admit(key)) {
                    (Some(_), _) => Quota::Changed(()),
                    (None, Ok(count)) => Quota::Created { value: (), count },
                    (None, Err(())) => Quota::TooMany,
                };
                assert_eq!(answer, wanted, "step {step}");
                if answer != Quota::TooMany {
                    model.put(key, value, ttl_ms, true);
                }
            }
            7 => {
                let answer = kv.incr_within(key, value, quota).await.expect("answers");
                let sum = there.unwrap_or(0) + value;
                let wanted = match (there, model.admit(key)) {
                    (Some(_), _) => Quota::Changed(sum),
                    (None, Ok(count)) => Quota::Created { value, count },
                    (None, Err(())) => Quota::TooMany,
                };
                assert_eq!(answer, wanted, "step {step}");
                if answer != Quota::TooMany {
                    let left = model.left_ms(key);
                    model.put(key, sum, left, true);
                }
            }
            _ => {
                // Only counted keys may be deleted so.
                if model.keys.get(key).is_none_or(|held| held.counted) {
                    let existed = kv.delete_within(key, &counter).await.expect("deletes");
                    assert_eq!(existed, model.keys.remove(key).is_some());
                }
            }
        }
        // No time at all is no life at all.
        model.tick(0);
        assert_eq!(bench.count(&counter).await, model.count(owner), "the counter {counter} at step {step}");
        let held = model.keys.get(key);
        assert_eq!(bench.get(key).await, held.map(|held| held.value.to_string()), "{key} at step {step}");
        let left = kv.ttl(key).await.expect("ttl");
        let wanted = model.left_ms(key).map(Duration::from_millis);
        if redis {
            // The walk takes less than the ten minutes that every time to live is longer.
            let near = |left: Duration| wanted.is_some_and(|wanted| left <= wanted && left + MINUTES > wanted);
            assert!(left.map_or(wanted.is_none(), near), "{key} at step {step}: {left:?}, not {wanted:?}");
        } else {
            assert_eq!(left, wanted, "{key} at step {step}");
        }
        if step % 50 == 0 {
            let mut listed = kv.list(owner, 100).await.expect("lists");
            for entry in listed.iter_mut().filter(|_| redis) {
                entry.ttl_ms = entry.ttl_ms.and(model.left_ms(&entry.key));
            }
            let entry = |(key, held): (&&str, &Held)| KvEntry {
                key: (*key).to_owned(),
                value: held.value.to_string(),
                ttl_ms: held.expires_ms.map(|at| at - model.now_ms),
            };
            let wanted: Vec<_> = model.keys.iter().filter(|(key, _)| key.starts_with(owner)).map(entry).collect();
            assert_eq!(listed, wanted, "step {step}");
        }
    }
}
