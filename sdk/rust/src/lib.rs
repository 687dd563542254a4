//! Write a messaging application for `vumi-host` in one small file.
//!
//! An application is a type that implements [`App`], given to the [`app!`] macro. The host makes a fresh instance
//! for every message, so nothing stays in memory from one message to the next; what must last goes into [`kv`].
//!
//! ```no_run
//! use vumi_sdk::prelude::*;
//!
//! struct Shop;
//!
//! impl App for Shop {
//!     fn on_message(message: &Message) -> Result<()> {
//!         let visits = kv::incr(&format!("visits:{}", message.user()), 1)?;
//!         message.reply(format!("Welcome! This is visit number {visits}."))?;
//!         Ok(())
//!     }
//! }
//!
//! vumi_sdk::app!(Shop);
//! # fn main() {}
//! ```
//!
//! Conversations (menus, forms, surveys) are made with the kit in [`mod@dialogue`]; [`testing`] lets `cargo test` run all of
//! it without a host.
//!
//! Build it with `cargo build --target wasm32-wasip2 --release` (crate type `cdylib`) and run it with
//! `vumi-host --app <the .wasm file or the project's folder>`.

mod app;
pub mod dialogue;
mod error;
mod host;
pub mod http;
pub mod kv;
pub mod log;
mod message;
pub mod metrics;
pub mod parts;
pub mod sms;
#[cfg(any(doc, not(target_arch = "wasm32")))]
pub mod testing;

/// The contract, as generated. The modules above are friendlier; this is for what they do not cover.
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "app",
        pub_export_macro: true,
        default_bindings_module: "vumi_sdk::bindings",
        generate_all,
    });
}

/// The contract of a router, as generated.
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod router_bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "router",
        pub_export_macro: true,
        default_bindings_module: "vumi_sdk::router_bindings",
        with: {
            "vumi:app/types@0.1.0": crate::bindings::vumi::app::types,
            "vumi:app/log@0.1.0": crate::bindings::vumi::app::log,
            "vumi:app/kv@0.1.0": crate::bindings::vumi::app::kv,
            "vumi:app/http@0.1.0": crate::bindings::vumi::app::http,
            "vumi:app/config@0.1.0": crate::bindings::vumi::app::config,
            "vumi:app/metrics@0.1.0": crate::bindings::vumi::app::metrics,
        },
    });
}

/// The contract of a middleware, as generated.
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod middleware_bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "middleware",
        pub_export_macro: true,
        default_bindings_module: "vumi_sdk::middleware_bindings",
        with: {
            "vumi:app/types@0.1.0": crate::bindings::vumi::app::types,
            "vumi:app/log@0.1.0": crate::bindings::vumi::app::log,
            "vumi:app/kv@0.1.0": crate::bindings::vumi::app::kv,
            "vumi:app/http@0.1.0": crate::bindings::vumi::app::http,
            "vumi:app/config@0.1.0": crate::bindings::vumi::app::config,
            "vumi:app/metrics@0.1.0": crate::bindings::vumi::app::metrics,
        },
    });
}

/// What an app whose dialogue can be drawn offers beside its handler, as generated.
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod dialogue_bindings {
    // The world `app-with-dialogue` of the contract is `app` and this: its handler has its macro above already.
    wit_bindgen::generate!({
        path: "wit",
        inline: "package vumi:sdk; world drawn { export vumi:app/dialogue@0.1.0; }",
        world: "vumi:sdk/drawn",
        pub_export_macro: true,
        default_bindings_module: "vumi_sdk::dialogue_bindings",
    });
}

pub use app::{App, Handlers};
pub use error::{Error, ErrorKind, Result};
pub use message::{DeliveryStatus, Event, EventKind, Message, Send, SessionEvent};

/// The text of a configured key, if the app's owner set it.
pub fn config(key: &str) -> Option<String> {
    host::config(key)
}

/// What nearly every app needs.
pub mod prelude {
    pub use crate::{App, Error, Event, EventKind, Message, Result, Send, SessionEvent};
    pub use crate::{config, http, kv, metrics};
    pub use crate::{debug, error, info, warning};
}
