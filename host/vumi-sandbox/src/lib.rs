//! The sandbox: one fresh WebAssembly component instance per message, under limits.
//!
//! A [`Sandbox`] holds the engine; an [`App`] is a component with its configuration; [`App::run`] makes an instance,
//! hands it one message or event, and throws it away. Nothing survives in memory between messages or apps (unless the
//! app's owner asked for [`Instances::Reuse`]): what an app wants to keep goes into its kv. To the rest of the host an app is one [`Application`](vumi_core::Application)
//! among others. Components that work as a router or middleware ([`GuestRouter`], [`GuestMiddleware`]) run in the same
//! way. An app can also be a script: JavaScript text that runs on an engine which all scripts share (`script`).
//!
//! Three lifetimes: what lives as long as the process is in `engine`, as long as the app in `app`, as long as one
//! message in `state`.

mod app;
mod cache;
mod compile;
mod compose;
mod config;
mod convert;
mod cpu;
mod engine;
mod gauges;
mod graph;
mod library;
mod limits;
mod logbook;
mod meter;
mod parts;
mod plan;
mod resources;
mod reuse;
mod run;
mod script;
mod shadow;
mod stage;
mod state;
mod tape;
mod turns;
mod verdict;
mod wasi;
pub mod web;
mod world;

pub use app::{App, LoadedComponent, Surroundings};
pub use cache::{ComponentCache, LoadError, MAX_COMPONENT};
pub use compile::{CompileLimits, Compiler, serve_one_compilation};
pub use config::{AppConfig, HttpConfig, Instances};
pub use engine::{EngineError, EngineOptions, Sandbox};
pub use library::{Library, LibraryStats, Origin};
pub use limits::Limits;
pub use parts::{GuestMiddleware, GuestRouter, PartSurroundings};
pub use plan::{Plan, Release, WHOLE};
pub use resources::{Aggregator, Datapoint, MetricSink};
pub use run::Finished;
pub use script::{Dialect, LegacyOptions, Resource, ScriptSource};
pub use shadow::Shadow;
pub use stage::{Company, Stage};
pub use tape::{
    Departure, DepartureKind, FORMAT as TAPE_FORMAT, RecordRule, Replayed, Secret, TapeCall, TapeClocks, TapeCost,
    TapeDocument, TapeError, TapeInput, TapeSettings, TapeStop,
};
