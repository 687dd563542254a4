//! A message on its way to RabbitMQ, and who is told how that ended.

use std::sync::Arc;

use bytes::Bytes;
use lapin::BasicProperties;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use vumi_core::{Error, Result};

/// Room for messages that are not confirmed yet, given back when the last holder is gone.
pub(crate) struct Place {
    pub(crate) _messages: OwnedSemaphorePermit,
    pub(crate) _bytes: OwnedSemaphorePermit,
}

/// What is published.
#[derive(Clone)]
pub(crate) struct Letter {
    pub(crate) exchange: Arc<str>,
    pub(crate) key: Arc<str>,
    pub(crate) body: Bytes,
    pub(crate) properties: BasicProperties,
    /// To be returned when there is no queue for it.
    pub(crate) mandatory: bool,
}

/// See the module's text.
pub(crate) struct Entry {
    pub(crate) letter: Letter,
    pub(crate) answer: Answer,
    /// How often it was sent.
    pub(crate) sent: u32,
    /// How often it was on a channel that RabbitMQ closed.
    pub(crate) strikes: u32,
    /// Whether RabbitMQ gave it back for want of a queue, this time.
    pub(crate) returned: bool,
    /// How often it did so.
    pub(crate) returns: u32,
    /// None: it had one before.
    pub(crate) _place: Option<Arc<Place>>,
}

impl Entry {
    pub(crate) fn new(letter: Letter, answer: Answer, place: Option<Arc<Place>>) -> Self {
        Self { letter, answer, sent: 0, strikes: 0, returned: false, returns: 0, _place: place }
    }
}

/// Who is told.
pub(crate) enum Answer {
    /// The holder of a confirm.
    One(oneshot::Sender<Result<()>>),
    /// Those who wait for several messages at once.
    Part(Arc<Group>),
    /// Nobody.
    Nobody,
}

impl Answer {
    pub(crate) fn give(self, result: Result<()>) {
        match self {
            // An error means that the confirm was dropped.
            Self::One(sender) => drop(sender.send(result)),
            Self::Part(group) => group.ended(result),
            Self::Nobody => {}
        }
    }

    /// Nobody wants to know any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        match self {
            Self::One(sender) => sender.is_closed(),
            Self::Part(_) => false,
            Self::Nobody => true,
        }
    }
}

type AtLast = Box<dyn FnOnce(Result<()>) + Send>;

/// Several messages that are to be confirmed together. What is to be done then is done when the last one ended.
pub(crate) struct Group(Mutex<Pending>);

struct Pending {
    left: usize,
    failed: Option<Error>,
    at_last: Option<AtLast>,
}

impl Group {
    /// Of `count` messages, at least one.
    pub(crate) fn new(count: usize, at_last: impl FnOnce(Result<()>) + Send + 'static) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Pending { left: count, failed: None, at_last: Some(Box::new(at_last)) })))
    }

    fn ended(&self, result: Result<()>) {
        let mut pending = self.0.lock();
        if let Err(error) = result {
            pending.failed.get_or_insert(error);
        }
        pending.left = pending.left.saturating_sub(1);
        if pending.left > 0 {
            return;
        }
        let (at_last, failed) = (pending.at_last.take(), pending.failed.take());
        drop(pending);
        if let Some(at_last) = at_last {
            at_last(failed.map_or(Ok(()), Err));
        }
    }
}
