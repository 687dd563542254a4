//! The corpus of attacks: guests that try to hang, exhaust, escape or disturb, each with what becomes of it.
//!
//! One file per family holds the cases (`case.rs` says what one is). `rounds` carries out all of them, in a process of
//! its own, three times: each must end as the table says, within its time, while a neighbour goes on answering; and
//! after the third time the process is no larger than after the second. The same table is `docs/hostile-corpus.md`.

mod case;
mod compile;
mod cpu;
mod document;
mod ground;
mod memory;
mod open;
mod process;
mod recursion;
mod rounds;
mod runner;
mod tables;

use case::Case;

/// A family of attacks, and what its members have in common.
pub struct Family {
    pub name: &'static str,
    pub what: &'static str,
    pub cases: Vec<Case>,
}

/// All attacks.
pub fn families() -> Vec<Family> {
    let family = |name, what, cases| Family { name, what, cases };
    vec![
        family("CPU", "Guests that take the processor and do not give it back.", cpu::cases()),
        family("Memory", "Guests that take memory, and allocators that lie about it.", memory::cases()),
        family("Tables", "Guests that take tables, and calls through them that lead nowhere.", tables::cases()),
        family("Recursion", "Guests that call themselves until the stack ends.", recursion::cases()),
        family("Compilation", "Components that are small and dear to compile.", compile::cases()),
    ]
}
