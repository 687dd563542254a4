//! The connection to RabbitMQ as a whole: two TCP connections that live and die together.
//!
//! RabbitMQ stops reading from a connection that publishes while its memory or disk runs low. Acknowledgements must get
//! through all the same, as only they bring relief; so publishing has a connection of its own, and everything else goes
//! over the other one.

use lapin::Channel;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::connect::Wire;
use super::options::Plan;

/// See the module's text.
pub(crate) struct Link {
    pub(crate) publishing: Wire,
    pub(crate) consuming: Wire,
    /// The channel for declarations, made when needed: a refused declaration closes it.
    desk: Mutex<Option<Channel>>,
    /// Set when the connections have ended.
    pub(crate) lost: CancellationToken,
}

impl Link {
    /// Connects. The error is a sentence for the user.
    pub(crate) async fn open(plan: &Plan) -> Result<Self, String> {
        let publishing = Wire::open(plan, "vumi-host publishing").await?;
        let consuming = Wire::open(plan, "vumi-host consuming").await?;
        Ok(Self { publishing, consuming, desk: Mutex::new(None), lost: CancellationToken::new() })
    }

    /// Does something on the channel for declarations; one at a time.
    pub(crate) async fn declaring<T>(&self, what: impl AsyncFnOnce(&Channel) -> lapin::Result<T>) -> lapin::Result<T> {
        let mut desk = self.desk.lock().await;
        let channel = match desk.take() {
            Some(channel) if channel.status().connected() => channel,
            _ => self.consuming.channel().await?,
        };
        let done = what(&channel).await;
        if done.is_ok() {
            *desk = Some(channel);
        }
        done
    }

    /// False once one of the connections is lost.
    pub(crate) fn is_up(&self) -> bool {
        !self.lost.is_cancelled() && self.publishing.is_up() && self.consuming.is_up()
    }

    /// Ends both connections. What is not settled goes back together with its consumer: only then do others get it in
    /// its order.
    pub(crate) async fn close(&self) {
        tokio::join!(self.publishing.close(), self.consuming.close());
        self.lost.cancel();
    }
}
