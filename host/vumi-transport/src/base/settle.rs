//! The end of an outbound message: what became of it is published, recorded, and the message leaves its queue.

use bytes::Bytes;
use vumi_core::{Backoff, Channel, Confirm, Delivery, Outgoing, Result, names};
use vumi_message::{Event, Failure, FailureCode, Message, MessageError, Payload, UserMessage, derived_id};

use super::carry::{Outcome, Undone};
use super::journal::Entry;
use super::outbound::{Outbound, UNSURE, outbound_entry};
use super::worker::Once;

/// The reports about one message have ids of their own, derived from its id: a report that is published again after
/// a restart is recognised by its id.
const ACK: u64 = 0;
const NACK: u64 = 1;

/// A report, ready for its queue.
struct Report {
    outgoing: Outgoing,
    direction: &'static str,
    id: String,
}

impl Outbound {
    /// Publishes what became of a message, in one step with its removal from the queue.
    pub(super) async fn settle(&self, mut delivery: Delivery, message: &UserMessage, outcome: Outcome) {
        let failed = match &outcome {
            Outcome::Failed { reason, .. } => Some(reason.as_str()),
            Outcome::Unsure => Some(UNSURE),
            Outcome::Ack(_) | Outcome::Nack { .. } | Outcome::Silent => None,
        };
        let mut publishable = self.common.worker.broker.has_room(&names::failures(self.name()));
        let reports = match self.reports(message, &outcome).await {
            Ok(reports) => reports,
            Err(error) if error.is_temporary() => {
                let delay = Backoff::for_messages().delay_after(delivery.attempts);
                tracing::warn!(
                    transport = self.name(),
                    retry_in_ms = delay.as_millis(),
                    "a report waits: {}",
                    error.report()
                );
                return delivery.retry(delay);
            }
            Err(error) => {
                let id = message.message_id();
                tracing::error!(transport = self.name(), message_id = id, "a report is lost: {}", error.report());
                publishable = false;
                Vec::new()
            }
        };
        if let (Some(reason), false) = (failed, publishable) {
            // Nobody takes the failures away, or middleware failed on this one. Among the dead letters the message is
            // kept all the same.
            self.settled(message, &outcome).await;
            return self.give_up(delivery, reason).await;
        }
        let outgoing = reports.iter().map(|report| report.outgoing.clone()).collect();
        let finish = async {
            match self.finish(&mut delivery, outgoing).await {
                Ok(confirm) => match confirm.await {
                    Ok(()) => self.settled(message, &outcome).await,
                    Err(error) => self.unsettled(delivery.attempts, &error).await,
                },
                // It goes back to its queue.
                Err(Undone::Halted) => {}
                Err(Undone::GaveUp(reason)) => self.give_up(delivery, failed.unwrap_or(&reason)).await,
            }
        };
        tokio::join!(finish, self.note(message, reports));
    }

    async fn finish(&self, delivery: &mut Delivery, outgoing: Vec<Outgoing>) -> Result<Confirm, Undone> {
        let mut backoff = Backoff::for_messages();
        loop {
            match delivery.done(outgoing.clone()).await {
                Ok(confirm) => return Ok(confirm),
                Err(error) => self.wait("the queue of reports", &error, &mut backoff).await?,
            }
        }
    }

    async fn settled(&self, message: &UserMessage, outcome: &Outcome) {
        let meters = &self.common.meters;
        match outcome {
            Outcome::Ack(remote) => {
                meters.events.increment(1);
                self.mark_reported(message, remote).await;
            }
            Outcome::Nack { .. } => {
                meters.events.increment(1);
                meters.nacks.increment(1);
            }
            Outcome::Silent => {}
            Outcome::Failed { code, nack, .. } => {
                meters.failure(*code);
                if nack.is_some() {
                    meters.events.increment(1);
                    meters.nacks.increment(1);
                }
            }
            Outcome::Unsure => {
                meters.failure(FailureCode::Unspecified);
                self.forget(message).await;
            }
        }
    }

    /// The broker could not make the settlement safe: the message is back in its queue. Waiting here holds up this
    /// user's messages only, and keeps the message from coming again at once.
    async fn unsettled(&self, attempts: u32, error: &vumi_core::Error) {
        let delay = Backoff::for_messages().delay_after(attempts);
        tracing::warn!(
            transport = self.name(),
            retry_in_ms = delay.as_millis(),
            "a message could not be settled and will come again: {}",
            error.report()
        );
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = self.halt.cancelled() => {}
        }
    }

    async fn note(&self, message: &UserMessage, reports: Vec<Report>) {
        let journal = &self.common.journal;
        let report = async {
            for Report { outgoing, direction, id } in reports {
                let body = String::from_utf8_lossy(&outgoing.body).into_owned();
                journal.note(Entry { direction, id: &id, user: message.to_addr(), body }).await;
            }
        };
        let message = async {
            // With `Once::Store` it was written before.
            if self.common.worker.once == Once::Record {
                journal.note(outbound_entry(message)).await;
            }
        };
        tokio::join!(message, report);
    }

    /// The reports on an outcome as they leave the middleware; none where there is nothing to report.
    async fn reports(&self, message: &UserMessage, outcome: &Outcome) -> Result<Vec<Report>> {
        let (id, name) = (message.message_id(), self.name());
        let mut reports = Vec::new();
        match outcome {
            Outcome::Silent => {}
            Outcome::Ack(remote) => reports.push(Message::Event(self.event(Event::ack(id, remote), id, ACK)?)),
            Outcome::Nack { reason, sent_message_id } => {
                reports.push(self.nack(id, reason, sent_message_id.as_deref())?);
            }
            Outcome::Failed { code, reason, nack } => {
                tracing::error!(transport = name, message_id = id, "a message could not be sent: {reason}");
                if let Some(nack) = nack {
                    reports.push(self.nack(id, &nack.reason, nack.sent_message_id.as_deref())?);
                }
                reports.push(Message::Failure(Failure::new(message.payload().clone(), *code, reason)));
            }
            Outcome::Unsure => {
                tracing::error!(transport = name, message_id = id, "{UNSURE}");
                let failure = Failure::new(message.payload().clone(), FailureCode::Unspecified, UNSURE);
                reports.push(Message::Failure(failure));
            }
        }
        let mut ready = Vec::new();
        for report in reports {
            let (channel, direction, queue) = match report {
                Message::Failure(_) => (Channel::Failure, "failure", names::failures(name)),
                _ => (Channel::Event, "event", names::event(name)),
            };
            let Some(report) = self.common.on_publish(channel, report).await? else { continue };
            // A failure has no id of its own; in the records it stands under that of its message.
            let report_id = report.message_id().unwrap_or(id).to_owned();
            let outgoing = Outgoing { queue, body: Bytes::from(report.to_json()) };
            ready.push(Report { outgoing, direction, id: report_id });
        }
        Ok(ready)
    }

    fn nack(&self, id: &str, reason: &str, sent_message_id: Option<&str>) -> Result<Message> {
        let mut event = self.event(Event::nack(id, reason), id, NACK)?;
        if let Some(sent_message_id) = sent_message_id {
            event.set("sent_message_id", sent_message_id).map_err(invalid)?;
        }
        Ok(Message::Event(event))
    }

    fn event(&self, event: Event, message_id: &str, n: u64) -> Result<Event> {
        let mut event = event.with_transport(self.name(), Payload::new());
        event.set("event_id", derived_id(message_id, self.name(), n)).map_err(invalid)?;
        Ok(event)
    }
}

fn invalid(error: MessageError) -> vumi_core::Error {
    vumi_core::Error::permanent("the report is not valid").because(error)
}
