//! What every engine must offer: a queue of messages by id, and pairs of keys and values. Every write returns only when
//! it is confirmed in the engine's sense.

use std::future::Future;

/// An engine under test. Clones share it.
pub trait Engine: Clone + Send + Sync + 'static {
    /// Adds a message.
    fn put(&self, id: u64, body: Vec<u8>) -> impl Future<Output = ()> + Send;
    /// Reads a message's body, as a consumer does that takes it on lease; the lease itself is kept in memory, since a
    /// crash ends it anyway.
    fn lease(&self, id: u64) -> impl Future<Output = Vec<u8>> + Send;
    /// Removes a message.
    fn ack(&self, id: u64) -> impl Future<Output = ()> + Send;
    /// Reads a pair's value.
    fn get(&self, key: String) -> impl Future<Output = Option<Vec<u8>>> + Send;
    /// Writes a pair.
    fn set(&self, key: String, value: Vec<u8>) -> impl Future<Output = ()> + Send;
    /// Adds one to a counter and returns the sum.
    fn incr(&self, key: String) -> impl Future<Output = i64> + Send;
    /// Checks after the run that no message is left and that the counters add up to what was confirmed.
    fn check(&self, increments: u64) -> impl Future<Output = ()> + Send;
    /// Closes the file.
    fn close(&self) -> impl Future<Output = ()> + Send;
}
