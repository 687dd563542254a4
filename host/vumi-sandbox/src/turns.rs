//! Turns: apps that use much of the processors do not hold up apps that use little.
//!
//! Guests yield at every tick, but where forty busy ones take turns on two threads, a newcomer would wait for twenty of
//! them, and again at each of its own steps. So a few threads are kept free for small users. These are the apps that
//! use least, as many of them as together take but a small part of what all take; they run whenever they want. Whoever
//! uses more needs a turn, and of turns there are fewer than threads. While no small user is at work nothing is kept
//! free, so one busy app by itself has all threads.
//!
//! A turn lasts for one poll of a run: to the guest's next tick, or until it waits for something. The next turn goes to
//! the app that has used least lately, however many runs each of them has waiting. Waiting for a turn is no CPU time;
//! it is wall-clock time once the run has begun.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::cpu::CpuMeter;

/// What an app has used counts half after this time, a quarter after twice this time, and so on.
const HALF_LIFE: Duration = Duration::from_millis(100);

/// Of so many threads one is kept free for small users, and at least one in any case.
const THREADS_PER_SPARE: usize = 8;

/// Small users together take at most this part of what all apps take. Not of a thread's time, of which a busy machine
/// gives everybody less.
const SMALL_PART: u64 = 8;

/// Nor more than this part of the spare threads' time: with more, they would find them taken.
const SPARE_PART: u32 = 4;

/// Apps that together use less than this part of one thread are small users in any case.
const IDLE_PART: u32 = 50;

/// How long a small user counts as being at work after it ran.
const AT_WORK: Duration = Duration::from_millis(200);

/// What an app has used lately.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// CPU time in nanoseconds, halved with each half-life that ends.
    used: AtomicU64,
    /// Whether [`Line::active`] has it.
    listed: AtomicBool,
}

impl Account {
    fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

/// See the module's text. One for all apps of an engine.
#[derive(Debug)]
pub(crate) struct Turns {
    threads: usize,
    began: Instant,
    /// When the current half-life ends, in nanoseconds since the beginning.
    next_look: AtomicU64,
    /// Who has used less than this lately, in nanoseconds, is a small user.
    bound: AtomicU64,
    /// When the last small user's work counts as over, in nanoseconds since the beginning.
    small_until: AtomicU64,
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    /// Turns given out and not given back.
    taken: usize,
    /// The runs that wait, each app's in the order in which they came.
    waiting: Vec<(Arc<Account>, VecDeque<oneshot::Sender<Turn>>)>,
    /// The accounts that are not empty.
    active: Vec<Arc<Account>>,
}

impl Line {
    /// The run whose turn is next.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let least = self.waiting.iter().enumerate().min_by_key(|(_, (account, _))| account.used());
        let at = least.map(|(at, _)| at)?;
        let (_, runs) = self.waiting.get_mut(at)?;
        let run = runs.pop_front();
        if runs.is_empty() {
            self.waiting.swap_remove(at);
        }
        run
    }

    fn wait(&mut self, account: &Arc<Account>) -> oneshot::Receiver<Turn> {
        let (run, turn) = oneshot::channel();
        match self.waiting.iter_mut().find(|(known, _)| Arc::ptr_eq(known, account)) {
            Some((_, runs)) => runs.push_back(run),
            None => self.waiting.push((Arc::clone(account), VecDeque::from([run]))),
        }
        turn
    }
}

/// The right to use a thread now; given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Option<Arc<Turns>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            let mut line = turns.line.lock();
            line.taken = line.taken.saturating_sub(1);
            turns.hand_out(&mut line, turns.now());
        }
    }
}

/// What an app gets that wants to go on.
#[derive(Debug)]
enum Answer {
    /// Go on; a small user needs no turn.
    Go(Option<Turn>),
    /// Wait for this turn.
    Wait(oneshot::Receiver<Turn>),
}

impl Turns {
    /// For guests that run on so many threads.
    pub(crate) fn new(threads: usize) -> Arc<Self> {
        let turns = Self {
            threads: threads.max(1),
            began: Instant::now(),
            next_look: AtomicU64::new(nanos(HALF_LIFE)),
            bound: AtomicU64::new(0),
            small_until: AtomicU64::new(0),
            line: Mutex::default(),
        };
        turns.bound.store(turns.for_small_users(0) / 2, Ordering::Relaxed);
        Arc::new(turns)
    }

    /// Waits until a run of this app may begin; `None` when it needs no turn for that.
    pub(crate) async fn first(self: &Arc<Self>, account: &Arc<Account>) -> Option<Turn> {
        match self.ask(account, self.now()) {
            Answer::Go(turn) => turn,
            Answer::Wait(turn) => turn.await.ok(),
        }
    }

    fn now(&self) -> u64 {
        nanos(self.began.elapsed())
    }

    fn spare(&self) -> usize {
        self.threads.div_ceil(THREADS_PER_SPARE)
    }

    /// What small users together may have on their accounts when all have `total`, in nanoseconds. Who uses the same in
    /// every half-life has twice that on the account when one ends.
    fn for_small_users(&self, total: u64) -> u64 {
        let least = nanos(HALF_LIFE * 2 / IDLE_PART);
        let most = nanos(HALF_LIFE * 2 / SPARE_PART).saturating_mul(self.spare() as u64);
        (total / SMALL_PART).clamp(least, most)
    }

    /// How many turns there are now.
    fn turns(&self, now: u64) -> usize {
        let is_kept_free = now < self.small_until.load(Ordering::Relaxed);
        if is_kept_free { self.threads.saturating_sub(self.spare()).max(1) } else { self.threads }
    }

    fn ask(self: &Arc<Self>, account: &Arc<Account>, now: u64) -> Answer {
        if now >= self.next_look.load(Ordering::Relaxed) {
            self.look(now);
        }
        if account.used() < self.bound.load(Ordering::Relaxed) {
            self.small_until.store(now.saturating_add(nanos(AT_WORK)), Ordering::Relaxed);
            return Answer::Go(None);
        }
        let mut line = self.line.lock();
        if line.taken < self.turns(now) && line.waiting.is_empty() {
            line.taken += 1;
            return Answer::Go(Some(self.turn()));
        }
        let turn = line.wait(account);
        // Where there are more turns than before, the next in line has one.
        self.hand_out(&mut line, now);
        Answer::Wait(turn)
    }

    fn turn(self: &Arc<Self>) -> Turn {
        Turn { turns: Some(Arc::clone(self)) }
    }

    fn hand_out(self: &Arc<Self>, line: &mut Line, now: u64) {
        while line.taken < self.turns(now) {
            let Some(run) = line.next() else { return };
            match run.send(self.turn()) {
                Ok(()) => line.taken += 1,
                // The run is gone. Its turn was none yet, and must not come back to this lock.
                Err(mut turn) => turn.turns = None,
            }
        }
    }

    fn charge(&self, account: &Arc<Account>, used: Duration) {
        account.used.fetch_add(nanos(used), Ordering::Relaxed);
        if !account.listed.swap(true, Ordering::Relaxed) {
            self.line.lock().active.push(Arc::clone(account));
        }
    }

    /// At the end of a half-life: who is a small user, from what all have used, and the accounts' halves.
    fn look(&self, now: u64) {
        let mut line = self.line.lock();
        let due = self.next_look.load(Ordering::Relaxed);
        if now < due {
            // Another thread was here first.
            return;
        }
        let ended = (now - due) / nanos(HALF_LIFE) + 1;
        self.next_look.store(due.saturating_add(ended.saturating_mul(nanos(HALF_LIFE))), Ordering::Relaxed);
        let mut used: Vec<u64> = line.active.iter().map(|account| account.used()).collect();
        // Halved as the accounts are from now on.
        let total = used.iter().fold(0u64, |sum, used| sum.saturating_add(*used));
        self.bound.store(bound(&mut used, self.for_small_users(total)) / 2, Ordering::Relaxed);
        let halvings = u32::try_from(ended).unwrap_or(u32::MAX);
        line.active.retain(|account| {
            let left = account.used().checked_shr(halvings).unwrap_or(0);
            // What is used at this very moment may be lost; it is one poll in a hundred milliseconds.
            account.used.store(left, Ordering::Relaxed);
            account.listed.store(left > 0, Ordering::Relaxed);
            left > 0
        });
    }
}

/// The least that a large user has used: the small ones are those who use least and need at most `most` together, and
/// one who appears now may have that much at most.
fn bound(used: &mut [u64], most: u64) -> u64 {
    used.sort_unstable();
    let mut sum = 0u64;
    for used in used {
        sum = sum.saturating_add(*used);
        if sum > most {
            return most.min(*used);
        }
    }
    most
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A run each of whose polls has its turn. The answer comes with the last turn, which may be kept until the run's
/// remains are gone.
pub(crate) struct InTurn<'a, F> {
    inner: Pin<&'a mut F>,
    meter: Arc<CpuMeter>,
    turns: Arc<Turns>,
    account: Arc<Account>,
    next: Option<Answer>,
    /// What of the meter stands on the account.
    charged: Duration,
}

impl<'a, F> InTurn<'a, F> {
    /// The run begins with the turn `first`.
    pub(crate) fn new(
        inner: Pin<&'a mut F>,
        meter: &Arc<CpuMeter>,
        turns: &Arc<Turns>,
        account: &Arc<Account>,
        first: Option<Turn>,
    ) -> Self {
        Self {
            inner,
            meter: Arc::clone(meter),
            turns: Arc::clone(turns),
            account: Arc::clone(account),
            next: Some(Answer::Go(first)),
            charged: Duration::ZERO,
        }
    }

    /// Puts on the account what the meter has counted since the last time: whole polls, so what this one uses follows
    /// with the next one, or at the end of the run.
    pub(crate) fn charge(&mut self) {
        let used = self.meter.used();
        let new = used.saturating_sub(self.charged);
        if !new.is_zero() {
            self.turns.charge(&self.account, new);
            self.charged = used;
        }
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Option<Turn>> {
        let next = self.next.take().unwrap_or_else(|| self.turns.ask(&self.account, self.turns.now()));
        match next {
            Answer::Go(turn) => Poll::Ready(turn),
            Answer::Wait(mut turn) => match Pin::new(&mut turn).poll(cx) {
                Poll::Ready(turn) => Poll::Ready(turn.ok()),
                Poll::Pending => {
                    self.next = Some(Answer::Wait(turn));
                    Poll::Pending
                }
            },
        }
    }
}

impl<F: Future> Future for InTurn<'_, F> {
    type Output = (F::Output, Option<Turn>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.charge();
        let turn = ready!(self.poll_turn(cx));
        self.inner.as_mut().poll(cx).map(|answer| (answer, turn))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// A half-life, in nanoseconds.
    const HALF: u64 = 100_000_000;

    fn account(millis: u64) -> Arc<Account> {
        let account = Arc::new(Account::default());
        account.used.store(millis * 1_000_000, Ordering::Relaxed);
        account
    }

    fn has_turn(answer: &Answer) -> bool {
        matches!(answer, Answer::Go(Some(_)))
    }

    fn needs_none(answer: &Answer) -> bool {
        matches!(answer, Answer::Go(None))
    }

    #[test]
    fn small_users_are_those_who_use_least_and_little_together() {
        assert_eq!(bound(&mut [], 50), 50);
        assert_eq!(bound(&mut [10, 20], 50), 50);
        assert_eq!(bound(&mut [60], 50), 50);
        assert_eq!(bound(&mut [500, 1, 40, 45], 50), 45);
        // However many there are: a crowd of equals does not pass for small.
        assert_eq!(bound(&mut [10; 100], 50), 10);
    }

    #[test]
    fn who_is_small_depends_on_what_all_use() {
        let turns = Turns::new(2);
        let millis = |millis: u64| turns.for_small_users(millis * 1_000_000) / 1_000_000;
        assert_eq!([millis(0), millis(80), millis(400), millis(4_000)], [4, 10, 50, 50]);
    }

    #[test]
    fn one_thread_is_kept_free_while_a_small_user_is_at_work() {
        let turns = Turns::new(2);
        let large = [account(900), account(900), account(900)];
        let first = turns.ask(&large[0], 0);
        let second = turns.ask(&large[1], 0);
        assert!(has_turn(&first) && has_turn(&second), "by themselves they have all threads");
        let Answer::Wait(mut third) = turns.ask(&large[2], 0) else { panic!("there were three turns for two threads") };

        assert!(needs_none(&turns.ask(&account(0), 0)), "a small user never waits");
        // However slow the machine is: that user is still at work.
        turns.small_until.store(u64::MAX, Ordering::Relaxed);
        drop(first);
        assert!(third.try_recv().is_err(), "the thread that came free is kept free");
        drop(second);
        assert!(third.try_recv().is_ok());
    }

    #[test]
    fn a_machine_with_one_thread_has_one_turn() {
        let turns = Turns::new(1);
        assert!(needs_none(&turns.ask(&account(0), 0)));
        let only = turns.ask(&account(900), 0);
        assert!(has_turn(&only));
        assert!(!has_turn(&turns.ask(&account(900), 0)));
    }

    #[test]
    fn the_next_turn_goes_to_the_app_that_used_least() {
        let turns = Turns::new(1);
        let taken = turns.ask(&account(900), 0);
        let (large, larger) = (account(700), account(800));
        let wait = |account: &Arc<Account>| match turns.ask(account, 0) {
            Answer::Wait(turn) => turn,
            Answer::Go(_) => panic!("the only turn is taken"),
        };
        let mut crowd = [wait(&larger), wait(&larger), wait(&larger)];
        let mut late = wait(&large);
        drop(taken);
        let turn = late.try_recv().expect("it used least");
        assert!(crowd[0].try_recv().is_err());
        drop(turn);
        assert!(crowd[0].try_recv().is_ok(), "then those who wait longest");
        assert!(crowd[1].try_recv().is_ok());
        assert!(crowd[2].try_recv().is_ok());
    }

    #[test]
    fn a_run_that_is_gone_leaves_its_turn_to_the_next() {
        let turns = Turns::new(1);
        let taken = turns.ask(&account(900), 0);
        let (early, late) = (account(700), account(800));
        let Answer::Wait(gone) = turns.ask(&early, 0) else { panic!("the only turn is taken") };
        let Answer::Wait(unused) = turns.ask(&early, 0) else { panic!("the only turn is taken") };
        let Answer::Wait(mut last) = turns.ask(&late, 0) else { panic!("the only turn is taken") };
        drop(gone);
        drop(taken);
        assert!(last.try_recv().is_err(), "the turn is with the one that has not looked yet");
        drop(unused);
        assert!(last.try_recv().is_ok());
        assert!(has_turn(&turns.ask(&early, 0)));
    }

    #[test]
    fn an_account_is_forgotten_by_and_by() {
        let turns = Turns::new(2);
        let app = Arc::new(Account::default());
        turns.charge(&app, Duration::from_millis(400));
        assert!(has_turn(&turns.ask(&app, 0)));
        assert!(has_turn(&turns.ask(&app, HALF)), "half of it is left");
        assert_eq!(app.used(), 200_000_000);
        assert!(needs_none(&turns.ask(&app, 6 * HALF)), "next to nothing is left");
        assert_eq!(turns.line.lock().active.len(), 1);
        turns.look(100 * HALF);
        assert!(turns.line.lock().active.is_empty());
        turns.charge(&app, Duration::from_millis(1));
        assert_eq!(turns.line.lock().active.len(), 1);
    }

    /// A run that is busy for as many polls, and counts how many of its kind are so at the same time.
    async fn busy(polls: usize, now: Arc<AtomicUsize>, most: Arc<AtomicUsize>) {
        for _ in 0..polls {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Keeps the thread for itself, also where there are fewer processors than threads.
            std::thread::sleep(Duration::from_millis(2));
            now.fetch_sub(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn busy_runs_leave_a_thread_to_others_and_all_end() {
        let turns = Turns::new(4);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        // However long this takes: small users stay at work, and large users large.
        turns.small_until.store(u64::MAX, Ordering::Relaxed);
        turns.next_look.store(u64::MAX, Ordering::Relaxed);
        let mut runs = tokio::task::JoinSet::new();
        for _ in 0..5 {
            let account = account(900_000);
            for _ in 0..4 {
                let (turns, account) = (Arc::clone(&turns), Arc::clone(&account));
                let work = busy(10, Arc::clone(&now), Arc::clone(&most));
                runs.spawn(async move {
                    let first = turns.first(&account).await;
                    let meter = Arc::new(CpuMeter::new(Duration::from_secs(1)));
                    let work = std::pin::pin!(work);
                    let ((), last) = InTurn::new(work, &meter, &turns, &account, first).await;
                    assert!(last.is_some(), "a large user's last poll had its turn");
                });
            }
        }
        tokio::time::timeout(Duration::from_secs(60), runs.join_all()).await.expect("every run ends");
        let most = most.load(Ordering::SeqCst);
        assert_eq!(most, 3, "three of four threads were for them");
        assert_eq!(turns.line.lock().taken, 0);
    }
}
