//! The worker `scheduler`: messages to users, sent at a later time (specification: schedule, "As a service").
//!
//! It stands where a transport stands, on the outbound queue of its connector. A message says when it is to go in its
//! `helper_metadata.schedule`; at that time it leaves for the outbound queue of the target, without that key. One
//! that does not say so goes on at once.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use vumi_core::component::Component;
use vumi_core::feed::worker_name;
use vumi_core::{
    Admission, Channel, Context, Delivery, Error, Happening, Outgoing, RedisManager, Result, Worker, names,
};
use vumi_message::{Event, Message, Payload, Timestamp, UserMessage, json};

use super::once::{Deliver, Scheduler};
use super::options::SchedulerOptions;
use super::runs::put_off;
use crate::registry::{WorkerComponent, WorkerPlace};
use crate::shared::WorkerShared;
use crate::taking::{Handler, take};

/// The key in `helper_metadata`.
const SCHEDULE: &str = "schedule";
/// When a message is tried again that the broker does not take.
const BROKER_AWAY: Duration = Duration::from_secs(10);

/// Sends messages at a later time: those whose `helper_metadata.schedule` is `{deliver_at: "2026-03-01 08:30:00"}`
/// (UTC) or `{delay: 3600}` (seconds).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchedulerConfig {
    /// The connector: messages come on `<transport_name>.outbound`, a message with a schedule that makes no sense is
    /// answered with a nack on `<transport_name>.event`. The worker's name unless given.
    #[serde(default)]
    pub transport_name: Option<String>,
    /// The connector that gets the messages when they are due, on `<target>.outbound`: a transport, or a dispatcher's
    /// exposed name.
    pub target: String,
    /// Where messages wait.
    #[serde(default)]
    pub redis_manager: RedisManager,
    /// What the keys begin with, before the `#`; `scheduler` unless given. Workers that share it share the work.
    #[serde(default)]
    pub prefix: Option<String>,
    /// What falls due within so many seconds is sent together; 5 unless given.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub granularity: Option<u64>,
    /// Seconds between two looks for messages that are due; 3 unless given.
    #[serde(default)]
    pub delivery_period: Option<f64>,
    /// A message that was due more than so many seconds ago, because no scheduler ran, is answered with a nack; all
    /// are sent unless given.
    #[serde(default)]
    pub max_age: Option<u64>,
    /// How often a message may be refused before it is answered with a nack; 5 unless given. A broker that is away does
    /// not count.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_attempts: Option<u64>,
}

impl SchedulerConfig {
    fn options(&self) -> SchedulerOptions {
        let default = SchedulerOptions::default();
        SchedulerOptions {
            prefix: self.prefix.clone().unwrap_or(default.prefix),
            granularity: self.granularity.unwrap_or(default.granularity),
            delivery_period: self.delivery_period.unwrap_or(default.delivery_period),
            max_age: self.max_age,
            max_attempts: self.max_attempts.unwrap_or(default.max_attempts),
        }
    }
}

impl Component for SchedulerConfig {
    const CLASS: &'static str = "scheduler";
    const ALIASES: &'static [&'static str] = &[];
}

impl WorkerComponent for SchedulerConfig {
    fn check(&self, _: &WorkerShared) -> Result<()> {
        if let Some(connector) = &self.transport_name {
            names::check(connector)?;
        }
        names::check(&self.target)?;
        if self.transport_name.as_ref() == Some(&self.target) {
            return Err(Error::permanent(format!(
                "`target` is `{}`, the scheduler's own connector: name the transport or dispatcher behind it",
                self.target
            )));
        }
        self.options().check()
    }

    fn build(self, place: WorkerPlace<'_>) -> Result<Arc<dyn Worker>> {
        let context = place.context.clone();
        let connector = self.transport_name.clone().unwrap_or_else(|| context.name.clone());
        let config = Self { transport_name: Some(connector.clone()), ..self };
        config.check(place.shared)?;
        let space = context.keyspaces.open(&config.redis_manager)?;
        let scheduler = Scheduler::new(&space, Arc::clone(&context.clock), config.options())?;
        let target = names::outbound(&config.target);
        Ok(Arc::new(SchedulerWorker { context, prefetch: place.shared.prefetch(), connector, target, scheduler }))
    }
}

struct SchedulerWorker {
    context: Context,
    prefetch: u16,
    connector: String,
    /// Queue of the target.
    target: String,
    scheduler: Scheduler,
}

#[async_trait]
impl Worker for SchedulerWorker {
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let (broker, queue) = (&self.context.broker, names::outbound(&self.connector));
        for queue in [&queue, &names::event(&self.connector), &self.target] {
            broker.declare(queue).await?;
        }
        let consumer = broker.consume(&queue, self.prefetch).await?;
        let name = worker_name("worker", &self.context.name);
        self.context.feed.tell(|| Happening::Ready { name, at: None });
        let delivering = async {
            self.scheduler.run(&*self, &shutdown).await;
            Ok(())
        };
        tokio::try_join!(take(&self.context.name, consumer, &*self, &shutdown), delivering).map(drop)
    }
}

#[async_trait]
impl Handler for SchedulerWorker {
    async fn handle(&self, delivery: &mut Delivery) -> Result<()> {
        let message = match Channel::Outbound.parse(&delivery.body).map_err(Error::permanent)? {
            Message::User(message) => message,
            other => return Err(Error::permanent(format!("a {} cannot be scheduled", other.kind().as_str()))),
        };
        let now = self.context.clock.now();
        let outgoing = match split(message, now) {
            Ok((payload, Some(due))) => {
                self.scheduler.schedule_at(due, &Value::Object(payload), now).await?;
                Vec::new()
            }
            Ok((payload, None)) => {
                vec![Outgoing { queue: self.target.clone(), body: Bytes::from(json::object_to_text(&payload)) }]
            }
            Err((message_id, reason)) => {
                tracing::warn!(worker = self.context.name, message_id, "a message cannot be scheduled: {reason}");
                vec![self.nack(&message_id, &reason)]
            }
        };
        delivery.done(outgoing).await.map(drop)
    }
}

impl SchedulerWorker {
    fn nack(&self, message_id: &str, reason: &str) -> Outgoing {
        let event = Event::nack(message_id, reason);
        Outgoing { queue: names::event(&self.connector), body: Bytes::from(event.to_json()) }
    }
}

#[async_trait]
impl Deliver for SchedulerWorker {
    async fn deliver(&self, _: Timestamp, payload: &Value) -> Result<()> {
        let body = Bytes::from(json::to_text(payload));
        let sent = match self.context.broker.publish(&self.target, body, Admission::Inside).await {
            Ok(confirm) => confirm.await,
            Err(error) => Err(error),
        };
        match sent {
            // The message is good; what is missing is the broker.
            Err(error) if error.is_temporary() => Err(put_off(error, BROKER_AWAY)),
            sent => sent,
        }
    }

    async fn dropped(&self, payload: &Value, reason: &str) {
        let message_id = payload.get("message_id").and_then(Value::as_str).unwrap_or_default();
        let nack = self.nack(message_id, &format!("the scheduled message was not sent: {reason}"));
        let sent = match self.context.broker.publish(&nack.queue, nack.body, Admission::Inside).await {
            Ok(confirm) => confirm.await,
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            tracing::error!(worker = self.context.name, message_id, "a nack is lost: {}", error.report());
        }
    }

    async fn room(&self) {
        self.context.broker.room(&self.target).await;
    }
}

/// Takes the schedule out of a message: what is to be sent, and when (`None`: at once).
///
/// # Errors
/// The message's id and what is wrong with its schedule.
fn split(message: UserMessage, now: Timestamp) -> Result<(Payload, Option<Timestamp>), (String, String)> {
    let id = message.message_id().to_owned();
    let mut payload = message.into_payload();
    let helper = payload.get_mut("helper_metadata").and_then(Value::as_object_mut);
    let Some(schedule) = helper.and_then(|helper| helper.shift_remove(SCHEDULE)) else { return Ok((payload, None)) };
    match due(&schedule, now) {
        Ok(due) => Ok((payload, Some(due))),
        Err(reason) => Err((id, format!("helper_metadata.schedule: {reason}"))),
    }
}

/// The moment that a schedule names. One in the past is the present.
fn due(schedule: &Value, now: Timestamp) -> Result<Timestamp, String> {
    let form = r#"write {"deliver_at": "2026-03-01 08:30:00"} or {"delay": 3600}"#;
    let mut entries = schedule.as_object().ok_or_else(|| format!("it is no object: {form}"))?.iter();
    let (Some((key, value)), None) = (entries.next(), entries.next()) else {
        return Err(format!("it must have one key: {form}"));
    };
    match key.as_str() {
        "deliver_at" => {
            let text = value.as_str().ok_or_else(|| format!("`deliver_at` is no text: {form}"))?;
            text.parse::<Timestamp>().map(|due| due.max(now)).map_err(|error| error.to_string())
        }
        "delay" => {
            let seconds = value.as_f64().filter(|seconds| (0.0..=LONGEST_DELAY).contains(seconds));
            let seconds =
                seconds.ok_or_else(|| format!("`delay` must be a number of seconds from 0 to {LONGEST_DELAY}"))?;
            Ok(Timestamp::from_micros(now.micros().saturating_add((seconds * 1e6) as i64)))
        }
        other => Err(format!("`{other:.100}` is none of its keys: {form}")),
    }
}

/// A hundred years, in seconds.
const LONGEST_DELAY: f64 = 3_155_760_000.0;
