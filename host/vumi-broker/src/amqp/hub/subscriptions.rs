//! The subscriptions on the channel of a hub: one for each seat, and some that stand in for them.

use std::collections::BTreeMap;

use futures_util::future::FutureExt;
use futures_util::stream::{self, BoxStream, SelectAll, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};

use super::super::wire;
use super::Counts;
use super::arriving::Arrival;
use super::session::{End, Going, Session};

/// Deliveries taken at a time, while there is only one subscription.
const BATCH: usize = 256;

/// Subscriptions that stand in for those whose prefetch is taken up by delayed messages. Each one is at least twice as
/// large as the one before.
const STAND_INS: usize = 10;

/// What comes out of a subscription.
pub(super) enum Item {
    /// A message.
    Arrival(Arrival),
    /// A subscription, by its number.
    Ended(u64, Option<lapin::Error>),
}

pub(super) struct Subscription {
    tag: ShortString,
    /// None for one that stands in.
    pub(super) seat: Option<u64>,
    prefetch: u16,
}

/// See the module's text.
#[derive(Default)]
pub(super) struct Subscriptions {
    all: BTreeMap<u64, Subscription>,
    next: u64,
    /// Whether a prefetch was ever asked for on this channel.
    limited: bool,
    pub(super) items: SelectAll<BoxStream<'static, Item>>,
}

impl Subscriptions {
    /// Whether there is one for this seat.
    pub(super) fn has(&self, seat: u64) -> bool {
        self.all.values().any(|own| own.seat == Some(seat))
    }

    /// Numbers of some.
    pub(super) fn numbers(&self, which: impl Fn(&Subscription) -> bool) -> Vec<u64> {
        self.all.iter().filter(|(_, own)| which(own)).map(|(number, _)| *number).collect()
    }
}

impl Session<'_> {
    /// Subscribes for a seat; for none, to stand in.
    pub(super) async fn subscribe(&mut self, seat: Option<u64>, prefetch: u16) -> lapin::Result<()> {
        // 0 is "no bound", and RabbitMQ's default, so it need not be said. (Vumi does not say it, either.)
        if prefetch > 0 || self.subscriptions.limited {
            self.channel.basic_qos(prefetch, BasicQosOptions { global: false }).await?;
            self.subscriptions.limited = true;
        }
        let (tag, options, arguments) = (ShortString::default(), BasicConsumeOptions::default(), FieldTable::default());
        let consumer = self.channel.basic_consume(self.hub.name.as_str().into(), tag, options, arguments).await?;
        let number = self.subscriptions.next;
        self.subscriptions.next += 1;
        self.subscriptions.all.insert(number, Subscription { tag: consumer.tag(), seat, prefetch });
        let deliveries = consumer.map(move |delivery| match delivery {
            Ok(delivery) => Item::Arrival(arrival(seat, delivery)),
            Err(error) => Item::Ended(number, Some(error)),
        });
        let ended = stream::once(async move { Item::Ended(number, None) });
        self.subscriptions.items.push(deliveries.chain(ended).boxed());
        Ok(())
    }

    /// Ends a subscription.
    pub(super) async fn unsubscribe(&mut self, number: u64) -> lapin::Result<()> {
        let Some(own) = self.subscriptions.all.remove(&number) else { return Ok(()) };
        self.channel.basic_cancel(own.tag, BasicCancelOptions::default()).await
    }

    /// Takes in what has arrived.
    pub(super) async fn receive(&mut self, first: Item) -> lapin::Result<Going> {
        let mut arrivals = Vec::new();
        let mut going = Going::Continue(());
        let mut next = Some(first);
        while let Some(item) = next {
            match item {
                Item::Arrival(arrival) => arrivals.push(arrival),
                // After an end of our own making, the subscription is not known any more.
                Item::Ended(number, error) if self.subscriptions.all.contains_key(&number) => match error {
                    Some(error) => return Err(error),
                    None => going = Going::Break(End::Over),
                },
                Item::Ended(..) => {}
            }
            // Of several subscriptions everything is taken, or they could not be brought into RabbitMQ's order.
            let more = arrivals.len() < BATCH || self.subscriptions.all.len() > 1;
            next = if more { self.subscriptions.items.next().now_or_never().flatten() } else { None };
        }
        arrivals.sort_by_key(|arrival| arrival.tag);
        for tag in self.hub.arrive(arrivals) {
            self.channel.basic_ack(tag, BasicAckOptions::default()).await?;
        }
        Ok(going)
    }

    /// Lets messages pass others that wait for their time: those still count for RabbitMQ, so with a small prefetch
    /// nothing would come any more. A subscription more makes room, and goes when there are no delayed ones. (A single
    /// active consumer is a single one; there the order is wanted, and delayed messages hold up the others.)
    pub(super) async fn stand_in(&mut self) -> lapin::Result<()> {
        let (delayed, outstanding) = self.hub.held_up();
        let stand_ins = self.subscriptions.numbers(|own| own.seat.is_none());
        if delayed == 0 {
            for number in stand_ins {
                self.unsubscribe(number).await?;
            }
            return Ok(());
        }
        let unlimited = self.subscriptions.all.values().any(|own| own.prefetch == 0);
        let room: usize = self.subscriptions.all.values().map(|own| usize::from(own.prefetch)).sum();
        let seated = self.subscriptions.all.len() > stand_ins.len();
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
    pub(super) async fn count(&mut self) -> lapin::Result<(Counts, Going)> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = self.channel.queue_declare(self.hub.name.as_str().into(), passive, FieldTable::default()).await?;
        let mut going = Going::Continue(());
        while let Going::Continue(()) = going
            && let Some(first) = self.subscriptions.items.next().now_or_never().flatten()
        {
            going = self.receive(first).await?;
        }
        let stand_ins = self.subscriptions.numbers(|own| own.seat.is_none()).len() as u64;
        let consumers = u64::from(queue.consumer_count()).saturating_sub(stand_ins);
        Ok((Some((queue.message_count().into(), consumers)), going))
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
