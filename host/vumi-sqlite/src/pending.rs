//! The answer to a submitted job, as a future; and a way to wait for a future without an async runtime.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::sync::oneshot;

use crate::error::DbError;

/// The answer to a submitted job: resolves after the commit of the transaction that the job became part of.
///
/// Dropping it does not take the job back: it is queued and will run.
#[derive(Debug)]
#[must_use = "only the answer says whether the write is confirmed"]
pub struct Pending<T>(State<T>);

#[derive(Debug)]
enum State<T> {
    Refused(DbError),
    Waiting(oneshot::Receiver<Result<T, DbError>>),
}

impl<T> Pending<T> {
    pub(crate) fn refused(error: DbError) -> Self {
        Self(State::Refused(error))
    }

    pub(crate) fn waiting(answer: oneshot::Receiver<Result<T, DbError>>) -> Self {
        Self(State::Waiting(answer))
    }

    /// Waits for the answer by blocking this thread; for start-up code outside an async runtime.
    ///
    /// # Errors
    /// As the future's: see [`DbError`].
    pub fn wait(self) -> Result<T, DbError> {
        block_on(self)
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, DbError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Refused(error) => Poll::Ready(Err(error.clone())),
            State::Waiting(answer) => {
                Pin::new(answer).poll(context).map(|answer| answer.unwrap_or(Err(DbError::Closed)))
            }
        }
    }
}

/// Runs a future on this thread. Not tokio's `block_on` or `blocking_recv`, which panic inside a runtime.
///
/// Unconstrained: where this is called within a task whose share of a turn is used up, tokio's channels would put off even
/// what is ready until that task gives its turn back, which it cannot do while it is blocked here.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(tokio::task::unconstrained(future));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    fn ready() -> oneshot::Receiver<u8> {
        let (sender, receiver) = oneshot::channel();
        sender.send(7).unwrap();
        receiver
    }

    #[test]
    fn a_task_whose_turn_is_used_up_can_block() {
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
                while tokio::task::coop::has_budget_remaining() {
                    ready().await.unwrap();
                }
                done.send(block_on(ready()).unwrap()).unwrap();
            });
        });
        assert_eq!(ended.recv_timeout(Duration::from_secs(20)), Ok(7));
    }
}
