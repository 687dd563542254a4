//! The task of a hub: opens a channel when somebody sits in the hub, and again whenever it is lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};
use vumi_core::{Backoff, Error};

use super::super::link::Link;
use super::super::sentences;
use super::super::shared::Shared;
use super::super::topology::{Depth, NotDeclared};
use super::session::{End, Session};
use super::{Command, Hub};

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
        if let Err(error) = &ended {
            report(&shared, &hub, &link, error);
        }
        if shared.closed.is_cancelled() {
            // Dropping the session would first cancel the consumers and then give back what they had: it would come
            // late to others. The end of the connection does both at once.
            link.lost.cancelled().await;
        }
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
        if link.is_up() && !matches!(ended, Ok(End::Deserted)) {
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

/// A command that comes too late for its channel.
pub(super) fn late(hub: &Hub, command: Command) {
    match command {
        Command::Ack { id, print, answer, .. } => {
            hub.acked(Some((id, print)));
            if let Some(answer) = answer {
                let _ = answer.send(Ok(()));
            }
        }
        Command::Count(answer) => drop(answer.send(None)),
        // Back: it is back anyway. Seats are looked at when there is a channel.
        Command::Back { .. } | Command::Sit(_) | Command::Stand(_) | Command::Delayed => {}
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
