//! A router decides where a dispatcher sends a message; it never sends itself (specification: routers).

use async_trait::async_trait;
use vumi_message::Message;

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

/// One router.
#[async_trait]
pub trait Router: Send + Sync + 'static {
    /// Decides on a message that came from `connector` through `channel`. An empty answer is a logged drop,
    /// counted as unroutable.
    async fn route(&self, connector: &str, channel: Channel, message: &Message) -> Result<Vec<Target>>;
}
