//! Which queues and exchanges this process has declared, so as to declare them once, and again after every
//! reconnect.

use std::collections::BTreeMap;
use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, ExchangeKind};
use parking_lot::RwLock;
use tokio::time::Instant;
use vumi_core::{Error, Result, names};

use super::link::Link;
use super::options::Plan;
use super::sentences::{self, code};

/// Queues and exchanges at most; a further one is refused.
const MAX: usize = 10_000;

/// How long a refusal stands before RabbitMQ is asked again.
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// How far a queue is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// The exchange that leads to it: enough for messages that are gone when nobody listens.
    Exchange,
    /// The queue and its binding, too.
    Queue,
}

/// Why something is not declared.
pub(crate) enum NotDeclared {
    /// RabbitMQ refuses: a sentence for the user.
    Refused(String),
    /// The connection is lost.
    Lost,
    /// There are too many.
    TooMany(Error),
}

#[derive(Clone)]
struct Known {
    depth: Depth,
    /// Shown to the user: a queue of his, not one that holds dead letters.
    shown: bool,
    refused: Option<(Instant, String)>,
}

/// See the module's text.
#[derive(Default)]
pub(crate) struct Topology {
    queues: RwLock<BTreeMap<String, Known>>,
    /// Topic exchanges that are announced to.
    topics: RwLock<BTreeMap<String, ()>>,
}

impl Topology {
    /// Whether a queue is declared that far.
    pub(crate) fn has(&self, queue: &str, depth: Depth) -> bool {
        self.queues.read().get(queue).is_some_and(|known| known.depth >= depth && known.refused.is_none())
    }

    /// Names of the queues that this process declared, without those of dead letters, sorted.
    pub(crate) fn shown(&self) -> Vec<String> {
        let queues = self.queues.read();
        queues.iter().filter(|(_, known)| known.shown).map(|(name, _)| name.clone()).collect()
    }

    /// Declares a queue, unless it is known.
    pub(crate) async fn ensure(
        &self,
        plan: &Plan,
        link: &Link,
        queue: &str,
        depth: Depth,
        shown: bool,
    ) -> Result<(), NotDeclared> {
        if self.has(queue, depth) {
            if shown {
                self.show(queue);
            }
            return Ok(());
        }
        let old = {
            let queues = self.queues.read();
            if !queues.contains_key(queue) && queues.len() >= MAX {
                return Err(NotDeclared::TooMany(too_many(queue)));
            }
            queues.get(queue).cloned()
        };
        if let Some(Known { refused: Some((when, sentence)), .. }) = &old
            && when.elapsed() < REFUSED_FOR
        {
            return Err(NotDeclared::Refused(sentence.clone()));
        }
        let shown = shown || old.as_ref().is_some_and(|known| known.shown);
        let depth = old.map_or(depth, |known| known.depth.max(depth));
        let declared = link.declaring(async |channel| declare(plan, channel, queue, depth).await).await;
        let declared = told(plan, link, queue, declared);
        if let Ok(()) | Err(NotDeclared::Refused(_)) = declared {
            self.note(queue, depth, shown, declared.as_ref().err());
        }
        declared
    }

    /// Notes that a consumer declared a queue on its own channel, or tried to.
    pub(crate) fn note(&self, queue: &str, depth: Depth, shown: bool, error: Option<&NotDeclared>) {
        let refused = match error {
            Some(NotDeclared::Refused(sentence)) => Some((Instant::now(), sentence.clone())),
            _ => None,
        };
        let known = Known { depth, shown, refused };
        self.queues
            .write()
            .entry(queue.to_owned())
            .and_modify(|old| {
                old.depth = old.depth.max(depth);
                old.shown |= shown;
                old.refused.clone_from(&known.refused);
            })
            .or_insert(known);
    }

    /// A queue is to be declared anew, as it has gone.
    pub(crate) async fn repair(&self, plan: &Plan, link: &Link, queue: &str) -> Result<(), NotDeclared> {
        let declared = link.declaring(async |channel| declare(plan, channel, queue, Depth::Queue).await).await;
        told(plan, link, queue, declared)
    }

    /// Declares a topic exchange, unless it is known.
    pub(crate) async fn ensure_topic(&self, plan: &Plan, link: &Link, exchange: &str) -> Result<(), NotDeclared> {
        if self.topics.read().contains_key(exchange) {
            return Ok(());
        }
        if self.topics.read().len() >= MAX {
            return Err(NotDeclared::TooMany(too_many(exchange)));
        }
        let declared = link.declaring(async |channel| topic(channel, exchange).await).await;
        told(plan, link, exchange, declared)?;
        self.topics.write().insert(exchange.to_owned(), ());
        Ok(())
    }

    /// Declares everything again on a new connection. What is refused now is noted and logged; `Err` when the
    /// connection is lost.
    pub(crate) async fn declare_all(&self, plan: &Plan, link: &Link) -> Result<Vec<(String, String)>, ()> {
        let mut refused = Vec::new();
        let topics: Vec<_> = self.topics.read().keys().cloned().collect();
        for exchange in topics {
            let declared = link.declaring(async |channel| topic(channel, &exchange).await).await;
            match told(plan, link, &exchange, declared) {
                Err(NotDeclared::Refused(sentence)) => {
                    self.topics.write().remove(&exchange);
                    refused.push((exchange, sentence));
                }
                Err(_) => return Err(()),
                Ok(()) => {}
            }
        }
        let queues: Vec<_> = self.queues.read().iter().map(|(name, known)| (name.clone(), known.clone())).collect();
        for (queue, known) in queues {
            let declared = link.declaring(async |channel| declare(plan, channel, &queue, known.depth).await).await;
            let declared = told(plan, link, &queue, declared);
            if let Err(NotDeclared::Lost | NotDeclared::TooMany(_)) = declared {
                return Err(());
            }
            self.note(&queue, known.depth, known.shown, declared.as_ref().err());
            if let Err(NotDeclared::Refused(sentence)) = declared {
                refused.push((queue, sentence));
            }
        }
        Ok(refused)
    }

    fn show(&self, queue: &str) {
        if self.queues.read().get(queue).is_some_and(|known| !known.shown)
            && let Some(known) = self.queues.write().get_mut(queue)
        {
            known.shown = true;
        }
    }
}

/// Declares the exchange of a queue; the queue, and its binding, as Vumi's consumers do.
pub(crate) async fn declare(plan: &Plan, channel: &Channel, queue: &str, depth: Depth) -> lapin::Result<()> {
    let exchange = names::exchange(queue);
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(exchange.into(), ExchangeKind::Direct, durable, FieldTable::default()).await?;
    if depth == Depth::Exchange {
        return Ok(());
    }
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), plan.arguments(queue)).await?;
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    channel.queue_bind(queue.into(), exchange.into(), queue.into(), options, arguments).await
}

async fn topic(channel: &Channel, exchange: &str) -> lapin::Result<()> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(exchange.into(), ExchangeKind::Topic, durable, FieldTable::default()).await
}

/// What came of a declaration.
pub(crate) fn told(plan: &Plan, link: &Link, name: &str, declared: lapin::Result<()>) -> Result<(), NotDeclared> {
    let Err(error) = declared else { return Ok(()) };
    match sentences::refusal(&error) {
        // The end of the connection comes in the same clothes.
        Some((number, _)) if number == code::CONNECTION_FORCED || !link.is_up() => Err(NotDeclared::Lost),
        Some((number, words)) => Err(NotDeclared::Refused(sentences::not_declared(plan, name, number, &words))),
        None => Err(NotDeclared::Lost),
    }
}

fn too_many(name: &str) -> Error {
    Error::permanent(format!("queue `{name}` cannot be made: the broker holds its maximum of {MAX} queues"))
}
