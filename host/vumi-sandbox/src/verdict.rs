//! Why a run ended badly: one error code and one sentence for each way.

use vumi_core::Outcome;
use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::cache::{one_line, shown};
use crate::meter::{Growth, Stop};

/// Sorts an error of the engine.
pub(crate) fn judge(error: &wasmtime::Error, growth: &Growth) -> Stop {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return stop.clone();
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return Stop::new(Outcome::HostFault, format!("no room for another instance: {}", one_line(error)));
    }
    if let Some(Trap::StackOverflow) = error.downcast_ref::<Trap>() {
        return Stop::new(Outcome::StackOverflow, "its call stack was exhausted (recursion too deep)");
    }
    match growth.refused() {
        Some(Outcome::MemoryLimit) => {
            return Stop::new(Outcome::MemoryLimit, "it needed more memory than its limit `memory` allows");
        }
        Some(outcome) => {
            return Stop::new(outcome, "it needed more table elements than its limit `table_elements` allows");
        }
        None => {}
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => Stop::new(Outcome::Trap, format!("it trapped: {trap}")),
        // The engine has no type for this one.
        None if error.root_cause().to_string().contains("fuel allocated for hostcalls") => {
            Stop::new(Outcome::TransferLimit, "it gave the host more bytes at once than its limit `transfer` allows")
        }
        None => Stop::new(
            Outcome::Trap,
            format!("it failed: {} ({})", shown(&error.root_cause().to_string()), one_line(error)),
        ),
    }
}
