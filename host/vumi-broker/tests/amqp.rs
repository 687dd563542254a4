//! The AMQP broker against real RabbitMQ servers: what it puts on the wire, what it says, and what it lives through.
//! (What it has in common with other brokers is tested in `contract.rs`.)

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

mod amqp {
    mod blocked;
    mod dead;
    mod kit;
    mod loss;
    mod outages;
    mod sharing;
    mod tls;
    mod troubles;
    mod wire;
}
