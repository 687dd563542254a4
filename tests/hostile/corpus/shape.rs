//! Components that are strange as a whole: too many of something, too deep, not what they seem.

use std::fmt::Write;

use vumi_tests::blowup;
use vumi_tests::forge::{Forge, component};

use super::case::{Case, bytes, elsewhere, forged};

const BOUND: &str = "The validator and the pool bound how many there may be.";
const WORLD: &str = "A component runs if it is of the world, by names and types, and imports only what is offered.";
const SENTENCE: &str =
    "A component's names are foreign text: the sentence about it is short and cannot steer a terminal.";
/// `count` types, each made of the one before.
fn chain(count: usize, first: &str, next: fn(usize) -> String) -> String {
    let mut text = format!("(type $t0 {first})");
    for n in 1..count {
        let _ = write!(text, "(type $t{n} {})", next(n - 1));
    }
    text
}

fn ok() -> Forge {
    Forge::attack("(call $say (i32.const 128) (i32.const 2))")
}

fn after(text: impl Fn() -> String + Send + Sync) -> impl Fn() -> Forge + Send + Sync {
    move || {
        let mut forge = ok();
        forge.after = text();
        forge
    }
}

fn text(name: &str, what: &str, text: impl Fn() -> String + Send + Sync + 'static) -> Case {
    bytes(name, what, move || component(&format!("(component {})", text())))
}

/// The good guest, but for one thing in its text.
fn bent(name: &str, what: &str, from: &'static str, to: &'static str) -> Case {
    bytes(name, what, move || {
        let good = ok().text();
        assert!(good.contains(from), "the text of a forged guest has no {from}");
        component(&good.replace(from, to))
    })
}

pub fn cases() -> Vec<Case> {
    let mut cases = many();
    cases.extend(deep());
    cases.extend(names());
    cases
}

fn many() -> Vec<Case> {
    vec![
        forged(
            "shape-instances",
            "has 80 instances of core modules",
            after(|| "(core module $e)".to_owned() + &"(core instance (instantiate $e))".repeat(80)),
        )
        .refused("instances", BOUND),
        forged(
            "shape-thousands-of-instances",
            "has 5,000 instances",
            after(|| "(core module $e)".to_owned() + &"(core instance (instantiate $e))".repeat(5_000)),
        )
        .refused("is not a valid component", BOUND),
        forged("shape-modules", "has 1,500 modules", after(|| "(core module)".repeat(1_500)))
            .refused("is not a valid component", BOUND),
        text("shape-imports", "imports 5,000 functions", || {
            (0..5_000).fold(String::new(), |mut text, n| {
                let _ = write!(text, "(import \"f{n}\" (func))");
                text
            })
        })
        .refused("which this host does not offer", WORLD),
        forged(
            "shape-exports",
            "exports 5,000 functions beside its handler",
            after(|| {
                (0..5_000).fold(String::new(), |mut text, n| {
                    let _ = write!(text, "(export \"f{n}\" (func $on-message))");
                    text
                })
            }),
        )
        .says("ok", "Nobody calls them."),
        forged("shape-core-exports", "has a module that exports 10,000 things", || {
            let exports = (0..10_000).fold(String::new(), |mut text, n| {
                let _ = write!(text, "(export \"e{n}\" (func $attack))");
                text
            });
            ok().and(&exports)
        })
        .says("ok", "Nobody uses them."),
        forged("shape-core-types", "has a module of 2,000 types", || {
            let types = (0..2_000).fold(String::new(), |mut text, n: u32| {
                let params: String = (0..15).map(|bit| if n >> bit & 1 == 0 { "i32 " } else { "i64 " }).collect();
                let _ = write!(text, "(type (func (param {params})))");
                text
            });
            ok().and(&types)
        })
        .says("ok", "They are known as long as the component is."),
        forged("shape-globals", "has 50,000 globals", || ok().and(&"(global i64 (i64.const 1))".repeat(50_000)))
            .says("ok", "They are part of an instance, whose size the pool bounds."),
        forged("shape-custom-section", "carries 2 MB that mean nothing", || {
            ok().and(&format!("(@custom \"junk\" \"{}\")", "x".repeat(2_000_000)))
        })
        .says("ok", "What means nothing is not looked at."),
        text("shape-parameters", "imports a function of 2,000 parameters", || {
            let params: String = (0..2_000).map(|n| format!("(param \"p{n}\" u8)")).collect();
            format!("(import \"f\" (func {params}))")
        })
        .refused("hostile.wasm", BOUND),
    ]
}

fn deep() -> Vec<Case> {
    vec![
        bytes("shape-nested-types", "has a type within a type, 1,000 deep", || blowup::nested_types(1_000))
            .refused("hostile.wasm", BOUND),
        elsewhere(
            "compile::what_breaks_the_compiler_breaks_nothing_else",
            "has a type within a type, 1,000,000 deep, and is uploaded",
            "refused; the host goes on",
            "Reading a component takes stack that its writer decides on: uploads are read in a process of their own.",
        ),
        bytes("shape-nested-components", "is a component within a component, 500 deep", || {
            blowup::nested_components(500)
        })
        .refused("hostile.wasm", BOUND),
        text("shape-large-type", "has a type of 2^40 fields, by doubling", || {
            chain(40, "(tuple u8 u8)", |n| format!("(tuple $t{n} $t{n})"))
        })
        .refused("is not a valid component", BOUND),
        text("shape-deep-type", "has a list of lists, 5,000 deep", || {
            chain(5_000, "(list u8)", |n| format!("(list $t{n})"))
        })
        .refused("is not a valid component", BOUND),
        text("shape-large-flags", "has flags of 10,000 names", || {
            let names: String = (0..10_000).map(|n| format!("\"n{n}\" ")).collect();
            format!("(type (flags {names}))")
        })
        .refused("is not a valid component", BOUND),
    ]
}

fn names() -> Vec<Case> {
    vec![
        bent("shape-later-handler", "exports the handler of a later version", "vumi:app/handler@0.1.0", "vumi:app/handler@0.2.0")
            .refused("does not export `vumi:app/handler@0.1.0`", WORLD),
        bent("shape-patched-handler", "exports the handler of a version that is said to be compatible", "vumi:app/handler@0.1.0", "vumi:app/handler@0.1.9")
            .refused("does not export `vumi:app/handler@0.1.0`", WORLD),
        bent("shape-capital-handler", "exports `HANDLER`", "vumi:app/handler@0.1.0", "vumi:app/HANDLER@0.1.0")
            .refused("does not export `vumi:app/handler@0.1.0`", WORLD),
        bent("shape-dotted-version", "exports the handler of version `0.1.0/../9`", "vumi:app/handler@0.1.0", "vumi:app/handler@0.1.0/../9")
            .refused("is not a valid component", WORLD),
        forged("shape-two-handlers", "exports two handlers", after(|| {
            "(export \"vumi:app/handler@0.1.0\" (instance $handler))".to_owned()
        }))
        .refused("is not a valid component", WORLD),
        bent(
            "shape-half-a-handler",
            "has no `on-event`",
            "(export \"on-event\" (func $on-event))",
            "",
        )
        .refused("does not fit the world", WORLD),
        bent(
            "shape-crossed-handler",
            "handles messages as events, and events as messages",
            "(export \"on-message\" (func $on-message)) (export \"on-event\" (func $on-event))",
            "(export \"on-message\" (func $on-event)) (export \"on-event\" (func $on-message))",
        )
        .refused("does not fit the world", WORLD),
        bent("shape-other-type", "takes `kv.get` for something that answers a number", "(result (result (option string) (error $err)))", "(result (result u64 (error $err)))")
            .refused("does not fit the world", WORLD),
        bent("shape-no-such-function", "imports `kv.flush`", "(export \"get\" (func (param \"key\" string) (result (result (option string)", "(export \"flush\" (func)) (export \"get\" (func (param \"key\" string) (result (result (option string)")
            .refused("does not fit the world", WORLD),
        text("shape-no-such-interface", "imports `vumi:app/secrets`", || "(import \"vumi:app/secrets@0.1.0\" (instance (export \"all\" (func))))".into())
            .refused("vumi:app/secrets", WORLD),
        text("shape-wasi-http", "imports HTTP that would go past the allow-list", || {
            "(import \"wasi:http/outgoing-handler@0.2.1\" (instance (export \"handle\" (func))))".into()
        })
        .refused("imports `wasi:http/outgoing-handler@0.2.1`, which this host does not offer", WORLD),
        text("shape-import-of-a-component", "imports a component", || "(import \"c\" (component))".into())
            .refused("component imports are not supported", WORLD),
        text("shape-import-of-a-module", "imports a core module", || "(import \"m\" (core module))".into())
            .refused("which this host does not offer", WORLD),
        text("shape-long-import", "imports something whose name has 90,000 letters", || {
            format!("(import \"{}\" (func))", "x".repeat(90_000))
        })
        .refused("which this host does not offer", SENTENCE),
        text("shape-escapes-in-import", "imports something whose name would clear a terminal", || {
            "(import \"\\1b[2J\\1b]0;owned\\07\" (func))".into()
        })
        .refused("is not a valid component", SENTENCE),
        text("shape-escapes-in-module", "has a core module that exports `\\u{1b}[2J` twice", || {
            "(core module (func $f) (export \"\\1b[2J\\1b]0;owned\\07\" (func $f)) (export \"\\1b[2J\\1b]0;owned\\07\" (func $f)))".into()
        })
        .refused("is not a valid component", SENTENCE),
        text("shape-long-name-in-module", "has a core module that exports a name of 90,000 letters twice", || {
            let name = "x".repeat(90_000);
            format!("(core module (func $f) (export \"{name}\" (func $f)) (export \"{name}\" (func $f)))")
        })
        .refused("is not a valid component", SENTENCE),
    ]
}
