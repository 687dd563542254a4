//! The phases: so many tasks call an engine for so long, each waiting for its answer before it asks again.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::engine::Engine;

/// The size of a body or a value, in bytes.
const BODY: usize = 500;

/// Ids are never used twice in a run.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// What a phase achieved.
pub struct Outcome {
    /// Confirmed operations.
    pub operations: u64,
    /// How long they took.
    pub elapsed: Duration,
    /// The ids of the messages that were put.
    pub ids: VecDeque<u64>,
}

impl Outcome {
    /// Operations per second.
    pub fn rate(&self) -> f64 {
        self.operations as f64 / self.elapsed.as_secs_f64()
    }
}

/// Bodies that no compression or page sharing makes cheap.
fn body(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..BODY).map(|_| random.next() as u8).collect()
}

fn key(n: u64) -> String {
    format!("sandbox:key:{n:06}")
}

/// Puts messages until the time is over.
pub async fn put(engine: &impl Engine, tasks: u64, time: Duration) -> Outcome {
    let ids = Arc::new(Mutex::new(VecDeque::new()));
    let template = body(1);
    let (engine, list) = (engine.clone(), Arc::clone(&ids));
    let mut outcome = until(time, tasks, move |_| {
        let (engine, list, body) = (engine.clone(), Arc::clone(&list), template.clone());
        async move {
            let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
            engine.put(id, body).await;
            list.lock().expect("sound").push_back(id);
        }
    })
    .await;
    outcome.ids = std::mem::take(&mut ids.lock().expect("sound"));
    outcome
}

/// Takes all these messages, reading and then removing each.
pub async fn ack(engine: &impl Engine, tasks: u64, ids: VecDeque<u64>) -> Outcome {
    let operations = ids.len() as u64;
    let ids = Arc::new(Mutex::new(ids));
    let started = Instant::now();
    let consumers: Vec<_> = (0..tasks)
        .map(|_| {
            let (engine, ids) = (engine.clone(), Arc::clone(&ids));
            tokio::spawn(async move {
                loop {
                    let next = ids.lock().expect("sound").pop_front();
                    let Some(id) = next else { break };
                    assert_eq!(engine.lease(id).await.len(), BODY);
                    engine.ack(id).await;
                }
            })
        })
        .collect();
    for consumer in consumers {
        consumer.await.expect("ends");
    }
    Outcome { operations, elapsed: started.elapsed(), ids: VecDeque::new() }
}

/// Writes every key once, a thousand at a time.
pub async fn load(engine: &impl Engine, keys: u64) {
    let next = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let (engine, next) = (engine.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= keys {
                        break;
                    }
                    engine.set(key(n), body(n)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("ends");
    }
}

/// Reads random keys.
pub async fn get(engine: &impl Engine, tasks: u64, keys: u64, time: Duration) -> Outcome {
    let engine = engine.clone();
    until(time, tasks, move |random| {
        let (engine, key) = (engine.clone(), key(random.next() % keys));
        async move { assert_eq!(engine.get(key).await.map(|value| value.len()), Some(BODY)) }
    })
    .await
}

/// Writes random keys.
pub async fn set(engine: &impl Engine, tasks: u64, keys: u64, time: Duration) -> Outcome {
    let template = body(2);
    let engine = engine.clone();
    until(time, tasks, move |random| {
        let (engine, key, body) = (engine.clone(), key(random.next() % keys), template.clone());
        async move { engine.set(key, body).await }
    })
    .await
}

/// Increments random counters.
pub async fn incr(engine: &impl Engine, tasks: u64, keys: u64, time: Duration) -> Outcome {
    let engine = engine.clone();
    until(time, tasks, move |random| {
        let (engine, key) = (engine.clone(), key(random.next() % keys));
        async move { assert!(engine.incr(key).await > 0) }
    })
    .await
}

/// Lets `tasks` tasks do one operation after the other until `time` is over, and waits for the last answers.
async fn until<F, Op>(time: Duration, tasks: u64, operation: F) -> Outcome
where
    F: Fn(&mut Random) -> Op + Clone + Send + 'static,
    Op: Future<Output = ()> + Send,
{
    let started = Instant::now();
    let callers: Vec<_> = (0..tasks)
        .map(|task| {
            let operation = operation.clone();
            tokio::spawn(async move {
                let mut random = Random::new(NEXT_ID.fetch_add(1, Ordering::Relaxed) ^ (task << 32));
                let mut done = 0;
                while started.elapsed() < time {
                    operation(&mut random).await;
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut operations = 0;
    for caller in callers {
        operations += caller.await.expect("ends");
    }
    Outcome { operations, elapsed: started.elapsed(), ids: VecDeque::new() }
}

/// A small generator (xorshift64*), so that runs are alike and cost nothing.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }
}
