//! Guests that take the processor and do not give it back, wherever the host lets their code run.

use vumi_core::Outcome::{CpuLimit, HostCallLimit, Ok as Well};
use vumi_sandbox::AppConfig;
use vumi_tests::forge::{Forge, LIBC};

use super::case::{Case, forged};

const COUNTS: &str = "The guest's CPU time is read from its thread's clock at each tick, wherever its code runs.";

/// A twentieth of a second is enough to see that it ends.
fn short(config: &mut AppConfig) {
    config.limits.cpu_ms = 50;
}

fn spins(name: &str, what: &str, make: impl Fn() -> Forge + Send + Sync + 'static) -> Case {
    forged(name, what, make).under(short).ends(CpuLimit, "more than 50 ms of CPU time", COUNTS)
}

pub fn cases() -> Vec<Case> {
    vec![
        spins("cpu-loop", "loops in its handler", || Forge::attack("(loop $l (br $l))")),
        spins("cpu-start", "loops in the start function of its main module", || {
            Forge::attack("").and("(func $s (loop $l (br $l))) (start $s)")
        }),
        spins("cpu-start-section", "has a core module whose start section calls a looping `_initialize`", || {
            let mut forge = Forge::attack("");
            forge.around = r#"
                (core module $loops (func (export "_initialize") (loop $l (br $l))))
                (core instance $looping (instantiate $loops))
                (core module $starts (import "m" "_initialize" (func $f)) (start $f))
                (core instance (instantiate $starts (with "m" (instance $looping))))
            "#
            .to_owned();
            forge
        }),
        spins("cpu-realloc", "loops in its allocator, while the host writes the message into its memory", || {
            Forge::attack("").realloc("(loop $l (br $l)) (unreachable)")
        }),
        forged("cpu-realloc-of-a-result", "sends a message, and loops in its allocator when the host writes the answer", || {
            // The guest raises a flag before the call, so that the message itself still arrives.
            Forge::attack("(i32.store (i32.const 1000) (i32.const 1)) (call $say (i32.const 128) (i32.const 2))").libc(
                LIBC.replace(
                    "(local $at i32)",
                    "(local $at i32) (if (i32.load (i32.const 1000)) (then (loop $l (br $l))))",
                ),
            )
        })
        .under(short)
        .shown(
            "`cpu-limit`; the message has been sent",
            |answer| match (answer.outcome(), answer.sent.len()) {
                (CpuLimit, 1) => Ok(()),
                (_, count) => Err(format!("{count} messages")),
            },
            "What was done before the limit stays done; the id of the message is the same if it is ever handled again.",
        ),
        spins("cpu-post-return", "loops when it is told that its answer was read", || {
            let mut forge = Forge::attack("").and(r#"(func (export "post") (param i32) (loop $l (br $l)))"#);
            forge.lift = r#"(post-return (func $main "post"))"#;
            forge
        }),
        spins("cpu-br-table", "jumps between a thousand targets of a `br_table`", || {
            let targets = "0 ".repeat(1_000);
            Forge::attack(format!("(loop $l (loop $m (br_table {targets} 1 (local.get $i))) (br $l))"))
        }),
        spins("cpu-tail-calls", "two functions call each other for ever, as tail calls, which need no stack", || {
            Forge::attack("(drop (call $a))")
                .and("(func $a (result i32) (return_call $b)) (func $b (result i32) (return_call $a))")
        }),
        spins("cpu-indirect", "calls an empty function through a table, for ever", || {
            Forge::attack("(loop $l (call_indirect $t (type $v) (i32.const 0)) (br $l))")
                .and("(type $v (func)) (func $f) (table $t 1 funcref) (elem (table $t) (i32.const 0) func $f)")
        }),
        spins("cpu-fill", "fills 60 MiB of memory, again and again: single instructions that take long", || {
            Forge::attack(
                "(drop (memory.grow (i32.const 960)))
                 (loop $l (memory.fill (i32.const 65536) (i32.const 7) (i32.const 62914560)) (br $l))",
            )
        }),
        spins("cpu-copy", "copies 30 MiB of memory over itself, again and again", || {
            Forge::attack(
                "(drop (memory.grow (i32.const 960)))
                 (loop $l (memory.copy (i32.const 65536) (i32.const 31457280) (i32.const 31457280)) (br $l))",
            )
        }),
        spins("cpu-grow-by-nothing", "grows its memory by no pages, for ever", || {
            Forge::attack("(loop $l (drop (memory.grow (i32.const 0))) (br $l))")
        }),
        spins("cpu-refused-growth", "asks for memory that it does not get, for ever", || {
            Forge::attack("(loop $l (drop (memory.grow (i32.const 65000))) (br $l))")
        }),
        spins("cpu-table-fill", "fills a table of 20,000 elements, again and again", || {
            Forge::attack("(loop $l (table.fill $t (i32.const 0) (ref.null func) (i32.const 20000)) (br $l))")
                .and("(table $t 20000 funcref)")
        }),
        spins("cpu-division", "divides, for ever: slow instructions", || {
            Forge::attack("(loop $l (local.set $i (i32.div_u (i32.const -1) (i32.or (local.get $i) (i32.const 1)))) (br $l))")
        }),
        spins("cpu-in-many-functions", "calls a chain of 1,000 functions, for ever", || {
            let mut chain = String::from("(func $f0)");
            for n in 1..1_000 {
                chain.push_str(&format!("(func $f{n} (call $f{}))", n - 1));
            }
            Forge::attack("(loop $l (call $f999) (br $l))").and(&chain)
        }),
        forged("cpu-cheap-host-calls", "makes the cheapest host call, `config.get`, for ever", || {
            Forge::attack("(loop $l (call $config (i32.const 128) (i32.const 2) (i32.const 200)) (br $l))")
        })
        .ends(HostCallLimit, "more than 10000 host calls", "Host calls are counted, whatever they cost."),
        spins("cpu-cheap-host-calls-without-limit", "the same, where the owner set no limit worth the name", || {
            Forge::attack("(loop $l (call $config (i32.const 128) (i32.const 2) (i32.const 200)) (br $l))")
        })
        .under(|config| {
            short(config);
            config.limits.host_calls = u64::MAX;
        }),
        forged("cpu-one-millisecond", "loops under the smallest limit that there is", || {
            Forge::attack("(loop $l (br $l))")
        })
        .under(|config| config.limits.cpu_ms = 1)
        .ends(CpuLimit, "more than 1 ms of CPU time", COUNTS),
        forged("cpu-innocent", "counts to a million and ends: the corpus must be able to tell", || {
            Forge::attack(
                "(loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
                 (call $say (i32.const 128) (i32.const 2))",
            )
        })
        .says("ok", "Work within the limit is no attack.")
        .under(|config| config.limits.cpu_ms = 2_000),
        forged("cpu-nothing", "does nothing at all", || Forge::attack("")).shown(
            "`ok`, and nothing is sent",
            |answer| if answer.outcome() == Well && answer.sent.is_empty() { Ok(()) } else { Err("it did".into()) },
            "An app may keep silent.",
        ),
    ]
}
