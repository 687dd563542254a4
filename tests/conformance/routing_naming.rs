//! Names, connectors, order and acknowledgement (specification: routing names), checked with whole workers: a
//! transport, an application and a dispatcher, on the embedded broker and on a real RabbitMQ.
//!
//! Where each check stands:
//!
//! | Check | Where |
//! |---|---|
//! | 1, 2 | here, the queues of each worker; their exchanges, declarations and properties: `amqp/wire.rs` of vumi-broker |
//! | 3 | `base/tests/life.rs` of vumi-transport, `mistakes/system.txt` of vumi-host |
//! | 4 | here, each worker's prefetch; what RabbitMQ makes of it: `amqp/wire.rs` of vumi-broker |
//! | 5 to 13 | here; of 9, the redelivery itself also in `amqp/sharing.rs` of vumi-broker |
//! | 14 | `mistakes/system.txt` of vumi-host |
//! | 15 | `names.rs` of vumi-core |
//!
//! Four things are not as in Vumi. There are no handlers per endpoint: `inbound_endpoints` names the endpoints that an
//! app takes. Nothing can refuse an acknowledgement by returning `false`: a host that cannot do its part says so, and
//! the message is tried again. Workers are not paused but stopped, and started again; a transport whose network is
//! away is what a paused connector was. And a dispatcher, a transport or an app has the connectors that its keys say,
//! so a second one of the same name is a mistake in the file.

mod connectors;
mod delivery;
mod kit;
mod parts;
mod prefetch;
mod stopping;
