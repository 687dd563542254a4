//! CPU time of a run, by the clock of the thread that runs it, from one poll of the run's future to its end, so that a
//! busy machine never stops an innocent guest. The run may move between threads from poll to poll; polls are added up.
//!
//! Reading that clock is a system call, and two of them per message cost as much as a host call. Most polls are far
//! shorter than the time between two looks at the clock that would matter, so a poll is measured roughly at first, in
//! such a way that the figure is never below the true one nor above the time that passed:
//!
//! * A poll of less than [`FRESH`] counts with the time that passed, which is its CPU time unless another process had
//!   the processor meanwhile.
//! * A longer one has the thread's clock read at its end, and begins at a reading of this thread that may be older than
//!   the poll, by less than [`FRESH`].
//!
//! Once a run has used a hundredth of its limit both ends of every poll are read. Rough figures so make up at most that
//! hundredth and one poll; limits so small that this would matter are measured exactly from the start.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::time::Sleep;

/// How long a reading of a thread's clock serves as the beginning of later polls.
const FRESH: Duration = Duration::from_micros(250);

/// The part of the limit that may be measured roughly: one in so many.
const ROUGH_PART: u32 = 100;

/// The latest reading of a thread's CPU clock.
#[derive(Clone, Copy)]
struct Reading {
    cpu_ns: u64,
    at: Instant,
}

thread_local! {
    static LATEST: Cell<Option<Reading>> = const { Cell::new(None) };
}

/// CPU time of this thread.
fn thread_cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// CPU time of one run, shared between the wrapper around its future and the check inside the guest.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    /// Up to this sum polls are measured roughly.
    rough_ns: u64,
    finished_polls_ns: AtomicU64,
    poll_began_ns: AtomicU64,
}

impl CpuMeter {
    /// For a run that may use so much.
    pub(crate) fn new(limit: Duration) -> Self {
        let rough = limit / ROUGH_PART;
        let rough_ns = if rough < FRESH { 0 } else { nanos(rough) };
        Self { rough_ns, finished_polls_ns: AtomicU64::new(0), poll_began_ns: AtomicU64::new(0) }
    }

    /// Used so far; to be called from within a poll of the run.
    pub(crate) fn used_now(&self) -> Duration {
        let running = thread_cpu_ns().saturating_sub(self.poll_began_ns.load(Ordering::Relaxed));
        Duration::from_nanos(self.finished_polls_ns.load(Ordering::Relaxed).saturating_add(running))
    }

    /// Used in whole polls; to be called after the run.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.finished_polls_ns.load(Ordering::Relaxed))
    }

    fn is_rough(&self) -> bool {
        self.finished_polls_ns.load(Ordering::Relaxed) < self.rough_ns
    }

    /// A poll begins.
    fn begin(&self, at: Instant) {
        let latest = LATEST.get().filter(|latest| self.is_rough() && at.saturating_duration_since(latest.at) < FRESH);
        let began = latest.unwrap_or_else(|| read(at)).cpu_ns;
        self.poll_began_ns.store(began, Ordering::Relaxed);
    }

    /// The poll that began at `began` ends.
    fn end(&self, began: Instant) {
        let at = Instant::now();
        let passed = at.saturating_duration_since(began);
        let spent = if self.is_rough() && passed < FRESH {
            nanos(passed)
        } else {
            let spent = read(at).cpu_ns.saturating_sub(self.poll_began_ns.load(Ordering::Relaxed));
            spent.min(nanos(passed))
        };
        self.finished_polls_ns.fetch_add(spent, Ordering::Relaxed);
    }
}

fn read(at: Instant) -> Reading {
    let reading = Reading { cpu_ns: thread_cpu_ns(), at };
    LATEST.set(Some(reading));
    reading
}

/// A run's future: its polls are timed, and it ends when its time is over. What never has to wait needs no timer.
pub(crate) struct Timed<'a, F> {
    inner: Pin<&'a mut F>,
    meter: Arc<CpuMeter>,
    deadline: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<'a, F> Timed<'a, F> {
    /// Until `deadline` at most.
    pub(crate) fn new(inner: Pin<&'a mut F>, meter: Arc<CpuMeter>, deadline: Instant) -> Self {
        Self { inner, meter, deadline, timer: None }
    }
}

impl<F: Future> Future for Timed<'_, F> {
    /// `None` when the deadline came first.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let began = Instant::now();
        this.meter.begin(began);
        let answer = this.inner.as_mut().poll(cx);
        this.meter.end(began);
        if let Poll::Ready(answer) = answer {
            return Poll::Ready(Some(answer));
        }
        let deadline = this.deadline;
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        timer.as_mut().poll(cx).map(|()| None)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    const LARGE: Duration = Duration::from_secs(1);
    const SMALL: Duration = Duration::from_millis(10);

    /// Uses so much CPU time, by the thread's clock.
    fn work(time: Duration) {
        let began = thread_cpu_ns();
        while thread_cpu_ns() - began < nanos(time) {}
    }

    /// What polls of `step`, one after the other, are counted with, and what they used by the thread's clock.
    async fn measured(limit: Duration, polls: usize, step: impl Fn()) -> (Duration, Duration) {
        let meter = Arc::new(CpuMeter::new(limit));
        let mut left = polls;
        let truly = Cell::new(0);
        let steps = pin!(std::future::poll_fn(|cx| {
            let began = thread_cpu_ns();
            step();
            truly.set(truly.get() + thread_cpu_ns() - began);
            left -= 1;
            cx.waker().wake_by_ref();
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        }));
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!(Timed::new(steps, Arc::clone(&meter), deadline).await, Some(()));
        (meter.used(), Duration::from_nanos(truly.get()))
    }

    #[tokio::test]
    async fn work_counts_in_full_whatever_the_length_of_its_polls() {
        for limit in [SMALL, LARGE] {
            for (polls, micros) in [(1, 50), (1, 20_000), (20, 300), (2_000, 20)] {
                let (counted, truly) = measured(limit, polls, || work(Duration::from_micros(micros))).await;
                // The two clocks may drift apart by a few parts in a million.
                assert!(counted + truly / 1_000 >= truly, "{polls} polls: {counted:?} for {truly:?}");
            }
        }
    }

    #[tokio::test]
    async fn time_that_another_had_the_processor_does_not_count() {
        for limit in [SMALL, LARGE] {
            // A thread that sleeps within a poll is as a process that is not given the processor.
            let (counted, _) = measured(limit, 20, || std::thread::sleep(Duration::from_millis(3))).await;
            assert!(counted < Duration::from_millis(30), "{counted:?} of at least 60 ms");
        }
    }

    #[tokio::test]
    async fn rough_figures_make_up_a_hundredth_of_the_limit_at_most() {
        let (counted, truly) = measured(LARGE, 2_000, || std::thread::sleep(Duration::from_micros(1))).await;
        let rough = LARGE / ROUGH_PART + FRESH;
        // What a poll takes beside its step counts too: a microsecond or two, more in a debug build.
        let beside = 2_000 * Duration::from_micros(20);
        assert!(counted <= truly + rough + beside, "{counted:?} for {truly:?}");
    }

    #[tokio::test]
    async fn the_deadline_ends_what_waits() {
        let waiting = pin!(std::future::pending::<()>());
        let deadline = Instant::now() + Duration::from_millis(5);
        assert_eq!(Timed::new(waiting, Arc::new(CpuMeter::new(LARGE)), deadline).await, None);
        assert!(Instant::now() >= deadline);
    }
}
