//! Interop with Python Vumi: its recorded conversations with the broker (tests/fixtures/vumi-wire) are held again, with
//! the built binary in the place of one of Vumi's workers, on a real RabbitMQ.
//!
//! The test plays all other parties: it declares what Vumi declared, publishes what Vumi published, byte for byte, and
//! takes off the queues what the host published. That is compared with what Vumi published at the same step: exchange,
//! routing key, every property, every field of the payload. Only ids and times may differ where the host makes them,
//! and those must be of Vumi's form, and the same id must stand wherever Vumi had the same. Where the host differs on
//! purpose, the test says so and why.
//!
//! Each conversation is held twice: once everything was declared by Vumi before the host came, once the host came
//! first. Both must pass, as RabbitMQ refuses declarations with other arguments. What a consumer cannot see is not
//! compared: the host publishes with confirms and mostly with the mandatory flag, Vumi without.

mod apps;
mod capture;
mod compare;
mod compare_tests;
mod dispatchers;
mod dmark;
mod failure_records;
mod failures;
mod heartbeats;
mod http_api;
mod metrics;
mod peer;
mod sharing;
mod stage;
mod telnet;
