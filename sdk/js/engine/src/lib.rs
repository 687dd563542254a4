//! The script engine: QuickJS as a component, for all scripts of a host.
//!
//! The contract is `wit/script.wit`. Per message the host makes a fresh instance, hands it a script's bytecode and calls
//! it once. What an instance begins with is a snapshot, made when the engine is built: QuickJS with all globals, and
//! the libraries that scripts for Vumi's sandbox take for granted.
//!
//! `machine` sets QuickJS up, `bytecode` compiles and runs, `turns` is the event loop, `vumi_host` is the module that
//! new scripts import, `old_host` what old ones are given; the JavaScript in `js/` is what is easier said there.

#![allow(missing_docs, reason = "nothing here is used by name: the contract is documented in wit/")]

mod bytecode;
mod exports;
mod failure;
mod heap;
mod machine;
mod message;
mod natives;

mod setup;
mod system;
mod turns;
mod vumi_host;

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit", "wit"],
        world: "vumi:engine/engine",
        generate_all,
    });
}

bindings::export!(Engine with_types_in bindings);

/// Stands for the whole.
struct Engine;
