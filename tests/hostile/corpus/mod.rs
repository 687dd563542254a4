//! The corpus of attacks: guests that try to hang, exhaust, escape or disturb, each with what becomes of it.
//!
//! One file per family holds the cases (`case.rs` says what one is). `rounds` carries out all of them, in a process of
//! its own, three times: each must end as the table says, within its time, while a neighbour goes on answering; and
//! after the third time the process is no larger than after the second. The same table is `docs/hostile-corpus.md`.

mod boundary;
mod calls;
mod case;
mod compile;
mod cpu;
mod document;
mod files;
mod ground;
mod kv;
mod log;
mod memory;
mod open;
mod process;
mod recursion;
mod rounds;
mod runner;
mod shape;
mod tables;
mod warm;
mod wasi;
mod web;

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
        family("Host calls", "More of each resource than one message may use.", calls::cases()),
        family(
            "Boundary",
            "Arguments that are too large, no text, no number, no such word: what crosses from guest to host.",
            boundary::cases(),
        ),
        family("Keys and values", "Out of the namespace, past the limits.", kv::cases()),
        family(
            "The web",
            "Places that an app may not reach, requests that are two, servers as hostile as their guests. The app may \
             reach every public place, and one hostile server on loopback.",
            web::cases(),
        ),
        family("The log", "What a guest writes, and what it would have its reader believe.", log::cases()),
        family(
            "The system",
            "Clocks, random numbers, streams and handles; and what a guest does not see.",
            wasi::cases(),
        ),
        family(
            "Shape",
            "Components that are strange as a whole: too many, too deep, not what they seem.",
            shape::cases(),
        ),
        family("Compilation", "Components that are small and dear to compile.", compile::cases()),
        family(
            "Files",
            "Components that are not what was built, and a cache that somebody has been at.",
            files::cases(),
        ),
    ]
}
