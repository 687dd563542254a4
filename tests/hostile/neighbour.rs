//! A well-behaved app beside an attack: it must go on answering.

use std::future::Future;
use std::time::{Duration, Instant};

use vumi_core::Outcome;

use crate::kit::Rig;

/// Answers that the neighbour gives during each attack, at least.
const ANSWERS: usize = 20;

/// Carries out an attack, again and again until a neighbour has answered often enough meanwhile; what came of each
/// attack is judged by `judge`.
///
/// # Panics
/// When the neighbour fails, or does not get on within the patience of tests.
pub async fn beside<T, F: Future<Output = T>>(what: &str, mut attack: impl FnMut() -> F, mut judge: impl FnMut(T)) {
    let began = Instant::now();
    let neighbour = tokio::spawn(neighbour());
    let mut attacks = 0;
    while !neighbour.is_finished() || attacks == 0 {
        judge(attack().await);
        attacks += 1;
        assert!(began.elapsed() < vumi_tests::PATIENCE, "{what}: the neighbour does not get on");
    }
    let slowest = neighbour.await.unwrap_or_else(|error| panic!("{what}: the neighbour failed: {error}"));
    println!("{what}: {attacks} attacks in {:?}; the neighbour's slowest answer took {slowest:?}", began.elapsed());
}

/// Answers as often as is needed; the longest time that it took.
async fn neighbour() -> Duration {
    let mut rig = Rig::with("neighbour", |_| {});
    let mut slowest = Duration::ZERO;
    for n in 1..=ANSWERS {
        let began = Instant::now();
        let answer = rig.ask(&format!("echo hello {n}")).await;
        answer.ended(Outcome::Ok);
        assert_eq!(answer.text(), format!("hello {n}"));
        assert_eq!(rig.ask("kv-incr answers").await.text(), format!("ok {n}"));
        slowest = slowest.max(began.elapsed());
    }
    slowest
}
