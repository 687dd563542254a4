//! Guests that call themselves until the stack ends, by themselves and through the host.

use vumi_core::Outcome::{HostCallLimit, StackOverflow, Trap};
use vumi_tests::forge::{Forge, LIBC};

use super::case::{Case, forged};

const STACK: &str = "A guest has a stack of its own, of 512 KiB, and its end is checked by every function.";
const NO_WAY_BACK: &str = "While the host writes into a guest, and while a guest tidies up, it cannot call the host.";

fn recurses(name: &str, what: &str, make: impl Fn() -> Forge + Send + Sync + 'static) -> Case {
    forged(name, what, make).ends(StackOverflow, "recursion too deep", STACK)
}

/// An allocator that first does this, once the guest has raised its flag.
fn flagged(body: &str) -> String {
    LIBC.replace("(local $at i32)", &format!("(local $at i32) (if (i32.load (i32.const 1000)) (then {body}))"))
}

pub fn cases() -> Vec<Case> {
    vec![
        recurses("recursion-deep", "has a function that calls itself", || {
            Forge::attack("(drop (call $f (i32.const 1)))")
                .and("(func $f (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))")
        }),
        recurses("recursion-mutual", "has two functions that call each other", || {
            Forge::attack("(drop (call $f (i32.const 1)))").and(
                "(func $f (param i32) (result i32) (i32.add (call $g (local.get 0)) (i32.const 1)))
                 (func $g (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))",
            )
        }),
        recurses("recursion-indirect", "has a function that calls itself through a table", || {
            Forge::attack("(drop (call $f (i32.const 1)))").and(
                "(type $t (func (param i32) (result i32))) (table $all 1 funcref) (elem (i32.const 0) func $f)
                 (func $f (param i32) (result i32)
                   (i32.add (call_indirect $all (type $t) (local.get 0) (i32.const 0)) (i32.const 1)))",
            )
        }),
        recurses("recursion-large-frames", "has a function with 1,000 locals that calls itself", || {
            let locals = "i64 ".repeat(1_000);
            let keep: String =
                (1..1_001).map(|n| format!("(local.set {n} (i64.load (i32.const {})))", n * 8)).collect();
            let use_all: String =
                (1..1_001).map(|n| format!("(i64.store (i32.const {}) (local.get {n}))", n * 8)).collect();
            Forge::attack("(call $f (i32.const 1))")
                .and(&format!("(func $f (param i32) (local {locals}) {keep} (call $f (local.get 0)) {use_all})"))
        }),
        recurses("recursion-at-start", "recurses in its start function", || {
            Forge::attack("").and(
                "(func $f (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))
                 (func $s (drop (call $f (i32.const 0)))) (start $s)",
            )
        }),
        recurses("recursion-in-realloc", "has an allocator that calls itself", || {
            Forge::attack("").realloc(
                "(i32.add (i32.const 1)
                   (call $realloc (local.get $old) (local.get $had) (local.get $align) (local.get $size)))",
            )
        }),
        recurses("recursion-with-host-calls", "calls the host at every depth, until the stack ends", || {
            Forge::attack("(drop (call $f (i32.const 1)))").and(
                "(func $f (param i32) (result i32)
                   (call $config (i32.const 128) (i32.const 2) (i32.const 200))
                   (i32.add (call $f (local.get 0)) (i32.const 1)))",
            )
        })
        .under(|config| config.limits.host_calls = 1_000_000),
        forged(
            "recursion-host-calls-counted",
            "the same, under the usual limit of host calls and with smaller frames",
            || {
                Forge::attack("(call $f)")
                    .and("(func $f (call $config (i32.const 128) (i32.const 2) (i32.const 200)) (call $f))")
            },
        )
        .under(|config| config.limits.host_calls = 1_000)
        .ends(HostCallLimit, "more than 1000 host calls", "Whichever limit comes first ends the run."),
        forged(
            "recursion-realloc-calls-host",
            "has an allocator that calls the host, which calls the allocator …",
            || {
                let mut forge = Forge::attack(
                    "(i32.store (i32.const 1000) (i32.const 1)) (call $say (i32.const 128) (i32.const 2))",
                )
                .libc(flagged("(call_indirect $way (type $v) (i32.const 0))"));
                // The allocator is made before the host's functions are lowered, so it reaches them through a table.
                forge.libc.push_str("(type $v (func)) (table $way (export \"way\") 1 funcref)");
                forge.around = r#"(core module $bends
                (import "libc" "way" (table $way 1 funcref)) (import "host" "config" (func $config (param i32 i32 i32)))
                (func $again (call $config (i32.const 128) (i32.const 2) (i32.const 200)))
                (elem (table $way) (i32.const 0) func $again))
              (core instance (instantiate $bends (with "libc" (instance $libc))
                (with "host" (instance (export "config" (func $config))))))"#
                    .to_owned();
                forge
            },
        )
        .shown(
            "`trap`: “cannot leave component instance”",
            |answer| match answer.outcome() {
                Trap if answer.run().error.as_deref().is_some_and(|error| error.contains("leave")) => Ok(()),
                _ => Err("another end".into()),
            },
            NO_WAY_BACK,
        ),
        forged("recursion-post-return-calls-host", "calls the host when it is told that its answer was read", || {
            let mut forge = Forge::attack("").and(
                r#"(func (export "post") (param i32) (call $config (i32.const 128) (i32.const 2) (i32.const 200)))"#,
            );
            forge.lift = r#"(post-return (func $main "post"))"#;
            forge
        })
        .ends(Trap, "leave", NO_WAY_BACK),
    ]
}
