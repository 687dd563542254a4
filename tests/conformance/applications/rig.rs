//! A native application at work, seen from its queues.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::component::Configured;
use vumi_core::feed::worker_name;
use vumi_core::{
    Admission, AppWorker, Application, Broker, Clock, Consumer, Context, Happening, QueueOutbox, Sequenced, Stack,
    SystemClock, names,
};
use vumi_message::{Event, NewUserMessage, SessionEvent, UserMessage};
use vumi_tests::PATIENCE;
use vumi_tests::context::context_with;
use vumi_worker::{AppPlace, ApplicationShared, NativeAppConfig};

/// An app's map as it stands in a configuration file.
pub(crate) struct Read(pub(crate) Configured<ApplicationShared, NativeAppConfig>);

impl<'de> serde::Deserialize<'de> for Read {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NativeAppConfig::read(deserializer).map(Read)
    }
}

/// An app's map.
///
/// # Panics
/// When it is wrong.
#[track_caller]
pub(crate) fn read(yaml: &str) -> Configured<ApplicationShared, NativeAppConfig> {
    serde_saphyr::from_str::<Read>(yaml).unwrap_or_else(|error| panic!("{error}: {yaml}")).0
}

/// The shared keys of an app.
pub(crate) fn shared(yaml: &str) -> ApplicationShared {
    read(&format!("class: static_reply\nreply_text: x\n{yaml}")).shared
}

/// The one sentence about a configuration that makes no sense.
#[track_caller]
pub(crate) fn mistake(yaml: &str) -> String {
    let Configured { shared, component } = read(yaml);
    let checked = component.check(&shared).expect_err("the configuration is wrong").to_string();
    let place = Bench::new().place(shared, &Stack::default());
    let built = component.build(place).err().expect("it is not built").to_string();
    assert_eq!(checked, built);
    checked
}

/// What an app is put on.
pub(crate) struct Bench {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) context: Context,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(BrokerOptions::default(), Arc::new(SystemClock))
    }

    pub(crate) fn with(options: BrokerOptions, clock: Arc<dyn Clock>) -> Self {
        let broker: Arc<dyn Broker> = EmbeddedBroker::in_memory(options);
        Self { context: context_with(Arc::clone(&broker), clock), broker }
    }

    /// The place of an app called `app`.
    pub(crate) fn place(&self, shared: ApplicationShared, stack: &Stack) -> AppPlace {
        AppPlace {
            name: "app".to_owned(),
            connector: "app".to_owned(),
            shared,
            outbox: Arc::new(QueueOutbox::new(Arc::clone(&self.broker), "app", stack.clone())),
            context: self.context.clone(),
        }
    }

    pub(crate) async fn publish(&self, queue: &str, body: impl Into<Bytes>) {
        self.broker.publish(queue, body.into(), Admission::Inside).await.unwrap().await.unwrap();
    }

    /// Starts an app that is configured.
    pub(crate) async fn run(self, yaml: &str) -> Rig {
        let Configured { shared, component } = read(yaml);
        self.start(shared, Stack::default(), |place| component.build(place).unwrap()).await
    }

    /// Starts an app.
    pub(crate) async fn start(
        self,
        shared: ApplicationShared,
        stack: Stack,
        build: impl FnOnce(AppPlace) -> Arc<dyn Application>,
    ) -> Rig {
        let feed = self.context.feed.watch();
        let inbound_endpoints = shared.inbound_endpoints.clone();
        let app = build(self.place(shared, &stack));
        let worker = Arc::new(AppWorker {
            app,
            connector: "app".to_owned(),
            broker: Arc::clone(&self.broker),
            feed: self.context.feed.clone(),
            stack,
            prefetch: 20,
            parallel: 20,
            inbound_endpoints,
        });
        let shutdown = CancellationToken::new();
        let worker = tokio::spawn(worker.run(shutdown.clone()));
        let outbound = self.broker.consume(&names::outbound("app"), 0).await.unwrap();
        Rig { bench: self, outbound, shutdown, worker, feed }
    }
}

/// An app at work.
pub(crate) struct Rig {
    bench: Bench,
    outbound: Box<dyn Consumer>,
    shutdown: CancellationToken,
    worker: JoinHandle<vumi_core::Result<()>>,
    feed: Receiver<Arc<Sequenced>>,
}

impl Rig {
    /// A configured app on a bench of its own.
    pub(crate) async fn run(yaml: &str) -> Self {
        Bench::new().run(yaml).await
    }

    pub(crate) fn broker(&self) -> &Arc<dyn Broker> {
        &self.bench.broker
    }

    pub(crate) fn context(&self) -> &Context {
        &self.bench.context
    }

    /// A message comes in, and is handled.
    pub(crate) async fn give(&self, message: &UserMessage) {
        self.bench.publish("app.inbound", message.to_json()).await;
        self.settled("app.inbound").await;
    }

    /// An event comes in, and is handled.
    pub(crate) async fn tell(&self, event: &Event) {
        self.bench.publish("app.event", event.to_json()).await;
        self.settled("app.event").await;
    }

    /// The next message that the app sends.
    pub(crate) async fn next(&mut self) -> UserMessage {
        let next = tokio::time::timeout(PATIENCE, self.outbound.next()).await;
        let mut delivery = next.expect("a message comes in time").expect("the broker is open");
        let message = UserMessage::from_json(&delivery.body).unwrap();
        delivery.ack().await.unwrap().await.unwrap();
        message
    }

    /// Asserts that the app has sent nothing that was not taken with [`Rig::next`]. Everything that an input caused is
    /// in the queue once the input is settled.
    #[track_caller]
    pub(crate) fn silent(&self) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let left = self.left("app.outbound").await;
            assert_eq!(left, 0, "nothing was to be sent, {place}");
        }
    }

    async fn left(&self, queue: &str) -> u64 {
        let all = self.broker().queues().await.unwrap();
        all.into_iter().find(|info| info.name == queue).map_or(0, |info| info.ready + info.unacked)
    }

    /// Waits until everything that went into a queue is settled, and none of it as a dead letter.
    async fn settled(&self, queue: &str) {
        let waiting = async {
            while self.left(queue).await > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{queue} is not settled"));
        assert!(self.broker().dead_letters(queue, 1).await.unwrap().is_empty(), "{queue} has a dead letter");
    }

    /// Where the app's web server listens.
    pub(crate) async fn address(&mut self) -> SocketAddr {
        let waiting = async {
            loop {
                match self.feed.recv().await.map(|entry| entry.happening.clone()) {
                    Ok(Happening::Ready { name, at: Some(at) }) if name == worker_name("app", "app") => {
                        return at.parse().unwrap();
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => panic!("the feed ended"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the web server is ready in time")
    }

    /// Stops the app in an orderly way.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.worker).await.expect("it stops in time").unwrap().unwrap();
    }
}

/// A message as a transport would publish it.
pub(crate) fn message(content: &str) -> UserMessage {
    UserMessage::new(NewUserMessage {
        to_addr: Some("8007".to_owned()),
        from_addr: Some("+2771".to_owned()),
        transport_name: Some("sms_1".to_owned()),
        transport_type: Some("sms".to_owned()),
        content: Some(content.to_owned()),
        ..NewUserMessage::default()
    })
}

/// The same within a session.
pub(crate) fn in_session(content: &str, event: SessionEvent) -> UserMessage {
    let mut message = message(content);
    message.set("session_event", event.as_str()).unwrap();
    message
}

/// A message's payload.
pub(crate) fn payload(message: &UserMessage) -> Value {
    Value::Object(message.payload().clone())
}

/// These fields of a message.
pub(crate) fn fields(message: &UserMessage, names: &[&str]) -> Value {
    names.iter().map(|name| message.get(name).cloned().unwrap_or_else(|| json!("absent"))).collect()
}

/// How often apps failed, counted on this thread from now on.
pub(crate) struct Failures {
    handle: PrometheusHandle,
    _guard: metrics::LocalRecorderGuard<'static>,
}

impl Failures {
    pub(crate) fn count() -> Self {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // It must outlive its guard; a test can spare the memory.
        let recorder = Box::leak(Box::new(recorder));
        Self { handle, _guard: metrics::set_default_local_recorder(recorder) }
    }

    /// Of the app called `app`.
    pub(crate) fn so_far(&self) -> u64 {
        let text = self.handle.render();
        let line = text.lines().find_map(|line| line.strip_prefix("vumi_app_errors_total{app=\"app\"} "));
        line.map_or(0, |count| count.parse().unwrap())
    }
}
