//! A well-behaved app beside an attack: it must go on answering.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
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

/// A well-behaved app that is asked one question after the other until it is told to stop.
pub struct Neighbour {
    /// How often it has answered, and the longest time that it took.
    answers: watch::Receiver<(u64, Duration)>,
    stop: watch::Sender<bool>,
    asks: JoinHandle<Duration>,
}

impl Neighbour {
    /// Starts asking.
    pub fn start() -> Self {
        let (count, answers) = watch::channel((0, Duration::ZERO));
        let (stop, stopped) = watch::channel(false);
        let asks = tokio::spawn(async move {
            let mut rig = Rig::with("neighbour", |_| {});
            let (mut slowest, mut pace) = (Duration::ZERO, tokio::time::interval(Duration::from_millis(5)));
            while !*stopped.borrow() {
                let began = Instant::now();
                let next = count.borrow().0 + 1;
                let answer = rig.ask(&format!("echo hello {next}")).await;
                answer.ended(Outcome::Ok);
                assert_eq!(answer.text(), format!("hello {next}"));
                assert_eq!(rig.ask("kv-incr answers").await.text(), format!("ok {next}"));
                slowest = slowest.max(began.elapsed());
                let _ = count.send((next, slowest));
                pace.tick().await;
            }
            slowest
        });
        Self { answers, stop, asks }
    }

    /// How often it has answered.
    pub fn answers(&self) -> u64 {
        self.answers.borrow().0
    }

    /// The longest time that two answers took, so far.
    pub fn slowest(&self) -> Duration {
        self.answers.borrow().1
    }

    /// Waits until it has answered so often.
    ///
    /// # Errors
    /// When it does not, within the patience of tests.
    pub async fn answered(&self, count: u64) -> Result<(), String> {
        let mut answers = self.answers.clone();
        match tokio::time::timeout(vumi_tests::PATIENCE, answers.wait_for(|(now, _)| *now >= count)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err("the neighbour failed".to_owned()),
            Err(_) => Err("the neighbour does not get on".to_owned()),
        }
    }

    /// Stops asking; the longest time that two answers took.
    ///
    /// # Panics
    /// When an answer was wrong.
    pub async fn stop(self) -> Duration {
        self.stop.send_replace(true);
        self.asks.await.expect("the neighbour answers well")
    }
}
