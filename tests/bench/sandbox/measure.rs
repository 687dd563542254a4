//! Callers who work side by side for a while, and the table of what they got done.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What one phase gave.
pub struct Sample {
    /// Messages per second.
    rate: f64,
    /// The middle time of one message, in microseconds.
    p50: f64,
    /// The time that one message in a hundred passed, in microseconds.
    p99: f64,
}

impl Sample {
    /// Of the times of single messages, in nanoseconds, within `elapsed`.
    pub fn new(mut nanos: Vec<u64>, elapsed: Duration) -> Self {
        assert!(!nanos.is_empty(), "a phase was too short for a single message");
        nanos.sort_unstable();
        let at = |share: f64| nanos[((nanos.len() - 1) as f64 * share) as usize] as f64 / 1e3;
        Self { rate: nanos.len() as f64 / elapsed.as_secs_f64(), p50: at(0.50), p99: at(0.99) }
    }
}

/// Lets `callers` tasks repeat `step` (given the caller's number) for the time of a phase.
pub async fn in_parallel<F>(
    callers: usize,
    phase: Duration,
    step: impl Fn(usize) -> F + Send + Sync + 'static,
) -> Sample
where
    F: Future<Output = ()> + Send + 'static,
{
    let began = Instant::now();
    let nanos = times(callers, phase, step).await;
    Sample::new(nanos, began.elapsed())
}

/// As [`in_parallel`]; the times of the single steps in nanoseconds.
pub async fn times<F>(callers: usize, phase: Duration, step: impl Fn(usize) -> F + Send + Sync + 'static) -> Vec<u64>
where
    F: Future<Output = ()> + Send + 'static,
{
    let step = Arc::new(step);
    let end = Instant::now() + phase;
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let step = Arc::clone(&step);
        tasks.spawn(async move {
            let mut nanos = Vec::with_capacity(1 << 15);
            let mut began = Instant::now();
            while began < end {
                step(caller).await;
                let now = Instant::now();
                nanos.push(u64::try_from(now.duration_since(began).as_nanos()).unwrap_or(u64::MAX));
                began = now;
            }
            nanos
        });
    }
    tasks.join_all().await.concat()
}

/// One row per kind, medians over the rounds.
#[derive(Default)]
pub struct Table {
    rows: Vec<(&'static str, Vec<Sample>)>,
}

impl Table {
    /// Adds the sample of one round.
    pub fn add(&mut self, name: &'static str, sample: Sample) {
        match self.rows.iter_mut().find(|(known, _)| *known == name) {
            Some((_, samples)) => samples.push(sample),
            None => self.rows.push((name, vec![sample])),
        }
    }

    /// Messages per second of a row.
    pub fn rate(&self, name: &str) -> f64 {
        let (_, samples) = self.rows.iter().find(|(known, _)| *known == name).expect("a row of this name");
        median(samples, |sample| sample.rate)
    }
}

fn median(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> f64 {
    let mut figures: Vec<f64> = samples.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {:<37} | {:>10} | {:>9} | {:>9} |", "way", "messages/s", "p50 in µs", "p99 in µs")?;
        writeln!(f, "| {:-<37} | {:->10} | {:->9} | {:->9} |", "", ":", ":", ":")?;
        for (name, samples) in &self.rows {
            let rate = median(samples, |sample| sample.rate);
            let (p50, p99) = (median(samples, |sample| sample.p50), median(samples, |sample| sample.p99));
            writeln!(f, "| {name:<37} | {rate:>10.0} | {p50:>9.0} | {p99:>9.0} |")?;
        }
        Ok(())
    }
}
