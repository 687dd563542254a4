//! Random numbers and clocks of a run with a tape: seeded, and noted.
//!
//! The generator is ChaCha20, named here and not taken from a library's choice of the day, so that a tape gives the
//! same numbers with a later host. Who reads a tape knows the random numbers of that run.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use wasmtime_wasi::WasiCtxBuilder;

use super::Tape;
use super::clocks::{Monotonic, Wall};

/// One of the independent streams of a seed.
fn stream(seed: [u8; 32], number: u64) -> ChaCha20Rng {
    let mut stream = ChaCha20Rng::from_seed(seed);
    stream.set_stream(number);
    stream
}

/// Gives a run the random numbers and clocks of its tape.
pub(crate) fn equip(builder: &mut WasiCtxBuilder, tape: &Tape) {
    random_numbers(builder, tape.seed());
    builder.wall_clock(Wall(tape.clone())).monotonic_clock(Monotonic(tape.clone()));
}

/// Gives a run the random numbers that follow from a seed.
pub(crate) fn random_numbers(builder: &mut WasiCtxBuilder, seed: [u8; 32]) {
    let mut third = stream(seed, 2);
    let insecure_seed = (u128::from(third.next_u64()) << 64) | u128::from(third.next_u64());
    builder.secure_random(stream(seed, 0)).insecure_random(stream(seed, 1)).insecure_random_seed(insecure_seed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_repeatable_and_independent() {
        let draw = |number| stream([7; 32], number).next_u64();
        assert_eq!(draw(0), draw(0));
        assert_ne!(draw(0), draw(1));
        // Recorded once: another value would make every tape that was kept worthless.
        assert_eq!(ChaCha20Rng::from_seed([0; 32]).next_u32(), 0xade0_b876);
    }
}
