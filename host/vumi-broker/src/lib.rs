//! Brokers: bounded queues in memory, durable on disk, and RabbitMQ.
//!
//! | Broker | Queues | For |
//! | --- | --- | --- |
//! | [`EmbeddedBroker::in_memory`] | in this process, gone with it | trying out, tests |
//! | [`EmbeddedBroker::open`] | in this process and a file; confirmed once on the disk | one host |
//! | [`AmqpBroker::open`] | of a RabbitMQ, with Vumi's names | several hosts, and together with Vumi's own workers |
//!
//! All pass the same tests (`tests/contract.rs`); what each has beyond that is said at its type.
//!
//! # The embedded broker
//! [`EmbeddedBroker`] carries the messages of one process. All that it holds stands in memory, one `queue` per name
//! behind a lock of its own; so handing a message on costs less than a microsecond. With a file, a `journal` stands
//! behind the queues: whatever changes is first written there, many changes in one transaction, and takes effect
//! (is confirmed, is handed to consumers) once that transaction is on the disk. The file is read only when the broker
//! is opened.
//!
//! How the parts stand on each other, from the ground up:
//! - `queue`, `dead`, `seats`, `line`: plain data without locks or waiting: the messages of a queue, its dead
//!   letters, its consumers, and those who wait until it has room.
//! - `handle`: these four behind one lock, with everything that can be done to a queue.
//! - `journal`, with `write` (the SQL), `effect` (what a commit sets going), `marks` (what was handed out when
//!   the process died) and `restore` (reading it all back).
//! - `shared`, `settle`, `consumer`, `embedded`: the traits of `vumi-core`.
//!
//! `queue`, `seats` and `consumer` also serve the local end of RabbitMQ's queues, see `amqp`.
//!
//! ```
//! # async fn example() -> vumi_core::Result<()> {
//! use std::time::Duration;
//! use vumi_broker::{BrokerOptions, EmbeddedBroker};
//! use vumi_core::{Admission, Broker};
//!
//! let broker = EmbeddedBroker::in_memory(BrokerOptions::default());
//! let wait = Admission::Edge(Duration::from_secs(5));
//! let confirm = broker.publish("sms_1.inbound", "{}".into(), wait).await?;
//! confirm.await?;
//! let mut consumer = broker.consume("sms_1.inbound", 20).await?;
//! if let Some(mut delivery) = consumer.next().await {
//!     assert_eq!(delivery.body, "{}");
//!     delivery.ack().await?;
//! }
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(example()).unwrap();
//! ```
//!
//! ## Delivery attempts
//! [`Delivery::attempts`](vumi_core::Delivery) counts across restarts, so that a message which brings the process down
//! each time is noticed. What was handed out when the process died counts once more; so does a message that had been
//! handed back and waited to be handed out again, which cannot be told apart. After an orderly end the counts are
//! exact. After a power loss the last deliveries may not be counted.
//!
//! # RabbitMQ
//! The connection is made, and made again, in the background. `amqp` tells how the parts stand on each other.
//!
//! ```no_run
//! # fn example() -> vumi_core::Result<()> {
//! use vumi_broker::{AmqpBroker, AmqpOptions, QueueType};
//!
//! // Vumi's own queues, shared with its workers:
//! let broker = AmqpBroker::open(&AmqpOptions::new("amqp://vumi:vumi@127.0.0.1:5672/%2Fdevelop"))?;
//! // A new deployment on a cluster:
//! let broker = AmqpBroker::open(&AmqpOptions {
//!     queue_type: QueueType::Quorum,
//!     single_active_consumer: true,
//!     ..AmqpOptions::new("amqps://vumi:secret@rabbit.example.org/vumi")
//! })?;
//! # Ok(())
//! # }
//! ```

mod amqp;
mod consumer;
mod dead;
mod effect;
mod embedded;
mod error;
mod handle;
mod journal;
mod line;
mod marks;
mod meters;
mod options;
mod queue;
mod restore;
mod seats;
mod settle;
mod shared;
mod write;

pub use amqp::{AmqpBroker, AmqpOptions, QueueType};
pub use embedded::EmbeddedBroker;
pub use error::BrokerError;
pub use options::BrokerOptions;
pub use vumi_sqlite::Durability;
