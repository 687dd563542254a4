//! Sends what stands in line, over one channel, without waiting for one confirm before the next message is sent.
//!
//! One task does this, so the order in the line is the order on the wire. (The client library numbers a message before
//! it puts it in line for the socket; two tasks on one channel could come between each other there.)

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::FutureExt;
use futures_util::poll;
use futures_util::stream::{FuturesUnordered, StreamExt};
use lapin::message::Delivery;
use lapin::options::BasicPublishOptions;
use lapin::{Channel, Confirmation};
use vumi_core::Error;

use super::entry::Letter;
use super::link::Link;
use super::publisher::{Publisher, Returned};
use super::sentences;
use super::shared::Shared;
use super::topology::NotDeclared;

/// Why sending ended.
pub(crate) enum End {
    /// The connection is lost.
    Lost,
    /// RabbitMQ closed the channel, with these words; the connection may be well.
    Channel(String),
}

type Landed = (u64, lapin::Result<Confirmation>);

/// Sends until the channel or the connection is lost; then what was not confirmed stands in line again.
pub(crate) async fn run(shared: &Shared, link: &Link, channel: &Channel) -> End {
    let end = send(shared, link, channel).await;
    match &end {
        End::Lost => shared.publisher.recall(None),
        End::Channel(words) => shared.publisher.recall(Some(words)),
    }
    end
}

async fn send(shared: &Shared, link: &Link, channel: &Channel) -> End {
    let publisher = &shared.publisher;
    let mut flying = FuturesUnordered::new();
    // Queues that have gone. Until they are there again, nothing more is sent: so messages keep their order.
    let mut gone = BTreeSet::new();
    loop {
        while gone.is_empty()
            && let Some((number, letter)) = publisher.next()
        {
            let mut flight = Box::pin(fly(channel, number, letter));
            // The first poll is what puts it on the wire.
            match poll!(&mut flight) {
                Poll::Ready(landed) => match land(publisher, landed, &mut gone) {
                    Ok(()) => {}
                    Err(error) => return lost_by(link, &error),
                },
                Poll::Pending => flying.push(flight),
            }
        }
        if !gone.is_empty() && flying.is_empty() {
            for queue in std::mem::take(&mut gone) {
                if let Some(end) = repair(shared, link, &queue).await {
                    return end;
                }
            }
            continue;
        }
        let landed = tokio::select! {
            biased;
            () = link.lost.cancelled() => return End::Lost,
            Some(landed) = flying.next(), if !flying.is_empty() => landed,
            () = publisher.bell.notified(), if gone.is_empty() => continue,
        };
        // Many are confirmed at once.
        let mut next = Some(landed);
        while let Some(landed) = next {
            if let Err(error) = land(publisher, landed, &mut gone) {
                return lost_by(link, &error);
            }
            next = flying.next().now_or_never().flatten();
        }
    }
}

/// Sends one message; resolves when it is confirmed.
async fn fly(channel: &Channel, number: u64, letter: Letter) -> Landed {
    let Letter { exchange, key, body, properties, mandatory } = letter;
    let options = BasicPublishOptions { mandatory, immediate: false };
    let (exchange, key) = ((&*exchange).into(), (&*key).into());
    match channel.basic_publish(exchange, key, options, &body, properties).await {
        Ok(confirm) => (number, confirm.await),
        Err(error) => (number, Err(error)),
    }
}

/// A confirm came. The error is the end of the channel.
fn land(publisher: &Publisher, (number, result): Landed, gone: &mut BTreeSet<String>) -> lapin::Result<()> {
    let (returned, result) = match result? {
        Confirmation::Ack(returned) => (returned, Ok(())),
        Confirmation::Nack(returned) => (
            returned,
            Err(Error::temporary("RabbitMQ could not take a message (its queue may be full, or a node away)")),
        ),
        // Confirms are always on.
        Confirmation::NotRequested => (None, Err(Error::temporary("RabbitMQ did not confirm a message"))),
    };
    if let Some(message) = returned {
        if gone.insert(message.routing_key.to_string()) {
            let queue = message.routing_key.as_str();
            tracing::warn!(queue, "RabbitMQ returns messages: the queue has gone; it is declared again");
        }
        send_back(publisher, message.delivery);
    }
    publisher.ended(number, result);
    Ok(())
}

fn send_back(publisher: &Publisher, message: Delivery) {
    metrics::counter!("vumi_amqp_returned_total").increment(1);
    let (key, exchange) = (message.routing_key.to_string(), message.exchange.to_string());
    if let Returned::Lost = publisher.returned(&key, &message.data) {
        publisher.rescue(Letter {
            exchange: Arc::from(exchange),
            key: Arc::from(key),
            body: message.data.into(),
            properties: message.properties,
            mandatory: true,
        });
    }
}

async fn repair(shared: &Shared, link: &Link, queue: &str) -> Option<End> {
    match shared.topology.repair(&shared.plan, link, queue).await {
        Ok(()) => None,
        Err(NotDeclared::Lost) => Some(End::Lost),
        Err(NotDeclared::Refused(sentence)) => {
            tracing::error!("{sentence}");
            shared.publisher.give_up(queue, &sentence);
            None
        }
        Err(NotDeclared::TooMany(error)) => {
            shared.publisher.give_up(queue, &error.to_string());
            None
        }
    }
}

fn lost_by(link: &Link, error: &lapin::Error) -> End {
    match sentences::refusal(error) {
        Some((number, words)) if link.is_up() => End::Channel(format!("{number} {words}")),
        _ => End::Lost,
    }
}
