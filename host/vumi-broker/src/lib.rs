//! Brokers: bounded queues in memory, durable on disk.
//!
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
//! # Delivery attempts
//! [`Delivery::attempts`](vumi_core::Delivery) counts across restarts, so that a message which brings the process down
//! each time is noticed. What was handed out when the process died counts once more; so does a message that had been
//! handed back and waited to be handed out again, which cannot be told apart. After an orderly end the counts are
//! exact. After a power loss the last deliveries may not be counted.

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
