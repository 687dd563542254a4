//! The event loop: promises, timers, and the answers to what an old script asked. One thing is done at a time; the
//! queues themselves are in `js/loop.js`.

use std::ffi::c_int;
use std::ptr::null_mut;

use rquickjs::{Ctx, Error, Function, Promise, Result, promise::PromiseState, qjs};

use crate::{failure, system};

/// What `js/loop.js` says of a step: nothing is left that could go on.
const IDLE: f64 = -1.0;
/// An old script said that it is done.
const DONE: f64 = -2.0;

/// How a loop came to its end.
#[derive(PartialEq, Eq)]
pub(crate) enum End {
    /// What was waited for is there, or the run was ended from within.
    Reached,
    /// Nothing is left that could go on.
    Stalled,
}

/// Runs until an old script is done.
pub(crate) fn until_done<'js>(ctx: &Ctx<'js>, step: &Function<'js>) -> Result<End> {
    jobs(ctx)?;
    loop {
        match step.call::<_, f64>(())? {
            DONE => return Ok(End::Reached),
            IDLE => return Ok(End::Stalled),
            wait => system::sleep_ms(wait),
        }
        jobs(ctx)?;
    }
}

/// Runs until a promise is fulfilled or rejected.
pub(crate) fn until_settled<'js>(ctx: &Ctx<'js>, step: &Function<'js>, promise: &Promise<'js>) -> Result<End> {
    jobs(ctx)?;
    while promise.state() == PromiseState::Pending {
        match step.call::<_, f64>(())? {
            IDLE => return Ok(End::Stalled),
            wait => system::sleep_ms(wait),
        }
        jobs(ctx)?;
    }
    Ok(End::Reached)
}

/// Runs what promises have ready.
pub(crate) fn jobs(ctx: &Ctx<'_>) -> Result<()> {
    // SAFETY: the runtime of a living context; which context a job ran in is of no interest, there is one.
    unsafe {
        let runtime = qjs::JS_GetRuntime(ctx.as_raw().as_ptr());
        let mut ran_in = null_mut();
        loop {
            let result: c_int = qjs::JS_ExecutePendingJob(runtime, &mut ran_in);
            if failure::ended().is_some() || result < 0 {
                return Err(Error::Exception);
            }
            if result == 0 {
                return Ok(());
            }
        }
    }
}
