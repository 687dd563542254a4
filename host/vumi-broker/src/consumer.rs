//! A consumer of the embedded broker. It holds no messages: each is taken from the queue when it is asked for.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};
use vumi_core::{Consumer, Delivery, Settle};

use crate::handle::{QueueHandle, Take};
use crate::queue::Message;
use crate::settle::Settler;
use crate::shared::Shared;

/// See the module's text.
pub(crate) struct EmbeddedConsumer {
    queue: Arc<QueueHandle>,
    settle: Arc<dyn Settle>,
    seat: u64,
}

impl EmbeddedConsumer {
    pub(crate) fn new(queue: Arc<QueueHandle>, shared: Arc<Shared>, prefetch: u16) -> Self {
        let seat = queue.sit(prefetch);
        let settle = Arc::new(Settler { queue: Arc::clone(&queue), shared });
        Self { queue, settle, seat }
    }
}

#[async_trait]
impl Consumer for EmbeddedConsumer {
    async fn next(&mut self) -> Option<Delivery> {
        let mut turn = Turn { queue: &self.queue, seat: self.seat, waiting: false, alarm: None };
        let message = poll_fn(|context| turn.poll(context)).await?;
        let delivery = Delivery::new(message.body, message.attempts, message.id, Arc::clone(&self.settle));
        Some(delivery.traced(message.trace))
    }
}

impl Drop for EmbeddedConsumer {
    fn drop(&mut self) {
        self.queue.stand(self.seat);
    }
}

/// One call of `next`, which may be given up at any time.
struct Turn<'a> {
    queue: &'a Arc<QueueHandle>,
    seat: u64,
    /// Whether the queue knows that this consumer waits.
    waiting: bool,
    /// Rings when the first delayed message is due.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Turn<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        // A task that always finds a message must let others run from time to time.
        let coop = ready!(coop::poll_proceed(context));
        loop {
            let due = match self.queue.take(self.seat, context.waker()) {
                Take::Message(message) => {
                    self.waiting = false;
                    coop.made_progress();
                    return Poll::Ready(Some(message));
                }
                Take::Closed => {
                    self.waiting = false;
                    return Poll::Ready(None);
                }
                Take::Wait(due) => due,
            };
            self.waiting = true;
            let Some(due) = due else {
                self.alarm = None;
                return Poll::Pending;
            };
            ready!(self.alarm_at(due).poll(context));
        }
    }

    fn alarm_at(&mut self, due: Instant) -> Pin<&mut Sleep> {
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if alarm.deadline() != due {
            alarm.as_mut().reset(due);
        }
        alarm.as_mut()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.waiting {
            self.queue.leave(self.seat);
        }
    }
}
