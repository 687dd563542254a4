//! A consumer of any broker here. It holds no messages: each is taken from its hall when it is asked for.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use async_trait::async_trait;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};
use vumi_core::{Consumer, Delivery, Settle};

use crate::queue::Message;

/// Where consumers sit and are handed messages: a queue of the embedded broker, or the local end of one of RabbitMQ's.
pub(crate) trait Hall: Send + Sync + 'static {
    /// Takes a message for this seat, or waits for one.
    fn take(&self, seat: u64, waker: &Waker) -> Take;
    /// A consumer stops waiting. If it had been woken for a message, another is.
    fn leave(self: &Arc<Self>, seat: u64);
    /// A consumer goes.
    fn stand(self: &Arc<Self>, seat: u64);
}

/// The answer to a consumer that asks for a message.
pub(crate) enum Take {
    /// Here is one.
    Message(Message),
    /// Its waker will be called; and if a time is given, it must ask again at that time.
    Wait(Option<Instant>),
    /// There will be none.
    Closed,
}

/// See the module's text.
pub(crate) struct SeatedConsumer<H: Hall> {
    hall: Arc<H>,
    settle: Arc<dyn Settle>,
    seat: u64,
}

impl<H: Hall> SeatedConsumer<H> {
    /// On a seat that was taken in the hall; `settle` ends its deliveries.
    pub(crate) fn new(hall: Arc<H>, settle: Arc<dyn Settle>, seat: u64) -> Self {
        Self { hall, settle, seat }
    }
}

#[async_trait]
impl<H: Hall> Consumer for SeatedConsumer<H> {
    async fn next(&mut self) -> Option<Delivery> {
        let mut turn = Turn { hall: &self.hall, seat: self.seat, waiting: false, alarm: None };
        let message = poll_fn(|context| turn.poll(context)).await?;
        let delivery = Delivery::new(message.body, message.attempts, message.id, Arc::clone(&self.settle));
        Some(delivery.traced(message.trace))
    }
}

impl<H: Hall> Drop for SeatedConsumer<H> {
    fn drop(&mut self) {
        self.hall.stand(self.seat);
    }
}

/// One call of `next`, which may be given up at any time.
struct Turn<'a, H: Hall> {
    hall: &'a Arc<H>,
    seat: u64,
    /// Whether the hall knows that this consumer waits.
    waiting: bool,
    /// Rings when the first delayed message is due.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<H: Hall> Turn<'_, H> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        // A task that always finds a message must let others run from time to time.
        let coop = ready!(coop::poll_proceed(context));
        loop {
            let due = match self.hall.take(self.seat, context.waker()) {
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

impl<H: Hall> Drop for Turn<'_, H> {
    fn drop(&mut self) {
        if self.waiting {
            self.hall.leave(self.seat);
        }
    }
}
