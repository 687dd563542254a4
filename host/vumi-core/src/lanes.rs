//! Order within a conversation, side by side between conversations.
//!
//! Jobs of one lane run one after the other, in the order they came; lanes run in parallel, up to a limit. The
//! lane of a message is its conversation (transport and user address). Memory is bounded by the caller: every
//! waiting job holds a delivery, and the broker hands out no more of those than the prefetch allows.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// See the module's text.
#[derive(Clone)]
pub struct Lanes {
    shared: Arc<Shared>,
}

struct Shared {
    /// A lane is present while a task works on it; the queue holds what waits behind that task's job.
    waiting: Mutex<HashMap<String, VecDeque<Job>>>,
    slots: Semaphore,
    tasks: TaskTracker,
}

impl Lanes {
    /// At most `parallel` jobs at a time (at least one).
    pub fn new(parallel: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                waiting: Mutex::new(HashMap::new()),
                slots: Semaphore::new(parallel.max(1)),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// Puts a job at the end of a lane. Must be called within a tokio runtime; the job runs there.
    pub fn submit(&self, lane: String, job: impl Future<Output = ()> + Send + 'static) {
        {
            let mut waiting = self.shared.waiting.lock();
            if let Some(queue) = waiting.get_mut(&lane) {
                queue.push_back(Box::pin(job));
                return;
            }
            waiting.insert(lane.clone(), VecDeque::new());
        }
        let shared = Arc::clone(&self.shared);
        self.shared.tasks.spawn(async move {
            // Gives the lane up even when a job panics, so that the conversation goes on with its next message.
            let mut lane = OpenLane { shared, name: lane, closed: false };
            lane.shared.work(job).await;
            while let Some(job) = lane.next() {
                lane.shared.work(job).await;
            }
        });
    }

    /// Resolves when no job runs or waits. New jobs may be submitted all the while.
    pub async fn idle(&self) {
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.tasks.reopen();
    }
}

impl Shared {
    /// Runs a job when there is a slot.
    async fn work(&self, job: impl Future<Output = ()>) {
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        job.await;
    }
}

struct OpenLane {
    shared: Arc<Shared>,
    name: String,
    closed: bool,
}

impl OpenLane {
    /// The job behind the one just finished; closes the lane when there is none.
    fn next(&mut self) -> Option<Job> {
        let mut waiting = self.shared.waiting.lock();
        let job = waiting.get_mut(&self.name).and_then(VecDeque::pop_front);
        if job.is_none() {
            waiting.remove(&self.name);
            self.closed = true;
        }
        job
    }
}

impl Drop for OpenLane {
    fn drop(&mut self) {
        if self.closed {
            return;
        }
        let left = self.shared.waiting.lock().remove(&self.name);
        let lanes = Lanes { shared: Arc::clone(&self.shared) };
        for job in left.into_iter().flatten() {
            lanes.submit(self.name.clone(), job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::{Barrier, mpsc};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_lane_keeps_its_order() {
        let lanes = Lanes::new(8);
        let (sender, mut receiver) = mpsc::unbounded_channel();
        for n in 0..200 {
            let sender = sender.clone();
            lanes.submit(format!("lane {}", n % 4), async move {
                tokio::task::yield_now().await;
                sender.send(n).unwrap();
            });
        }
        lanes.idle().await;
        drop(sender);
        let mut last = [-1i32; 4];
        let mut count = 0;
        while let Some(n) = receiver.recv().await {
            let lane = usize::try_from(n % 4).unwrap();
            assert!(last[lane] < n);
            last[lane] = n;
            count += 1;
        }
        assert_eq!(count, 200);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn lanes_run_side_by_side_up_to_the_limit() {
        let lanes = Lanes::new(2);
        let barrier = Arc::new(Barrier::new(2));
        let running = Arc::new(AtomicUsize::new(0));
        for n in 0..4 {
            let (barrier, running) = (Arc::clone(&barrier), Arc::clone(&running));
            lanes.submit(n.to_string(), async move {
                assert!(running.fetch_add(1, Ordering::SeqCst) < 2);
                // Passes only when two jobs are here at once.
                barrier.wait().await;
                running.fetch_sub(1, Ordering::SeqCst);
            });
        }
        lanes.idle().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_panic_does_not_close_the_conversation() {
        let lanes = Lanes::new(1);
        let (sender, mut receiver) = mpsc::unbounded_channel();
        lanes.submit("a".into(), async { panic!("on purpose") });
        lanes.submit("a".into(), async move { sender.send(1).unwrap() });
        assert_eq!(receiver.recv().await, Some(1));
    }
}
