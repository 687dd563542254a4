//! Scripts: apps that are JavaScript text, run by one engine that all of them share.
//!
//! The engine is a component of its own (world `script-engine`), compiled once per host. A script becomes the engine's
//! bytecode once, made by the engine itself in an instance under limits (`compile`), and is kept beside the compiled
//! components (`cache`). From there on a script is run as any component is: per message a fresh instance (of the engine,
//! which is then handed the bytecode), under the same limits, turns, recordings and trials (`instance`). What an app of
//! Vumi's JavaScript sandbox asks the host for is the business of `legacy`; where in its sources a module failed is found
//! out by `traces`.

mod cache;
mod compile;
mod engine;
mod instance;
pub(crate) mod legacy;
mod source;
mod source_map;
mod traces;

pub use legacy::{LegacyOptions, Resource};
pub use source::{Dialect, ScriptSource};

pub(crate) use compile::map_beside;
pub(crate) use engine::Core;
pub(crate) use instance::{Handler, Instance, Runnable};
pub(crate) use source::Sniffed;
pub(crate) use traces::Traces;
