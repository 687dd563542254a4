//! The one task that owns the connection: connects, again and again, and sends what is to be published.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Event};
use tokio::time::Instant;
use vumi_core::Backoff;

use super::link::Link;
use super::publishing::{self, End};
use super::sentences;
use super::shared::Shared;

/// A connection that lived so long was a good one: the next attempt comes soon.
const GOOD: Duration = Duration::from_secs(10);

/// How often the state of the connection is looked at.
const GLANCE: Duration = Duration::from_secs(1);

/// Runs until the broker is closed.
pub(crate) async fn supervise(shared: Arc<Shared>) {
    // Vumi's reconnecting clients wait longer each time by a factor of e, up to an hour. Nobody wants to wait an hour
    // after an outage.
    let mut backoff = Backoff::new(Duration::from_millis(500), std::f64::consts::E, Duration::from_secs(15));
    let mut told = None;
    while let Some(opened) = shared.closed.run_until_cancelled(open(&shared)).await {
        match opened {
            Ok((link, channel)) => {
                tracing::info!("{} is connected", shared.plan.place());
                let began = Instant::now();
                serve(&shared, &link, channel).await;
                if shared.closed.is_cancelled() {
                    break;
                }
                metrics::counter!("vumi_amqp_reconnects_total").increment(1);
                if began.elapsed() >= GOOD {
                    backoff.reset();
                }
                let sentence = format!("{}: the connection is lost; it is made again", shared.plan.place());
                tracing::warn!("{sentence}");
                told = Some(sentence);
            }
            Err(sentence) => {
                shared.standing.send_modify(|standing| standing.reason = Some(sentence.clone()));
                // Once per reason; the attempts go on.
                if told.as_ref() != Some(&sentence) {
                    tracing::error!("{sentence}");
                    told = Some(sentence);
                    // Somebody is working on it.
                    backoff.reset();
                }
            }
        }
        let wait = tokio::time::sleep(backoff.next_delay());
        if shared.closed.run_until_cancelled(wait).await.is_none() {
            break;
        }
    }
    shared.publisher.close();
}

/// Connects and makes everything ready.
async fn open(shared: &Shared) -> Result<(Arc<Link>, Channel), String> {
    let link = Arc::new(Link::open(&shared.plan).await?);
    let lost = || format!("{}: the connection was lost while queues were declared", shared.plan.place());
    let refused = shared.topology.declare_all(&shared.plan, &link).await.map_err(|()| lost())?;
    for (queue, sentence) in refused {
        tracing::error!("{sentence}");
        shared.publisher.give_up(&queue, &sentence);
    }
    let channel = confirming(&link).await.map_err(|_| lost())?;
    Ok((link, channel))
}

/// A channel on which everything is confirmed.
async fn confirming(link: &Link) -> lapin::Result<Channel> {
    let channel = link.publishing.channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

/// Uses a connection until it is lost or the broker is closed.
async fn serve(shared: &Shared, link: &Arc<Link>, channel: Channel) {
    shared.standing.send_modify(|standing| {
        standing.link = Some(Arc::clone(link));
        standing.reason = None;
    });
    tokio::select! {
        () = shared.closed.cancelled() => {}
        () = watch(shared, link) => {}
        () = publish(shared, link, channel) => {}
    }
    // Sending was given up in the middle, where it did not end by itself.
    shared.publisher.recall(None);
    shared.standing.send_modify(|standing| {
        standing.link = None;
        standing.blocked = None;
    });
    metrics::gauge!("vumi_amqp_blocked").set(0.0);
    link.close().await;
}

/// Publishes; on a new channel when RabbitMQ closed the old one.
async fn publish(shared: &Shared, link: &Link, mut channel: Channel) {
    let mut backoff = Backoff::new(Duration::from_millis(100), 2.0, Duration::from_secs(10));
    let mut told = None;
    loop {
        let began = Instant::now();
        let End::Channel(words) = publishing::run(shared, link, &channel).await else { return };
        if began.elapsed() >= GOOD {
            backoff.reset();
            told = None;
        }
        if told.as_ref() != Some(&words) {
            tracing::error!("{}: publishing was refused ({words})", shared.plan.place());
            told = Some(words);
        }
        tokio::time::sleep(backoff.next_delay()).await;
        // An exchange may have been deleted.
        if shared.topology.declare_all(&shared.plan, link).await.is_err() {
            return;
        }
        match confirming(link).await {
            Ok(new) => channel = new,
            Err(_) => return,
        }
    }
}

/// Watches a connection until it is lost, and tells when RabbitMQ takes no messages.
async fn watch(shared: &Shared, link: &Link) {
    let publishing = link.publishing.events().map(|event| (true, event));
    let consuming = link.consuming.events().map(|event| (false, event));
    let mut events = futures_util::stream::select(publishing, consuming);
    // Events from before the first look are not told.
    while link.is_up() {
        // Not every end of a connection is an event.
        let Ok(event) = tokio::time::timeout(GLANCE, events.next()).await else { continue };
        match event {
            Some((true, Event::ConnectionBlocked(words))) => {
                tracing::warn!("{}", sentences::blocked(&shared.plan, &words));
                metrics::gauge!("vumi_amqp_blocked").set(1.0);
                shared.standing.send_modify(|standing| standing.blocked = Some(words));
            }
            Some((true, Event::ConnectionUnblocked)) => {
                tracing::info!("{} takes messages again", shared.plan.place());
                metrics::gauge!("vumi_amqp_blocked").set(0.0);
                shared.standing.send_modify(|standing| standing.blocked = None);
            }
            // Errors of single channels come here as well; whether the connection is lost is asked above.
            Some(_) => {}
            None => return,
        }
    }
}
