//! What the engine has of a system, by WASI: clocks, random numbers, standard output. Asked for anew in each instance;
//! while the snapshot is made there is none of it.

use std::cell::Cell;

use crate::bindings::wasi::cli::{stderr, stdout};
use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::wasi::io::streams::OutputStream;
use crate::bindings::wasi::random::random;

/// Bytes that one write may have.
const WRITE_SIZE: usize = 4096;

thread_local! {
    /// False while the snapshot is made.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    /// The state of `Math.random`; 0 before its first number.
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

/// The snapshot is made: what runs from now on is a script.
pub(crate) fn start() {
    RUNNING.set(true);
}

/// The wall clock, in microseconds since 1970. QuickJS asks for it by this name.
#[unsafe(no_mangle)]
extern "C" fn __rquickjs_host_now_us() -> f64 {
    if !RUNNING.get() {
        return 0.0;
    }
    let now = wall_clock::now();
    (now.seconds * 1_000_000 + u64::from(now.nanoseconds) / 1_000) as f64
}

/// A clock that only goes forward, in milliseconds.
pub(crate) fn monotonic_ms() -> f64 {
    if RUNNING.get() { monotonic_clock::now() as f64 / 1e6 } else { 0.0 }
}

/// Waits.
pub(crate) fn sleep_ms(ms: f64) {
    if ms > 0.0 {
        monotonic_clock::subscribe_duration((ms * 1e6) as u64).block();
    }
}

/// A number of `Math.random`: from 0 to below 1. The first one is seeded by the host.
pub(crate) fn random_number() -> f64 {
    let mut state = RANDOM.get();
    if state == 0 {
        state = if RUNNING.get() { random::get_random_u64() } else { 0 } | 1;
    }
    // xorshift64*, as in QuickJS.
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    // What was drawn while the snapshot was made must not go on from there.
    RANDOM.set(if RUNNING.get() { state } else { 0 });
    (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Random bytes that nobody can guess.
pub(crate) fn random_bytes(count: usize) -> Vec<u8> {
    random::get_random_bytes(count as u64)
}

/// Writes a line to standard output.
pub(crate) fn print(text: &str) {
    write(&stdout::get_stdout(), text);
}

/// Writes a line to standard error.
pub(crate) fn print_error(text: &str) {
    write(&stderr::get_stderr(), text);
}

fn write(stream: &OutputStream, text: &str) {
    let mut line = String::with_capacity(text.len() + 1);
    line.push_str(text);
    line.push('\n');
    for part in line.as_bytes().chunks(WRITE_SIZE) {
        // A stream that is closed is nothing that a script could do anything about.
        if stream.blocking_write_and_flush(part).is_err() {
            return;
        }
    }
}
