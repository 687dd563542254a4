//! A reader thread: runs one read at a time on a connection of its own.

use std::sync::Arc;

use rusqlite::Connection;

use crate::error::DbError;
use crate::job::Job;
use crate::queue::{AbandonOnDrop, Queue};

/// Works until the queue is closed and empty.
pub(crate) fn run(connection: &Connection, queue: &Queue) {
    let _guard = AbandonOnDrop(queue);
    let mut jobs = Vec::with_capacity(1);
    while queue.take(1, &mut jobs) {
        for mut job in jobs.drain(..) {
            let outcome = read(connection, job.as_mut());
            job.finish(outcome);
        }
    }
}

/// Runs a read in a transaction, so that all its statements see the same state of the data.
fn read(connection: &Connection, job: &mut dyn Job) -> Result<(), DbError> {
    statement(connection, "BEGIN")?;
    // The job's own error reaches its caller through `finish`; here it changes nothing.
    let _ = job.run(connection);
    if connection.is_autocommit() {
        return Ok(());
    }
    statement(connection, "ROLLBACK")
}

fn statement(connection: &Connection, sql: &str) -> Result<(), DbError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute([]))
        .map(drop)
        .map_err(|cause| DbError::Sql(Arc::new(cause)))
}
