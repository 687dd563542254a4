//! The Rust side of the WIT contract, generated from `wit/` at build time, and nothing else.
//!
//! It stands in a crate of its own so that editing the sandbox never expands the macro again.

// What follows is generated: its texts are those of the WIT files, its style is the generator's.
#![allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::panic, clippy::indexing_slicing)]

/// The world `vumi:app/app`.
pub mod app {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "app",
        imports: {
            // Ready at once, so no fiber has to be left.
            "vumi:app/log@0.1.0": trappable,
            "vumi:app/config@0.1.0": trappable,
            "vumi:app/metrics@0.1.0": trappable,
            default: async | trappable,
        },
        exports: { default: async },
    });
}

/// The world `vumi:app/router`. Its imports are those of [`app`].
pub mod router {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "router",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "vumi:app/types@0.1.0": crate::app::vumi::app::types,
            "vumi:app/log@0.1.0": crate::app::vumi::app::log,
            "vumi:app/kv@0.1.0": crate::app::vumi::app::kv,
            "vumi:app/http@0.1.0": crate::app::vumi::app::http,
            "vumi:app/config@0.1.0": crate::app::vumi::app::config,
            "vumi:app/metrics@0.1.0": crate::app::vumi::app::metrics,
        },
    });
}

/// The world `vumi:app/middleware`. Its imports are those of [`app`].
pub mod middleware {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "middleware",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "vumi:app/types@0.1.0": crate::app::vumi::app::types,
            "vumi:app/log@0.1.0": crate::app::vumi::app::log,
            "vumi:app/kv@0.1.0": crate::app::vumi::app::kv,
            "vumi:app/http@0.1.0": crate::app::vumi::app::http,
            "vumi:app/config@0.1.0": crate::app::vumi::app::config,
            "vumi:app/metrics@0.1.0": crate::app::vumi::app::metrics,
        },
    });
}

/// The world `vumi:app/script-engine`: the host's own script engine, which no guest is given. Its imports are those of
/// [`app`] and one more, `legacy-host`.
pub mod script_engine {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "script-engine",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "vumi:app/types@0.1.0": crate::app::vumi::app::types,
            "vumi:app/log@0.1.0": crate::app::vumi::app::log,
            "vumi:app/kv@0.1.0": crate::app::vumi::app::kv,
            "vumi:app/outbound@0.1.0": crate::app::vumi::app::outbound,
            "vumi:app/http@0.1.0": crate::app::vumi::app::http,
            "vumi:app/config@0.1.0": crate::app::vumi::app::config,
            "vumi:app/metrics@0.1.0": crate::app::vumi::app::metrics,
        },
    });
}
