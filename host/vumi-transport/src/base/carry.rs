//! One outbound message on its way to the network: has it been there before, the middleware, the sending, the record.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use vumi_core::{Backoff, Channel, Direction, Error, Flow, Hook, Nack, Result, Sent};
use vumi_message::{FailureCode, Message, UserMessage};

use super::outbound::{Outbound, outbound_entry};
use super::sent::Known;
use super::shared::WhenUnsure;
use super::worker::Once;

/// Tries of one step within one delivery, when kv or store could not do their part: about 80 seconds.
const TRIES: u32 = 10;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The network took it under this id.
    Ack(String),
    /// It was refused, by the network or by middleware.
    Nack { reason: String, sent_message_id: Option<String> },
    /// The transport reports it itself, or it was reported before.
    Silent,
    /// It could not be handled.
    Failed { code: FailureCode, reason: String, nack: Option<Nack> },
    /// It was being sent when the host stopped, and is not to be sent again.
    Unsure,
}

/// Why a message was not carried to an outcome.
pub(super) enum Undone {
    /// The worker stops: the message goes back to its queue.
    Halted,
    /// The host could not do its part: the message goes to the dead letters.
    GaveUp(String),
}

impl Outbound {
    /// Carries a message to the network, unless it went there before. Returns it as the middleware left it.
    pub(super) async fn carry(&self, message: UserMessage) -> Result<(Arc<UserMessage>, Outcome), Undone> {
        let message = Arc::new(message);
        let once = self.common.worker.once;
        let fail_unsure = once == Once::Record && self.common.worker.shared.when_unsure == WhenUnsure::Fail;
        if once == Once::Record {
            match self.persist("the record of sent messages", || self.sent.look(message.message_id())).await? {
                Known::Sending if fail_unsure => return Ok((message, Outcome::Unsure)),
                Known::New | Known::Sending => {}
                Known::Sent(remote) => {
                    self.duplicate(&message);
                    return Ok((message, Outcome::Ack(remote)));
                }
                Known::Reported => {
                    self.duplicate(&message);
                    return Ok((message, Outcome::Silent));
                }
            }
        }
        let message = match self.on_consume(message).await {
            Ok(message) => message,
            Err(stopped) => return Ok(stopped),
        };
        let id = message.message_id();
        if fail_unsure {
            self.persist("the record of sent messages", || self.sent.sending(id)).await?;
        }
        let sent = self.send(&message).await;
        if let Ok(Sent::Accepted(_) | Sent::Pending) = sent {
            self.common.meters.outbound.increment(1);
            self.remember(&message, &sent).await?;
        } else if fail_unsure {
            // What failed is reported as failed; whoever wants to may send it again.
            self.shrug("forget", self.sent.forget(id).await);
        }
        let outcome = match sent {
            Ok(Sent::Accepted(remote)) => Outcome::Ack(remote),
            Ok(Sent::Pending) => Outcome::Silent,
            Ok(Sent::Refused { reason, sent_message_id }) => Outcome::Nack { reason, sent_message_id },
            Ok(Sent::Failed { code, reason, nack }) => Outcome::Failed { code, reason, nack },
            Err((code, reason)) => Outcome::Failed { code, reason, nack: None },
        };
        Ok((message, outcome))
    }

    /// The consume middleware: the message as it leaves it, or with an outcome when it goes no further.
    async fn on_consume(&self, message: Arc<UserMessage>) -> Result<Arc<UserMessage>, (Arc<UserMessage>, Outcome)> {
        let stack = &self.common.worker.stack;
        if stack.is_empty() {
            return Ok(message);
        }
        let hook = Hook { direction: Direction::Consume, channel: Channel::Outbound };
        let outcome = match stack.pass(hook, self.name(), Message::User(UserMessage::clone(&message))).await {
            Ok(Flow::Continue(Message::User(changed))) => return Ok(Arc::new(changed)),
            Ok(Flow::Continue(other)) => {
                let reason = format!("middleware made a {:?} of an outbound message", other.kind());
                Outcome::Failed { code: FailureCode::Permanent, reason, nack: None }
            }
            Ok(Flow::Stop(reason)) => {
                tracing::debug!(transport = self.name(), "middleware stopped a message: {reason}");
                Outcome::Nack { reason, sent_message_id: None }
            }
            Err(error) => Outcome::Failed { code: code_of(&error), reason: error.report(), nack: None },
        };
        Err((message, outcome))
    }

    /// The transport's part. A panic there is a failure of nobody knows what.
    async fn send(&self, message: &Arc<UserMessage>) -> Result<Sent, (FailureCode, String)> {
        let began = Instant::now();
        let transport = Arc::clone(&self.common.worker.transport);
        let to_send = Arc::clone(message);
        let answer = tokio::spawn(async move { transport.send(&to_send).await }).await;
        self.common.meters.send_seconds.record(began.elapsed().as_secs_f64());
        match answer {
            Ok(Ok(sent)) => Ok(sent),
            Ok(Err(error)) => Err((code_of(&error), error.report())),
            Err(panic) => Err((FailureCode::Unspecified, format!("the transport failed while it sent: {panic}"))),
        }
    }

    /// Keeps in mind that a message was sent.
    async fn remember<E>(&self, message: &UserMessage, sent: &Result<Sent, E>) -> Result<(), Undone> {
        let id = message.message_id();
        match self.common.worker.once {
            Once::Record => {
                match sent {
                    Ok(Sent::Accepted(remote)) => self.keep(|| self.sent.sent(id, remote)).await,
                    _ => self.keep(|| self.sent.reported(id, "")).await,
                }
                Ok(())
            }
            Once::Store => {
                let new = self.persist("the store", || self.common.journal.put(outbound_entry(message))).await?;
                if !new {
                    self.duplicate(message);
                }
                Ok(())
            }
        }
    }

    /// Writes into the record that a message is out. From here on it must be reported, not sent again, whatever
    /// happens: so when the record cannot be written, the message goes on without, and after one has waited in vain
    /// the next ones do not wait.
    async fn keep<F, Fut>(&self, mut step: F)
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<()>>,
    {
        let kept = if self.forgetful.load(Ordering::Relaxed) {
            step().await.is_ok()
        } else {
            self.persist("the record of sent messages", step).await.is_ok()
        };
        let was_forgetful = self.forgetful.swap(!kept, Ordering::Relaxed);
        if !kept {
            self.common.meters.unremembered.increment(1);
            if !was_forgetful {
                tracing::error!(
                    transport = self.name(),
                    "sent messages cannot be recorded: while that lasts, one that comes again is sent again"
                );
            }
        }
    }

    /// Marks a sent message as reported.
    pub(super) async fn mark_reported(&self, message: &UserMessage, remote: &str) {
        if self.common.worker.once == Once::Record && !self.forgetful.load(Ordering::Relaxed) {
            self.shrug("mark as reported", self.sent.reported(message.message_id(), remote).await);
        }
    }

    /// Lets a message whose fate is unknown be sent again, should somebody decide so.
    pub(super) async fn forget(&self, message: &UserMessage) {
        self.shrug("forget", self.sent.forget(message.message_id()).await);
    }

    /// A record that expires by itself is not worth holding up a message.
    fn shrug(&self, what: &str, result: Result<()>) {
        if let Err(error) = result {
            tracing::warn!(transport = self.name(), "could not {what} a message in the record: {}", error.report());
        }
    }

    /// Repeats a step that only the moment prevents, with growing delays.
    async fn persist<T, F, Fut>(&self, what: &str, mut step: F) -> Result<T, Undone>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let mut backoff = Backoff::for_messages();
        loop {
            match step().await {
                Ok(value) => return Ok(value),
                Err(error) => self.wait(what, &error, &mut backoff).await?,
            }
        }
    }

    /// Waits before the next try of a step that failed; an error when there should be none.
    pub(super) async fn wait(&self, what: &str, error: &Error, backoff: &mut Backoff) -> Result<(), Undone> {
        let delay = backoff.next_delay();
        if !error.is_temporary() || backoff.failures() >= TRIES {
            return Err(Undone::GaveUp(format!("{what} could not be reached: {}", error.report())));
        }
        tracing::warn!(
            transport = self.name(),
            retry_in_ms = delay.as_millis(),
            "{what} cannot be reached: {}",
            error.report()
        );
        tokio::select! {
            () = tokio::time::sleep(delay) => Ok(()),
            () = self.halt.cancelled() => Err(Undone::Halted),
        }
    }

    fn duplicate(&self, message: &UserMessage) {
        tracing::info!(transport = self.name(), message_id = message.message_id(), "this message was sent before");
        self.common.meters.duplicates.increment(1);
    }
}

fn code_of(error: &Error) -> FailureCode {
    if error.is_temporary() { FailureCode::Temporary } else { FailureCode::Permanent }
}
