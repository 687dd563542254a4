//! A job: a caller's function on its way through a queue, with the place where its answer goes.
//!
//! Running and answering are two steps, because an answer may only be given once the transaction around several jobs
//! is committed.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::DbError;

/// A job of any result type.
pub(crate) trait Job: Send {
    /// Runs the function, once; a panic becomes an error. The result is kept, the error also returned.
    fn run(&mut self, connection: &Connection) -> Result<(), DbError>;

    /// Answers the caller: with the job's own error if it had one, otherwise with the fate of the transaction.
    fn finish(self: Box<Self>, committed: Result<(), DbError>);
}

/// Packs a function; the answer arrives at the receiver, or its channel closes when the job is thrown away.
pub(crate) fn pack<T, F>(work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, DbError>>)
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let task = Task { work: Some(work), result: None, reply };
    (Box::new(task), answer)
}

struct Task<T, F> {
    work: Option<F>,
    result: Option<Result<T, DbError>>,
    reply: oneshot::Sender<Result<T, DbError>>,
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), DbError> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        // Unwind safety: what a panicking job leaves behind in the database is rolled back by the caller of `run`, and
        // what it captured is gone.
        let result = match catch_unwind(AssertUnwindSafe(|| work(connection))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(cause)) => Err(DbError::Sql(Arc::new(cause))),
            Err(payload) => Err(DbError::Panicked(panic_text(payload.as_ref()))),
        };
        let verdict = match &result {
            Ok(_) => Ok(()),
            Err(error) => Err(error.clone()),
        };
        self.result = Some(result);
        verdict
    }

    fn finish(self: Box<Self>, committed: Result<(), DbError>) {
        let answer = match (self.result, committed) {
            (Some(Err(own)), _) => Err(own),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(error)) => Err(error),
            (None, Ok(())) => Err(DbError::Closed),
        };
        // Nobody listens when the caller stopped waiting; the work is done all the same.
        let _ = self.reply.send(answer);
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "no message".to_owned()
    }
}
