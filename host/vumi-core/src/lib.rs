//! The seams of the host.
//!
//! Everything that moves messages is written against the traits of this crate and never against each other:
//! a transport does not know which broker carries its messages, an app does not know which store keeps its
//! keys. `vumi-host` alone knows all implementations and joins them.
//!
//! The seams are [`Broker`], [`KvStore`], [`Store`], [`Transport`], [`Router`] and [`Middleware`]. Around them
//! stands what every implementation needs: the [`Error`] with its retry verdict, queue [`names`], [`Clock`],
//! [`Backoff`], [`Lanes`] (order per conversation), the live [`Feed`] and the [`registry!`] macro.

pub mod application;
pub mod backoff;
pub mod bindings;
pub mod broker;
pub mod catalog;
pub mod clock;
pub mod collections;
pub mod component;
pub mod context;
pub mod error;
pub mod feed;
pub mod keyspace;
pub mod kv;
pub mod lanes;
pub mod middleware;
pub mod middleware_config;
pub mod names;
pub mod recording;
pub mod registry;
pub mod router;
pub mod run;
pub mod secret;
pub mod session;
pub mod size;
pub mod store;
pub mod supervise;
pub mod trace;
pub mod transport;

pub use application::{AppWorker, Application, Handled, Input, Outbox, QueueOutbox};
pub use backoff::Backoff;
pub use bindings::{Binding, BindingTable, BindingsWatch, BoundApp};
pub use broker::{Admission, Broker, Confirm, Consumer, DeadLetter, Delivery, Outgoing, QueueInfo, Settle};
pub use catalog::{
    AppChange, AppRecord, AuditEntry, Canary, Catalog, NewVersion, SealedSecret, TokenRecord, VersionRecord,
};
pub use clock::{Clock, SystemClock};
pub use collections::{Answer, Change, Collections, Guard, Op, Scores};
pub use context::{Context, GuestConfig, GuestParts, NoGuests, Worker};
pub use error::{Error, Result, Retry};
pub use feed::{Feed, Happening, Sequenced};
pub use keyspace::{Keyspace, Keyspaces, RedisManager};
pub use kv::{KeyQuota, KvEntry, KvStore, Quota};
pub use lanes::Lanes;
pub use middleware::{Channel, Direction, Flow, Hook, Middleware, Placed, Stack};
pub use recording::{Difference, Recording, RecordingBounds, RecordingQuery, Recordings};
pub use router::{Route, Router, Target};
pub use run::{LogLevel, LogLine, Outcome, Run};
pub use secret::Secret;
pub use session::{Session, Sessions};
pub use size::ByteSize;
pub use store::{MessageQuery, MessageRecord, Store};
pub use transport::{Link, Nack, Sent, Transport};
