//! What the broker, its consumers and their deliveries share: how RabbitMQ stands, and all that is waiting for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vumi_core::{Error, Result, names};

use super::hub::Hub;
use super::link::Link;
use super::options::Plan;
use super::publisher::Publisher;
use super::sentences;
use super::topology::{Depth, NotDeclared, Topology};
use crate::error;
use crate::shared::NAME;

/// How long something from inside waits for RabbitMQ.
pub(crate) const INSIDE: Duration = Duration::from_secs(5);

/// How long to wait before something is tried again that a lost connection prevented.
const MOMENT: Duration = Duration::from_millis(50);

/// How RabbitMQ stands.
#[derive(Clone, Default)]
pub(crate) struct Standing {
    pub(crate) link: Option<Arc<Link>>,
    /// RabbitMQ takes no messages: why.
    pub(crate) blocked: Option<String>,
    /// Why there is no link.
    pub(crate) reason: Option<String>,
    /// The broker is being closed.
    pub(crate) closing: bool,
}

/// See the module's text.
pub(crate) struct Shared {
    pub(crate) plan: Plan,
    pub(crate) standing: watch::Sender<Standing>,
    pub(crate) publisher: Publisher,
    pub(crate) topology: Topology,
    pub(crate) hubs: Mutex<HashMap<String, Arc<Hub>>>,
    /// Set at the very end.
    pub(crate) closed: CancellationToken,
    /// The tasks of this broker.
    pub(crate) tasks: TaskTracker,
    /// Held while dead letters are looked through: who looks sees only those that nobody else is looking at.
    pub(crate) morgue: tokio::sync::Mutex<super::dead::Morgue>,
}

impl Shared {
    pub(crate) fn new(plan: Plan) -> Arc<Self> {
        let publisher = Publisher::new(plan.max_unconfirmed, plan.max_unconfirmed_bytes);
        Arc::new(Self {
            plan,
            standing: watch::Sender::new(Standing::default()),
            publisher,
            topology: Topology::default(),
            hubs: Mutex::default(),
            closed: CancellationToken::new(),
            tasks: TaskTracker::new(),
            morgue: tokio::sync::Mutex::default(),
        })
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.standing.borrow().closing
    }

    /// The connection, if there is one now.
    pub(crate) fn link(&self) -> Result<Arc<Link>> {
        let standing = self.standing.borrow();
        match &standing.link {
            _ if standing.closing => Err(error::closed()),
            Some(link) => Ok(Arc::clone(link)),
            None => Err(self.why(&standing)),
        }
    }

    /// Waits for the connection. `to_publish`: and for RabbitMQ to take messages.
    pub(crate) async fn reached(&self, to_publish: bool) -> Result<Arc<Link>> {
        let mut standing = self.standing.subscribe();
        let ready = |s: &Standing| s.closing || s.link.is_some() && !(to_publish && s.blocked.is_some());
        match standing.wait_for(ready).await {
            Ok(standing) if !standing.closing => standing.link.clone().ok_or_else(|| self.why(&standing)),
            _ => Err(error::closed()),
        }
    }

    /// Whether RabbitMQ is there and takes messages.
    pub(crate) fn takes_messages(&self) -> bool {
        let standing = self.standing.borrow();
        standing.link.is_some() && standing.blocked.is_none()
    }

    /// Does something within a time. When that is over, the error says how RabbitMQ stands.
    pub(crate) async fn within<T>(&self, time: Duration, what: impl Future<Output = Result<T>>) -> Result<T> {
        match tokio::time::timeout(time, what).await {
            Ok(done) => done,
            Err(_) => Err(self.why(&self.standing.borrow())),
        }
    }

    /// Why nothing goes on.
    fn why(&self, standing: &Standing) -> Error {
        if standing.closing {
            return error::closed();
        }
        let sentence = match (&standing.link, &standing.blocked, &standing.reason) {
            (Some(_), Some(words), _) => sentences::blocked(&self.plan, words),
            (Some(_), None, _) => format!("{} is too slow: it confirms too few messages", self.plan.place()),
            (None, _, Some(reason)) => reason.clone(),
            (None, _, None) => sentences::connecting(&self.plan),
        };
        Error::temporary(sentence)
    }

    /// Declares a queue, waiting for the connection.
    pub(crate) async fn declared(&self, queue: &str, depth: Depth, shown: bool) -> Result<(), NotDeclared> {
        loop {
            let link = self.reached(false).await.map_err(NotDeclared::TooMany)?;
            match self.topology.ensure(&self.plan, &link, queue, depth, shown).await {
                Err(NotDeclared::Lost) => self.a_moment_after(&link).await,
                other => return other,
            }
        }
    }

    /// Makes sure that a message for this queue will find it.
    pub(crate) async fn way_to(&self, queue: &str) -> Result<()> {
        let depth = if names::is_kept(queue) { Depth::Queue } else { Depth::Exchange };
        if self.topology.has(queue, depth) {
            return Ok(());
        }
        // What cannot be published now may be later: an operator mends the queue.
        let shown = depth == Depth::Queue && !queue.ends_with(".dead");
        self.declared(queue, depth, shown).await.map_err(|error| match error {
            NotDeclared::Refused(sentence) => Error::temporary(sentence),
            NotDeclared::TooMany(error) => error,
            NotDeclared::Lost => Error::temporary(sentences::connecting(&self.plan)),
        })
    }

    /// Waits until a lost connection is noticed, at most for a moment.
    pub(crate) async fn a_moment_after(&self, link: &Link) {
        let _ = tokio::time::timeout(MOMENT, link.lost.cancelled()).await;
        tokio::time::sleep(MOMENT).await;
    }

    /// The local end of a queue that is consumed here.
    pub(crate) fn hub(self: &Arc<Self>, queue: &str) -> Arc<Hub> {
        let mut hubs = self.hubs.lock();
        let hub = hubs.entry(queue.to_owned()).or_insert_with(|| Hub::start(queue, self));
        Arc::clone(hub)
    }

    /// The hubs, in no order.
    pub(crate) fn all_hubs(&self) -> Vec<Arc<Hub>> {
        self.hubs.lock().values().map(Arc::clone).collect()
    }

    /// Refuses everything from now on, and ends the consumers.
    pub(crate) fn refuse(&self) {
        self.standing.send_modify(|standing| standing.closing = true);
        self.all_hubs().iter().for_each(Hub::shut);
    }
}

/// Refuses names that AMQP has no room for, and bodies that are too large.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > NAME {
        return Err(Error::permanent(format!("the queue name `{name}` must have 1 to {NAME} bytes")));
    }
    Ok(())
}
