//! The time of one channel of a hub: commands, deliveries, and what follows from them.
//!
//! It never waits for a single acknowledgement: what has to be told to RabbitMQ is written in one go, and then what was
//! written is looked after.

use std::task::Poll;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::poll;
use futures_util::stream::StreamExt;
use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};
use vumi_core::Result;

use super::super::link::Link;
use super::super::shared::Shared;
use super::super::topology::{self, Depth, NotDeclared};
use super::subscriptions::Subscriptions;
use super::task::late;
use super::{Command, Hub};

/// Commands taken at a time.
const AT_ONCE: usize = 256;

/// Why a session ended, where nothing was wrong.
pub(super) enum End {
    /// The connection or the subscription has ended, or the broker is being closed.
    Over,
    /// Nobody is here any more.
    Deserted,
}

/// Whether to go on.
pub(super) type Going = std::ops::ControlFlow<End>;

/// The time of one channel.
pub(super) struct Session<'a> {
    pub(super) hub: &'a Hub,
    pub(super) shared: &'a Shared,
    link: &'a Link,
    pub(super) channel: Channel,
    epoch: u64,
    pub(super) subscriptions: Subscriptions,
}

impl<'a> Session<'a> {
    /// Opens a channel, declares the queue and subscribes for each seat.
    pub(super) async fn open(
        hub: &'a Hub,
        shared: &'a Shared,
        link: &'a Link,
        epoch: u64,
    ) -> Result<Self, NotDeclared> {
        let channel = link.consuming.channel().await.map_err(|_| NotDeclared::Lost)?;
        let declared = topology::declare(&shared.plan, &channel, &hub.name, Depth::Queue).await;
        topology::told(&shared.plan, link, &hub.name, declared)?;
        shared.topology.note(&hub.name, Depth::Queue, true, None);
        let mut session = Self { hub, shared, link, channel, epoch, subscriptions: Subscriptions::default() };
        for seat in hub.prefetches().into_keys() {
            let seated = session.welcome(seat).await;
            topology::told(&shared.plan, link, &hub.name, seated)?;
        }
        Ok(session)
    }

    /// Serves until the channel is lost (that is an error where there is a reason), nobody is here, or the broker closed.
    pub(super) async fn serve(&mut self, commands: &mut UnboundedReceiver<Command>) -> lapin::Result<End> {
        let mut taken = Vec::with_capacity(AT_ONCE);
        loop {
            let alone_until = self.hub.alone_until();
            let going = tokio::select! {
                biased;
                () = self.shared.closed.cancelled() => Going::Break(End::Over),
                () = self.link.lost.cancelled() => Going::Break(End::Over),
                _ = commands.recv_many(&mut taken, AT_ONCE) => self.perform(&mut taken).await?,
                Some(item) = self.subscriptions.items.next(), if !self.subscriptions.items.is_empty() => self.receive(item).await?,
                () = sleep_until(alone_until.unwrap_or_else(Instant::now)), if alone_until.is_some() => {
                    self.hub.nobody_came();
                    Going::Continue(())
                }
            };
            if let Going::Break(end) = going {
                return Ok(end);
            }
            self.stand_in().await?;
        }
    }

    /// Does what commands say, in their order. Acknowledgements are all put on the wire before the first is waited for.
    async fn perform(&mut self, commands: &mut Vec<Command>) -> lapin::Result<Going> {
        let channel = self.channel.clone();
        let mut writing = Vec::new();
        let mut done = Ok(Going::Continue(()));
        for command in commands.drain(..) {
            match command {
                too_late if !matches!(done, Ok(Going::Continue(()))) => late(self.hub, too_late),
                Command::Ack { epoch, tag, id, print, answer } if epoch == self.epoch => {
                    let ack = write(channel.basic_ack(tag, BasicAckOptions::default()).boxed()).await;
                    writing.push((ack, Some((id, print, answer))));
                }
                Command::Back { epoch, tag } if epoch == self.epoch => {
                    let requeue = BasicNackOptions { multiple: false, requeue: true };
                    writing.push((write(channel.basic_nack(tag, requeue).boxed()).await, None));
                }
                Command::Sit(seat) => done = self.welcome(seat).await.map(Going::Continue),
                Command::Stand(seat) => done = self.farewell(seat).await,
                Command::Count(answer) => match self.count().await {
                    Ok((counts, going)) => {
                        let _ = answer.send(counts);
                        done = Ok(going);
                    }
                    Err(error) => done = Err(error),
                },
                Command::Delayed => {}
                too_late => late(self.hub, too_late),
            }
        }
        for (write, settled) in writing {
            let written = write.await;
            let Some((id, print, answer)) = settled else { continue };
            self.hub.acked(written.is_err().then_some((id, print)));
            if let Err(error) = written {
                done = done.and(Err(error));
            }
            if let Some(answer) = answer {
                // An error means that nobody waits.
                let _ = answer.send(Ok(()));
            }
        }
        done
    }

    /// Somebody has sat down.
    async fn welcome(&mut self, seat: u64) -> lapin::Result<()> {
        // He may have gone again, or been seen when the channel was opened.
        if let Some(prefetch) = self.hub.prefetches().get(&seat)
            && !self.subscriptions.has(seat)
        {
            self.subscribe(Some(seat), *prefetch).await?;
        }
        self.hub.welcome(|newcomer| newcomer == seat, || Ok(()));
        Ok(())
    }

    /// Somebody has gone. What was delivered for him goes back.
    async fn farewell(&mut self, seat: u64) -> lapin::Result<Going> {
        if self.hub.is_deserted() {
            // All at once, so that others get it in its order.
            self.channel.close(200, "OK".into()).await?;
            return Ok(Going::Break(End::Deserted));
        }
        // First the subscription ends, or it would come right back.
        let nobody = self.hub.prefetches().is_empty();
        for number in self.subscriptions.numbers(|own| own.seat == Some(seat) || nobody && own.seat.is_none()) {
            self.unsubscribe(number).await?;
        }
        let channel = self.channel.clone();
        let mut writing = Vec::new();
        for tag in self.hub.left_by(seat) {
            let requeue = BasicNackOptions { multiple: false, requeue: true };
            writing.push(write(channel.basic_nack(tag, requeue).boxed()).await);
        }
        for write in writing {
            write.await?;
        }
        Ok(Going::Continue(()))
    }
}

/// Puts something on the wire now; what comes back resolves when it is written.
async fn write(mut writing: BoxFuture<'_, lapin::Result<()>>) -> BoxFuture<'_, lapin::Result<()>> {
    match poll!(&mut writing) {
        Poll::Ready(written) => std::future::ready(written).boxed(),
        Poll::Pending => writing,
    }
}
