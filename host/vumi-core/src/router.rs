//! A router decides where a dispatcher sends a message; it never sends itself (specification: routers).

use async_trait::async_trait;
use vumi_message::Message;

use crate::bindings::BindingsWatch;
use crate::error::Result;
use crate::middleware::Channel;

/// Where a message goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Connector name; the queue is `<connector>.<channel>`.
    pub connector: String,
    /// The kind of queue there.
    pub channel: Channel,
    /// The message as it is to be sent there.
    pub message: Message,
}

/// What a router decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// A copy goes to each of these, in order.
    To(Vec<Target>),
    /// There is no way: an error in the log with this text, counted as unroutable, and the message is dropped.
    Nowhere(String),
    /// As [`Route::Nowhere`], as a warning; and the sender of an outbound message is told by a `nack` with this text.
    Refused(String),
    /// Dropped without a word: what this router does with such messages.
    Discarded,
}

impl Route {
    /// To one target.
    pub fn one(connector: impl Into<String>, channel: Channel, message: Message) -> Self {
        Self::To(vec![Target { connector: connector.into(), channel, message }])
    }
}

/// One router.
#[async_trait]
pub trait Router: Send + Sync + 'static {
    /// Decides on a message that came from `connector` through `channel`.
    ///
    /// # Errors
    /// A temporary error has the message come again; with a permanent one it goes to the dead letters.
    async fn route(&self, connector: &str, channel: Channel, message: &Message) -> Result<Route>;

    /// The apps that the router reaches besides the dispatcher's exposed names. They come and go while it runs: the
    /// dispatcher consumes the `.outbound` of those that are in the table, and lets the router name them. A router that
    /// stands around another one passes this on.
    fn bindings(&self) -> Option<&BindingsWatch> {
        None
    }
}
