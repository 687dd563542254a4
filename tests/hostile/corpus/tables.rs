//! Guests that take tables, and calls through them that lead nowhere.

use vumi_core::Outcome::{TableLimit, Trap};
use vumi_tests::forge::Forge;

use super::case::{Case, forged};
use super::memory::modules;

const SUM: &str = "The limit `table_elements` counts all tables of an instance together, and growth beyond it fails.";
const TYPED: &str = "Each call through a table is checked: there is a function, and it is of the type that is called.";

fn with(fields: impl Into<String>) -> impl Fn() -> Forge + Send + Sync {
    let fields = fields.into();
    move || Forge::attack("(call $say (i32.const 128) (i32.const 2))").and(&fields)
}

pub fn cases() -> Vec<Case> {
    let elements = "(type $v (func)) (type $w (func (param i64))) (func $f (param i64)) (table $t 4 funcref)
                    (elem (table $t) (i32.const 0) func $f)";
    let calls = |name: &str, what: &str, at: &'static str| {
        forged(name, what, move || {
            Forge::attack(format!("(call_indirect $t (type $v) (i32.const {at}))")).and(elements)
        })
    };
    vec![
        forged("table-one-step", "grows a table to four thousand million elements", || {
            Forge::attack(
                "(if (i32.eq (i32.const -1) (table.grow $t (ref.null func) (i32.const -2))) (then (unreachable)))",
            )
            .and("(table $t 1 funcref)")
        })
        .ends(TableLimit, "limit `table_elements`", SUM),
        forged("table-step-by-step", "grows a table by a thousand elements at a time until it may not", || {
            Forge::attack(
                "(loop $l (br_if $l (i32.ne (i32.const -1) (table.grow $t (ref.null func) (i32.const 1000)))))
                 (unreachable)",
            )
            .and("(table $t 1 funcref)")
        })
        .ends(TableLimit, "limit `table_elements`", SUM),
        forged("table-initial", "begins with 20,001 elements", with("(table 20001 funcref)")).ends(
            TableLimit,
            "limit `table_elements`",
            SUM,
        ),
        forged("table-initial-huge", "begins with ten million elements", with("(table 10000000 funcref)"))
            .refused("table", "A table is larger than any that the pool can hold."),
        forged("table-two", "has a module of two tables", with("(table 1 funcref) (table 1 funcref)")).refused(
            "exceeds the per-instance limit of 1",
            "The pool is made for one; more are refused before they run.",
        ),
        forged("table-many", "has 40 modules, each with a table", modules("(table 1 funcref)", 40))
            .refused("tables", "The pool has room for 32 in one component; more are refused before they run."),
        forged(
            "table-together",
            "has 25 modules with a table of a thousand elements each",
            modules("(table 1000 funcref)", 25),
        )
        .ends(TableLimit, "limit `table_elements`", SUM),
        calls("table-call-null", "calls an element that holds nothing", "1").ends(Trap, "uninitialized element", TYPED),
        calls("table-call-other-type", "calls a function as if it were of another type", "0").ends(
            Trap,
            "indirect call type mismatch",
            TYPED,
        ),
        calls("table-call-beyond", "calls an element beyond the table's end", "-1").ends(
            Trap,
            "undefined element",
            TYPED,
        ),
        forged("table-copy-beyond", "copies elements from beyond the table's end", || {
            Forge::attack("(table.copy $t $t (i32.const 0) (i32.const 3) (i32.const 2))").and("(table $t 4 funcref)")
        })
        .ends(Trap, "out of bounds table access", TYPED),
        forged("table-many-elements", "has 2,000 segments of elements", || {
            let elements = "(elem (table $t) (i32.const 0) func $f)".repeat(2_000);
            with(format!("(func $f) (table $t 4 funcref) {elements}"))()
        })
        .says("ok", "They are set when the instance is made, one after the other."),
    ]
}
