//! The admin server of vumi-host: what a person or a program looks at to see the system work.
//!
//! It serves a JSON API under `/api/v1` (described by OpenAPI at `/api/v1/openapi.json`), a live stream of
//! everything that happens (`/api/v1/events`), `/health` and `/metrics` for machines, and at `/` a page with
//! simulated phones, from which an application can be tried without any mobile network.
//!
//! The crate knows nothing about brokers, transports or sandboxes. It sees the system only through the trait
//! [`Control`]; the binary implements it, the tests fake it. Two helpers for that implementation live here because
//! the server and the pages depend on their exact behaviour: [`EventHub`], the numbered, bounded stream of events, and
//! [`PhoneBook`], which folds the messages of the simulator's transport into the threads that a phone shows.
//!
//! ```text
//! Control ──► api/*      JSON, problem+json, OpenAPI
//! EventHub ─► api/events Server-Sent Events, bounded per client
//!             transfer   components on their way in and out, bounded
//!             guard      who may do what: tokens, scopes (rules), Host and Origin checks, the audit log
//!             assets     the pages, embedded in the program
//! ```

mod access_store;
mod api;
mod assets;
mod audit;
mod browser;
mod caller;
mod clock;
mod connections;
mod control;
mod deployments;
mod error;
mod etag;
mod extract;
mod failures;
mod guard;
mod hub;
mod linger;
mod openapi;
mod options;
mod phonebook;
mod probes;
mod problem;
mod refusal;
mod rules;
mod server;
mod tenure;
mod tokens;
mod transfer;

pub mod model;

pub use access_store::{AccessStore, KeptToken};
pub use control::{Control, ControlError, MessageQuery, PageQuery};
pub use deployments::{Deployments, RecordingFilter, Upload};
pub use error::AdminError;
pub use hub::{EventHub, Missed, Subscription};
pub use options::{AdminOptions, Secret};
pub use phonebook::PhoneBook;
pub use problem::Problem;
pub use server::{bind, serve};

/// The OpenAPI 3.1 document that the server answers with at `/api/v1/openapi.json`, for tools and for the reference
/// pages.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    rules::describe(api::router().split_for_parts().1)
}
