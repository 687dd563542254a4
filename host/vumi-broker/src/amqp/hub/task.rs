//! The AMQP side of a hub: its channel, its subscriptions, its acknowledgements.
//!
//! The task opens a channel when somebody sits in the hub, and again whenever it is lost. It never waits for a single
//! acknowledgement: what has to be told to RabbitMQ is written in one go, and then what was written is looked after.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::FutureExt;
use futures_util::poll;
use futures_util::stream::{self, BoxStream, SelectAll, StreamExt};
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, message::Delivery};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};
use vumi_core::{Backoff, Error, Result};

use super::super::link::Link;
use super::super::shared::Shared;
use super::super::topology::{self, Depth, NotDeclared};
use super::super::{sentences, wire};
use super::{Arrival, Command, Counts, Hub};

/// Commands taken at a time.
const AT_ONCE: usize = 256;

/// Deliveries taken at a time, while there is only one subscription.
const BATCH: usize = 256;

/// Subscriptions that stand in for those whose prefetch is taken up by delayed messages. Each one is at least twice as
/// large as the one before.
const STAND_INS: usize = 10;

/// Runs until the broker is closed.
pub(super) async fn run(hub: Arc<Hub>, shared: Arc<Shared>, mut commands: UnboundedReceiver<Command>) {
    let mut backoff = Backoff::new(Duration::from_millis(100), 2.0, Duration::from_secs(10));
    let mut told = None;
    let mut epoch = 0;
    loop {
        let Some(link) = shared.closed.run_until_cancelled(needed(&hub, &shared, &mut commands)).await else { return };
        let began = Instant::now();
        let mut session = match Session::open(&hub, &shared, &link, epoch).await {
            Ok(session) => session,
            Err(error) => {
                refuse(&hub, &shared, &error, &mut told);
                wait(&hub, &shared, &mut commands, backoff.next_delay()).await;
                continue;
            }
        };
        told = None;
        let ended = session.serve(&mut commands).await;
        let _ = ended.inspect_err(|error| report(&shared, &hub, &link, error));
        drop(session);
        epoch = hub.lose();
        discard(&hub, &mut commands);
        if shared.closed.is_cancelled() {
            return;
        }
        if began.elapsed() > Duration::from_secs(1) {
            backoff.reset();
        }
        // On the same connection not at once: RabbitMQ had a reason.
        if link.is_up() {
            wait(&hub, &shared, &mut commands, backoff.next_delay()).await;
        }
    }
}

/// Waits until somebody sits here and there is a connection.
async fn needed(hub: &Hub, shared: &Shared, commands: &mut UnboundedReceiver<Command>) -> Arc<Link> {
    let mut standing = shared.standing.subscribe();
    loop {
        let link = standing.borrow_and_update().link.clone().filter(|link| link.is_up());
        if let Some(link) = link
            && hub.is_needed()
        {
            return link;
        }
        tokio::select! {
            // The sender lives as long as `shared`.
            _ = standing.changed() => {}
            Some(command) = commands.recv() => late(hub, command),
            // A link that has just been lost is still shown for a moment.
            () = tokio::time::sleep(Duration::from_millis(100)), if standing.borrow().link.is_some() && hub.is_needed() => {}
        }
    }
}

/// Waits, with an ear for commands.
async fn wait(hub: &Hub, shared: &Shared, commands: &mut UnboundedReceiver<Command>, time: Duration) {
    let until = Instant::now() + time;
    loop {
        tokio::select! {
            () = shared.closed.cancelled() => return,
            () = sleep_until(until) => return,
            Some(command) = commands.recv() => late(hub, command),
        }
    }
}

/// What was to be done on a channel that is lost.
fn discard(hub: &Hub, commands: &mut UnboundedReceiver<Command>) {
    while let Ok(command) = commands.try_recv() {
        late(hub, command);
    }
}

fn late(hub: &Hub, command: Command) {
    match command {
        Command::Ack { id, print, answer, .. } => {
            hub.too_late(id, print);
            if let Some(answer) = answer {
                let _ = answer.send(Ok(()));
            }
        }
        Command::Count(answer) => drop(answer.send(None)),
        // Back: it is back anyway. Seats: they are looked at when there is a channel.
        Command::Back { .. } | Command::Seats => {}
    }
}

/// The queue cannot be consumed now; those who ask for it learn why.
fn refuse(hub: &Hub, shared: &Shared, error: &NotDeclared, told: &mut Option<String>) {
    let sentence = match error {
        NotDeclared::Refused(sentence) => sentence.clone(),
        NotDeclared::TooMany(error) => error.to_string(),
        NotDeclared::Lost => return,
    };
    shared.topology.note(&hub.name, Depth::Queue, true, Some(error));
    hub.welcome(|_| true, || Err(Error::permanent(sentence.clone())));
    if told.as_ref() != Some(&sentence) {
        tracing::error!("{sentence}");
        *told = Some(sentence);
    }
}

/// Why a channel ended, where that is news.
fn report(shared: &Shared, hub: &Hub, link: &Link, error: &lapin::Error) {
    if link.is_up() {
        let place = shared.plan.place();
        match sentences::refusal(error) {
            Some((number, words)) => {
                tracing::warn!(queue = hub.name, "{place} ended the consumer ({number} {words}); it is started again");
            }
            None => tracing::warn!(queue = hub.name, "{place} ended the consumer; it is started again"),
        }
    }
}

/// What comes out of a subscription.
enum Item {
    /// For this seat; none for a subscription that stands in.
    Delivery(Option<u64>, Delivery),
    /// A subscription, by its number.
    Ended(u64, Option<lapin::Error>),
}

struct Subscription {
    tag: ShortString,
    /// None for one that stands in.
    seat: Option<u64>,
    prefetch: u16,
}

/// The time of one channel.
struct Session<'a> {
    hub: &'a Hub,
    shared: &'a Shared,
    link: &'a Link,
    channel: Channel,
    epoch: u64,
    subscriptions: BTreeMap<u64, Subscription>,
    next: u64,
    /// Whether a prefetch was ever asked for on this channel.
    limited: bool,
    items: SelectAll<BoxStream<'static, Item>>,
}

impl<'a> Session<'a> {
    /// Opens a channel, declares the queue and subscribes for each seat.
    async fn open(hub: &'a Hub, shared: &'a Shared, link: &'a Link, epoch: u64) -> Result<Self, NotDeclared> {
        let channel = link.consuming.channel().await.map_err(|_| NotDeclared::Lost)?;
        let declared = topology::declare(&shared.plan, &channel, &hub.name, Depth::Queue).await;
        topology::told(&shared.plan, link, &hub.name, declared)?;
        shared.topology.note(&hub.name, Depth::Queue, true, None);
        let items = SelectAll::new();
        let mut session =
            Self { hub, shared, link, channel, epoch, subscriptions: BTreeMap::new(), next: 0, limited: false, items };
        let seated = session.reconcile().await;
        topology::told(&shared.plan, link, &hub.name, seated)?;
        Ok(session)
    }

    /// Serves until the channel is lost (that is an error where there is a reason) or the broker closed.
    async fn serve(&mut self, commands: &mut UnboundedReceiver<Command>) -> lapin::Result<()> {
        let mut taken = Vec::with_capacity(AT_ONCE);
        loop {
            let alone_until = self.hub.alone_until();
            tokio::select! {
                biased;
                () = self.shared.closed.cancelled() => return Ok(()),
                () = self.link.lost.cancelled() => return Ok(()),
                _ = commands.recv_many(&mut taken, AT_ONCE) => self.perform(&mut taken).await?,
                Some(item) = self.items.next(), if !self.items.is_empty() => {
                    if !self.receive(item).await? {
                        return Ok(());
                    }
                }
                () = sleep_until(alone_until.unwrap_or_else(Instant::now)), if alone_until.is_some() => {
                    self.hub.nobody_came();
                }
            }
            self.stand_in().await?;
        }
    }

    /// Does what commands say. Acknowledgements are all put on the wire before the first is waited for.
    async fn perform(&mut self, commands: &mut Vec<Command>) -> lapin::Result<()> {
        let channel = self.channel.clone();
        let mut writing = Vec::new();
        let mut seats = false;
        let mut counting = Vec::new();
        let mut failed = None;
        for command in commands.drain(..) {
            match command {
                Command::Ack { epoch, tag, id, print, answer } if epoch == self.epoch && failed.is_none() => {
                    let mut ack = Box::pin(channel.basic_ack(tag, BasicAckOptions::default()));
                    let written = poll!(&mut ack);
                    writing.push((ack, written, id, print, answer));
                }
                Command::Back { epoch, tag } if epoch == self.epoch => {
                    // First the subscription ends, or it comes right back.
                    if std::mem::take(&mut seats) {
                        failed = failed.or(self.reconcile().await.err());
                    }
                    let requeue = BasicNackOptions { multiple: false, requeue: true };
                    failed = failed.or(channel.basic_nack(tag, requeue).await.err());
                }
                Command::Seats => seats = true,
                Command::Count(answer) => counting.push(answer),
                too_late => late(self.hub, too_late),
            }
        }
        for (ack, written, id, print, answer) in writing {
            let written = match written {
                std::task::Poll::Ready(written) => written,
                std::task::Poll::Pending => ack.await,
            };
            if let Err(error) = written {
                self.hub.too_late(id, print);
                failed.get_or_insert(error);
            }
            if let Some(answer) = answer {
                // An error means that nobody waits.
                let _ = answer.send(Ok(()));
            }
        }
        if seats {
            failed = failed.or(self.reconcile().await.err());
        }
        for answer in counting {
            let counted = match &failed {
                None => self.count().await,
                Some(_) => Ok(None),
            };
            match counted {
                Ok(counts) => drop(answer.send(counts)),
                Err(error) => {
                    let _ = answer.send(None);
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Makes the subscriptions fit the seats.
    async fn reconcile(&mut self) -> lapin::Result<()> {
        let seats = self.hub.prefetches();
        let gone: Vec<u64> = self
            .subscriptions
            .iter()
            .filter(|(_, own)| own.seat.is_some_and(|seat| !seats.contains_key(&seat)))
            .map(|(number, _)| *number)
            .collect();
        for number in gone {
            self.unsubscribe(number).await?;
        }
        for (seat, prefetch) in &seats {
            if !self.subscriptions.values().any(|own| own.seat == Some(*seat)) {
                self.subscribe(Some(*seat), *prefetch).await?;
            }
        }
        self.hub.welcome(|seat| seats.contains_key(&seat), || Ok(()));
        Ok(())
    }

    async fn subscribe(&mut self, seat: Option<u64>, prefetch: u16) -> lapin::Result<()> {
        // 0 is "no bound", and RabbitMQ's default, so it need not be said. (Vumi does not say it, either.)
        if prefetch > 0 || self.limited {
            self.channel.basic_qos(prefetch, BasicQosOptions { global: false }).await?;
            self.limited = true;
        }
        let (tag, options, arguments) = (ShortString::default(), BasicConsumeOptions::default(), FieldTable::default());
        let consumer = self.channel.basic_consume(self.hub.name.as_str().into(), tag, options, arguments).await?;
        let number = self.next;
        self.next += 1;
        self.subscriptions.insert(number, Subscription { tag: consumer.tag(), seat, prefetch });
        let deliveries = consumer.map(move |delivery| match delivery {
            Ok(delivery) => Item::Delivery(seat, delivery),
            Err(error) => Item::Ended(number, Some(error)),
        });
        self.items.push(deliveries.chain(stream::once(async move { Item::Ended(number, None) })).boxed());
        Ok(())
    }

    async fn unsubscribe(&mut self, number: u64) -> lapin::Result<()> {
        let Some(own) = self.subscriptions.remove(&number) else { return Ok(()) };
        self.channel.basic_cancel(own.tag, BasicCancelOptions::default()).await
    }

    /// Takes in what has arrived. False when the channel has ended.
    async fn receive(&mut self, first: Item) -> lapin::Result<bool> {
        let mut arrivals = Vec::new();
        let mut going_on = true;
        let mut next = Some(first);
        while let Some(item) = next {
            match item {
                Item::Delivery(seat, delivery) => arrivals.push(arrival(seat, delivery)),
                // After an end of our own making, the subscription is not known any more.
                Item::Ended(number, error) if self.subscriptions.contains_key(&number) => match error {
                    Some(error) => return Err(error),
                    None => going_on = false,
                },
                Item::Ended(..) => {}
            }
            // Of several subscriptions everything is taken, or they could not be brought into RabbitMQ's order.
            let more = arrivals.len() < BATCH || self.subscriptions.len() > 1;
            next = if more { self.items.next().now_or_never().flatten() } else { None };
        }
        arrivals.sort_by_key(|arrival| arrival.tag);
        for tag in self.hub.arrive(arrivals) {
            self.channel.basic_ack(tag, BasicAckOptions::default()).await?;
        }
        Ok(going_on)
    }

    /// Lets messages pass others that wait for their time: those still count for RabbitMQ, so with a small prefetch
    /// nothing would come any more. A subscription more makes room, and goes when there are no delayed ones. (A single
    /// active consumer is a single one; there the order is wanted, and delayed messages hold up the others.)
    async fn stand_in(&mut self) -> lapin::Result<()> {
        let (delayed, outstanding) = self.hub.held_up();
        let stand_ins: Vec<u64> =
            self.subscriptions.iter().filter(|(_, own)| own.seat.is_none()).map(|(number, _)| *number).collect();
        if delayed == 0 {
            for number in stand_ins {
                self.unsubscribe(number).await?;
            }
            return Ok(());
        }
        let unlimited = self.subscriptions.values().any(|own| own.prefetch == 0);
        let room: usize = self.subscriptions.values().map(|own| usize::from(own.prefetch)).sum();
        let seated = self.subscriptions.len() > stand_ins.len();
        if self.shared.plan.single_active_consumer
            || unlimited
            || !seated
            || outstanding < room
            || stand_ins.len() >= STAND_INS
        {
            return Ok(());
        }
        let size = u16::try_from(room).unwrap_or(u16::MAX).clamp(1, 10_000);
        self.subscribe(None, size).await
    }

    /// What RabbitMQ says of the queue. Everything that it has delivered before is here by then.
    async fn count(&mut self) -> lapin::Result<Counts> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = self.channel.queue_declare(self.hub.name.as_str().into(), passive, FieldTable::default()).await?;
        if let Some(first) = self.items.next().now_or_never().flatten() {
            self.receive(first).await?;
        }
        let stand_ins = self.subscriptions.values().filter(|own| own.seat.is_none()).count() as u64;
        let consumers = u64::from(queue.consumer_count()).saturating_sub(stand_ins);
        Ok(Some((queue.message_count().into(), consumers)))
    }
}

fn arrival(seat: Option<u64>, delivery: Delivery) -> Arrival {
    Arrival {
        tag: delivery.delivery_tag,
        seat,
        redelivered: delivery.redelivered,
        delivered_before: wire::delivered_before(&delivery.properties, delivery.redelivered),
        trace: wire::trace(&delivery.properties),
        body: delivery.data.into(),
    }
}

impl Hub {
    fn is_needed(&self) -> bool {
        let state = self.state.lock();
        !state.closed && !state.prefetches.is_empty()
    }

    fn prefetches(&self) -> BTreeMap<u64, u16> {
        self.state.lock().prefetches.clone()
    }

    /// Messages that wait for their time, and deliveries that RabbitMQ waits for.
    fn held_up(&self) -> (usize, usize) {
        let state = self.state.lock();
        match state.queue.delayed() {
            0 => (0, 0),
            delayed => (delayed, state.origins.values().filter(|origin| origin.tag.is_some()).count()),
        }
    }

    /// When the first delayed message is due, if nobody sits here to be handed it.
    fn alone_until(&self) -> Option<Instant> {
        let state = self.state.lock();
        if state.prefetches.is_empty() { state.queue.next_due() } else { None }
    }

    /// Puts back what is due and nobody is here for.
    fn nobody_came(&self) {
        self.change(|state, _| {
            state.queue.promote(Instant::now());
            self.turn_out(state);
        });
    }
}
