//! A dispatcher at work between queues of the embedded broker. Every wait has a limit.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::component::Configured;
use vumi_core::{Admission, BindingsWatch, Broker, Channel, Context, Result, Route, Router, Stack};
use vumi_dispatch::{Dispatcher, DispatcherShared, Passed, Place, RouterConfig};
use vumi_message::{Event, Message, NewUserMessage, UserMessage};
use vumi_tests::context::context_with;

use crate::session::SetClock;

const LIMIT: Duration = Duration::from_secs(20);

/// A dispatcher's map as it stands in a configuration file.
struct Read(Configured<DispatcherShared, RouterConfig>);

impl<'de> serde::Deserialize<'de> for Read {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RouterConfig::read(deserializer).map(Read)
    }
}

/// Notes why its router has no way for a message.
struct Noting {
    router: Arc<dyn Router>,
    reasons: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Router for Noting {
    async fn route(&self, connector: &str, channel: Channel, message: &Message) -> Result<Route> {
        let route = self.router.route(connector, channel, message).await;
        if let Ok(Route::Nowhere(reason) | Route::Refused(reason)) = &route {
            self.reasons.lock().push(reason.clone());
        }
        route
    }

    fn bindings(&self) -> Option<&BindingsWatch> {
        self.router.bindings()
    }
}

/// A running dispatcher.
pub(crate) struct Rig {
    pub(crate) clock: Arc<SetClock>,
    pub(crate) context: Context,
    dispatcher: Arc<Dispatcher>,
    reasons: Arc<Mutex<Vec<String>>>,
    shutdown: CancellationToken,
    worker: JoinHandle<Result<()>>,
}

/// Why a configuration is refused at the start.
pub(crate) fn refusal(yaml: &str) -> String {
    let Configured { shared, component } = match serde_saphyr::from_str::<Read>(yaml) {
        Ok(read) => read.0,
        Err(error) => return error.to_string(),
    };
    let refused = component.check(&shared).expect_err("it is refused").report();
    let context = vumi_tests::context::context();
    let built = component.build(Place { shared: &shared, context: &context });
    assert_eq!(built.err().expect("it is not built").report(), refused);
    refused
}

impl Rig {
    pub(crate) fn start(yaml: &str) -> Self {
        Self::start_with(yaml, Stack::default())
    }

    pub(crate) fn start_with(yaml: &str, stack: Stack) -> Self {
        let broker = EmbeddedBroker::in_memory(BrokerOptions::default());
        let clock = SetClock::new();
        Self::start_in(context_with(broker, clock.clone()), clock, yaml, stack)
    }

    /// A dispatcher of a system that is there already.
    pub(crate) fn start_in(context: Context, clock: Arc<SetClock>, yaml: &str, stack: Stack) -> Self {
        let Configured { shared, component } = serde_saphyr::from_str::<Read>(yaml).unwrap().0;
        let router = component.build(Place { shared: &shared, context: &context }).unwrap();
        let reasons = Arc::<Mutex<Vec<String>>>::default();
        let dispatcher = Arc::new(Dispatcher {
            name: "switch".to_owned(),
            shared,
            router: Arc::new(Noting { router, reasons: Arc::clone(&reasons) }),
            stack,
            broker: Arc::clone(&context.broker),
            feed: context.feed.clone(),
            passed: Passed::default(),
        });
        let shutdown = CancellationToken::new();
        let worker = tokio::spawn(Arc::clone(&dispatcher).run(shutdown.clone()));
        Self { clock, context, dispatcher, reasons, shutdown, worker }
    }

    /// Publishes a message and waits until the dispatcher is done with it. The tests run on one thread, and the broker
    /// settles a message and publishes its copies without a pause: so whatever came of it is then in its queue.
    pub(crate) async fn put(&self, queue: &str, message: impl Into<Message>) {
        self.publish(queue, message).await;
        let taken = async {
            while self.held(queue).await != 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, taken).await.unwrap_or_else(|_| panic!("{queue} is not taken"));
    }

    /// Publishes a message.
    pub(crate) async fn publish(&self, queue: &str, message: impl Into<Message>) {
        let body = message.into().to_json().into();
        self.broker().publish(queue, body, Admission::Edge(LIMIT)).await.unwrap().await.unwrap();
    }

    /// Takes all bodies out of a queue.
    pub(crate) async fn drain(&self, queue: &str) -> Vec<Value> {
        let count = self.held(queue).await;
        let mut consumer = self.broker().consume(queue, 0).await.unwrap();
        let mut bodies = Vec::new();
        for _ in 0..count {
            let mut delivery = tokio::time::timeout(LIMIT, consumer.next()).await.unwrap().unwrap();
            bodies.push(serde_json::from_slice(&delivery.body).unwrap());
            delivery.ack().await.unwrap().await.unwrap();
        }
        bodies
    }

    /// Takes the only body out of a queue.
    pub(crate) async fn only(&self, queue: &str) -> Value {
        let mut bodies = self.drain(queue).await;
        assert_eq!(bodies.len(), 1, "{queue}: {bodies:?}");
        bodies.remove(0)
    }

    /// Empties all queues: their names, each once for each body.
    pub(crate) async fn queues(&self) -> Vec<String> {
        let mut all = Vec::new();
        for info in self.broker().queues().await.unwrap() {
            assert_eq!(info.dead, 0, "{} has dead letters", info.name);
            let count = self.drain(&info.name).await.len();
            all.extend(std::iter::repeat_n(info.name, count));
        }
        all
    }

    /// Why the router had no way, since the last time that this was asked.
    pub(crate) fn reasons(&self) -> Vec<String> {
        std::mem::take(&mut *self.reasons.lock())
    }

    /// The counter `unroutable`.
    pub(crate) fn unroutable(&self) -> u64 {
        self.dispatcher.passed.unroutable.load(Ordering::Relaxed)
    }

    /// Ends the dispatcher.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(LIMIT, self.worker).await.unwrap().unwrap().unwrap();
    }

    async fn held(&self, queue: &str) -> u64 {
        let queues = self.broker().queues().await.unwrap();
        queues.iter().find(|info| info.name == queue).map_or(0, |info| info.ready + info.unacked)
    }

    fn broker(&self) -> &dyn Broker {
        &*self.context.broker
    }
}

/// A message with these fields.
pub(crate) fn user(fields: Value) -> UserMessage {
    let mut message = UserMessage::new(NewUserMessage::default());
    for (field, value) in fields.as_object().unwrap() {
        message.set(field, value.clone()).unwrap();
    }
    message
}

/// A message of a transport.
pub(crate) fn of(transport_name: &str) -> UserMessage {
    user(json!({"transport_name": transport_name}))
}

/// An ack of a transport.
pub(crate) fn ack(transport_name: &str, message_id: &str) -> Event {
    Event::ack(message_id, "sent").with_transport(transport_name, vumi_message::Payload::new())
}
