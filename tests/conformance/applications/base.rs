//! Dispatch, sending, endpoints and errors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tracing::Level;
use vumi_core::{
    Application, Channel, Confirm, Direction, Error, Flow, Hook, Input, Middleware, Outbox, Placed, Result, Stack,
};
use vumi_message::{DeliveryStatus, Event, Message, Payload, SessionEvent, UserMessage, derived_id};
use vumi_worker::app::base::{Endpoints, Handler, NativeApp, Sender, Sending};
use vumi_worker::{AppPlace, ApplicationShared};

use super::logs::Logs;
use super::rig::{Bench, Failures, Rig, fields, in_session, message, payload, shared};

/// Does what messages tell it to: their content is JSON.
#[derive(Default)]
struct Obedient {
    /// The methods that were called.
    called: Arc<Mutex<Vec<String>>>,
    /// The errors of what was sent.
    errors: Arc<Mutex<Vec<String>>>,
}

impl Obedient {
    fn note(&self, method: &str) {
        self.called.lock().push(method.to_owned());
    }

    async fn obey(&self, message: &UserMessage, sending: &Sending<'_>) -> Result<()> {
        let order: Value = serde_json::from_str(message.content().unwrap_or("null")).unwrap();
        let text = |key: &str| order[key].as_str();
        let extras = order["extras"].as_object().cloned().unwrap_or_default();
        let sent = match text("do") {
            Some("reply") => sending.reply_to(message, text("content"), order["close"] != true, extras).await,
            Some("group") => sending.reply_to_group(message, text("content"), true, extras).await,
            Some("send") => sending.send_to("+1", Some("x"), text("endpoint"), extras).await,
            Some("fail") => return Err(Error::permanent("I cannot")),
            _ => return Ok(()),
        };
        match sent {
            Ok(_) => Ok(()),
            Err(error) => {
                self.errors.lock().push(error.to_string());
                Err(error)
            }
        }
    }
}

#[async_trait]
impl Handler for Obedient {
    async fn on_user_message(&self, message: &UserMessage, sending: &Sending<'_>) -> Result<()> {
        self.note(&format!("user message on {}", message.endpoint()));
        self.obey(message, sending).await
    }

    async fn on_close_session(&self, _: &UserMessage, _: &Sending<'_>) -> Result<()> {
        self.note("close session");
        Ok(())
    }

    async fn on_ack(&self, _: &Event, _: &Sending<'_>) -> Result<()> {
        self.note("ack");
        Ok(())
    }

    async fn on_nack(&self, _: &Event, _: &Sending<'_>) -> Result<()> {
        self.note("nack");
        Ok(())
    }

    async fn on_delivery_report(&self, _: &Event, _: &Sending<'_>) -> Result<()> {
        self.note("delivery report");
        Ok(())
    }
}

/// An obedient app at work.
struct Works {
    rig: Rig,
    called: Arc<Mutex<Vec<String>>>,
    errors: Arc<Mutex<Vec<String>>>,
}

impl Works {
    async fn start(shared: ApplicationShared, endpoints: Endpoints) -> Self {
        Self::on(Bench::new(), shared, Stack::default(), endpoints).await
    }

    async fn on(bench: Bench, shared: ApplicationShared, stack: Stack, endpoints: Endpoints) -> Self {
        let handler = Obedient::default();
        let (called, errors) = (Arc::clone(&handler.called), Arc::clone(&handler.errors));
        let build = |place: AppPlace| -> Arc<dyn Application> {
            Arc::new(NativeApp::new(handler, Arc::new(Sender::new(&place, endpoints))))
        };
        Self { rig: bench.start(shared, stack, build).await, called, errors }
    }

    fn called(&self) -> Vec<String> {
        std::mem::take(&mut *self.called.lock())
    }

    /// A message with this order; what the app sends then.
    async fn order(&mut self, order: Value) -> UserMessage {
        self.rig.give(&message(&order.to_string())).await;
        self.rig.next().await
    }

    /// A message with this order, which is refused; the error.
    async fn refused(&mut self, order: Value) -> String {
        self.rig.give(&message(&order.to_string())).await;
        self.rig.silent().await;
        let mut errors = std::mem::take(&mut *self.errors.lock());
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors.remove(0)
    }
}

#[tokio::test]
async fn check_02_messages_reach_their_handler() {
    let works = Works::start(ApplicationShared::default(), Endpoints::default()).await;
    for (message, method) in [
        (message("null"), "user message on default"),
        (in_session("null", SessionEvent::Resume), "user message on default"),
        (in_session("null", SessionEvent::New), "user message on default"),
        (in_session("null", SessionEvent::Close), "close session"),
    ] {
        works.rig.give(&message).await;
        assert_eq!(works.called(), [method], "{:?}", message.session_event());
    }
    works.rig.silent().await;
    works.rig.stop().await;
}

/// A handler that tells a new session apart, and one that does nothing at all.
struct Greets;
struct Idle;

#[async_trait]
impl Handler for Greets {
    async fn on_new_session(&self, message: &UserMessage, sending: &Sending<'_>) -> Result<()> {
        sending.reply_to(message, Some("welcome"), true, Payload::new()).await.map(drop)
    }
}

#[async_trait]
impl Handler for Idle {}

async fn start(handler: impl Handler) -> Rig {
    let build = |place: AppPlace| -> Arc<dyn Application> {
        Arc::new(NativeApp::new(handler, Arc::new(Sender::new(&place, Endpoints::default()))))
    };
    Bench::new().start(ApplicationShared::default(), Stack::default(), build).await
}

#[tokio::test]
async fn check_02_a_new_session_may_have_a_handler_of_its_own() {
    let mut rig = start(Greets).await;
    rig.give(&message("hi")).await;
    rig.silent().await;
    rig.give(&in_session("hi", SessionEvent::New)).await;
    assert_eq!(rig.next().await.content(), Some("welcome"));
    rig.stop().await;
}

#[tokio::test]
async fn check_03_events_reach_their_handler() {
    let works = Works::start(ApplicationShared::default(), Endpoints::default()).await;
    for (event, method) in [
        (Event::ack("m1", "n1"), "ack"),
        (Event::nack("m1", "no"), "nack"),
        (Event::delivery_report("m1", DeliveryStatus::Pending), "delivery report"),
    ] {
        works.rig.tell(&event).await;
        assert_eq!(works.called(), [method]);
    }
    works.rig.stop().await;
    let (idle, failures) = (start(Idle).await, Failures::count());
    for input in [message("x"), in_session("x", SessionEvent::Close)] {
        idle.give(&input).await;
    }
    idle.tell(&Event::nack("m1", "no")).await;
    idle.silent().await;
    assert_eq!(failures.so_far(), 0);
    idle.stop().await;
}

#[tokio::test]
async fn check_04_a_message_that_waited_is_answered() {
    let bench = Bench::new();
    let original = message(&json!({"do": "reply", "content": "hé"}).to_string());
    bench.broker.declare("app.inbound").await.unwrap();
    bench.publish("app.inbound", original.to_json()).await;
    let mut works = Works::on(bench, ApplicationShared::default(), Stack::default(), Endpoints::default()).await;
    let reply = works.rig.next().await;
    assert_eq!(
        fields(&reply, &["to_addr", "from_addr", "content", "in_reply_to"]),
        json!(["+2771", "8007", "hé", original.message_id()])
    );
    works.rig.silent().await;
    works.rig.stop().await;
}

#[tokio::test]
async fn check_05_a_reply_keeps_the_endpoint() {
    let mut works = Works::start(ApplicationShared::default(), Endpoints::default()).await;
    for order in [json!({"do": "reply", "content": "x"}), json!({"do": "group", "content": "x"})] {
        let mut original = message(&order.to_string());
        original.set_endpoint(Some("ussd"));
        works.rig.give(&original).await;
        assert_eq!(works.rig.next().await.endpoint(), "ussd");
    }
    works.rig.stop().await;
}

#[tokio::test]
async fn a_reply_to_the_group_has_no_address() {
    let mut works = Works::start(ApplicationShared::default(), Endpoints::default()).await;
    for (order, to_addr) in [("group", None), ("reply", Some("+2771"))] {
        let mut original = message(&json!({"do": order, "content": "x"}).to_string());
        original.set("group", "#dev").unwrap();
        works.rig.give(&original).await;
        let reply = works.rig.next().await;
        assert_eq!((reply.to_addr(), reply.group()), (to_addr, Some("#dev")));
    }
    works.rig.stop().await;
}

#[tokio::test]
async fn check_06_a_send_without_configuration() {
    let mut works = Works::start(ApplicationShared::default(), Endpoints::default()).await;
    let sent = works.order(json!({"do": "send"})).await;
    assert_eq!(
        fields(&sent, &["to_addr", "content", "transport_name", "from_addr", "in_reply_to"]),
        json!(["+1", "x", null, null, null])
    );
    assert_eq!(sent.endpoint(), "default");
    works.rig.stop().await;
}

#[tokio::test]
async fn check_07_a_send_takes_configured_fields() {
    let shared = shared("send_to: {default: {transport_name: smsT, provider: P}}\n");
    let mut works = Works::start(shared, Endpoints::default()).await;
    let sent = works.order(json!({"do": "send"})).await;
    assert_eq!(fields(&sent, &["transport_name", "provider"]), json!(["smsT", "P"]));
    let sent = works.order(json!({"do": "send", "extras": {"transport_name": "other"}})).await;
    assert_eq!(fields(&sent, &["transport_name", "provider"]), json!(["other", "P"]));
    works.rig.stop().await;
}

#[tokio::test]
async fn check_08_allowed_endpoints() {
    let allowed = Endpoints::Only(vec!["default".to_owned(), "alerts".to_owned()]);
    let mut works = Works::start(ApplicationShared::default(), allowed).await;
    assert_eq!(works.order(json!({"do": "send", "endpoint": "alerts"})).await.endpoint(), "alerts");
    assert_eq!(
        works.refused(json!({"do": "send", "endpoint": "nope"})).await,
        "Endpoint 'nope' not defined in list of allowed endpoints ['default', 'alerts']"
    );
    works.rig.stop().await;
    let mut works = Works::start(ApplicationShared::default(), Endpoints::Any).await;
    assert_eq!(works.order(json!({"do": "send", "endpoint": "nope"})).await.endpoint(), "nope");
    works.rig.stop().await;
}

#[tokio::test]
async fn check_09_no_endpoint_is_allowed() {
    let mut works = Works::start(ApplicationShared::default(), Endpoints::Only(Vec::new())).await;
    let error = works.refused(json!({"do": "send", "endpoint": null})).await;
    assert_eq!(error, "Endpoint 'default' not defined in list of allowed endpoints []");
    // Replies are not checked.
    works.order(json!({"do": "reply", "content": "x"})).await;
    works.rig.stop().await;
}

#[tokio::test]
async fn check_10_a_reply_ends_the_session() {
    let mut works = Works::start(ApplicationShared::default(), Endpoints::default()).await;
    let bye = works.order(json!({"do": "reply", "content": "bye", "close": true})).await;
    assert_eq!((bye.content(), bye.session_event()), (Some("bye"), Some(SessionEvent::Close)));
    assert_eq!(works.order(json!({"do": "reply", "content": "and"})).await.session_event(), None);
    works.rig.stop().await;
}

#[tokio::test]
async fn fields_that_make_the_reply_may_not_be_given() {
    let mut works = Works::start(ApplicationShared::default(), Endpoints::default()).await;
    let error = works.refused(json!({"do": "reply", "content": "x", "extras": {"to_addr": "+9"}})).await;
    assert!(error.contains("to_addr"), "{error}");
    works.rig.stop().await;
}

/// Writes its name into every message.
struct Signs(&'static str);

#[async_trait]
impl Middleware for Signs {
    async fn handle(&self, hook: Hook, _: &str, message: Message) -> Result<Flow> {
        let Message::User(mut message) = message else { return Ok(Flow::Continue(message)) };
        if hook.channel == Channel::Inbound || hook.direction == Direction::Publish {
            let before = message.helper_metadata().get("by").and_then(Value::as_str).unwrap_or_default().to_owned();
            message.put_helper_metadata("by", format!("{before} {}", self.0));
        }
        Ok(Flow::Continue(Message::User(message)))
    }
}

#[tokio::test]
async fn check_11_middleware_in_order_and_back() {
    let placed =
        |name: &'static str| Placed { middleware: Arc::new(Signs(name)), consume_priority: 0, publish_priority: 0 };
    let stack = Stack::new(vec![placed("m1"), placed("m2")]);
    let mut works = Works::on(Bench::new(), ApplicationShared::default(), stack, Endpoints::default()).await;
    // A reply copies the original's metadata: inbound first, outbound behind it.
    let reply = works.order(json!({"do": "reply", "content": "x"})).await;
    assert_eq!(reply.helper_metadata().get("by"), Some(&json!(" m1 m2 m2 m1")));
    works.rig.stop().await;
}

#[tokio::test]
async fn check_13_every_endpoint_or_those_that_are_named() {
    let mut elsewhere = message("null");
    elsewhere.set_endpoint(Some("sms2"));
    let works = Works::start(ApplicationShared::default(), Endpoints::default()).await;
    works.rig.give(&elsewhere).await;
    assert_eq!(works.called(), ["user message on sms2"]);
    works.rig.stop().await;

    let logs = Logs::watch();
    let works = Works::start(shared("inbound_endpoints: [default]\n"), Endpoints::default()).await;
    works.rig.give(&elsewhere).await;
    works.rig.give(&message("null")).await;
    assert_eq!(works.called(), ["user message on default"]);
    let warnings = logs.at(Level::WARN);
    assert!(warnings.iter().any(|line| line.fields.contains("sms2")), "{warnings:?}");
    works.rig.stop().await;
}

#[tokio::test]
async fn check_14_an_error_is_logged_and_counted_and_the_next_message_handled() {
    let (logs, failures) = (Logs::watch(), Failures::count());
    let mut works = Works::start(ApplicationShared::default(), Endpoints::default()).await;
    let bad = message(&json!({"do": "fail"}).to_string());
    works.rig.give(&bad).await;
    assert_eq!(works.order(json!({"do": "reply", "content": "next"})).await.content(), Some("next"));
    assert_eq!(failures.so_far(), 1);
    let error = logs.error();
    assert!(error.text.ends_with("I cannot") && error.fields.contains(bad.message_id()), "{error:?}");
    works.rig.stop().await;
}

#[tokio::test]
async fn ids_are_derived_from_the_inbound_message() {
    let mut works = Works::start(ApplicationShared::default(), Endpoints::Any).await;
    let original = message(&json!({"do": "send"}).to_string());
    for _ in 0..2 {
        works.rig.give(&original).await;
        assert_eq!(works.rig.next().await.message_id(), derived_id(original.message_id(), "app", 0));
    }
    works.rig.stop().await;
}

/// An outbox that fails the first time, and whose messages are not safe the second time.
struct Weak {
    tries: AtomicU32,
    sent: Mutex<Vec<Value>>,
}

#[async_trait]
impl Outbox for Weak {
    async fn send(&self, message: UserMessage) -> Result<Option<Confirm>> {
        self.sent.lock().push(payload(&message));
        match self.tries.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Error::temporary("the broker is away")),
            _ => Ok(Some(Confirm::ready())),
        }
    }
}

/// Sends twice, whatever becomes of it.
struct Careless;

#[async_trait]
impl Handler for Careless {
    async fn on_user_message(&self, message: &UserMessage, sending: &Sending<'_>) -> Result<()> {
        for content in ["one", "two"] {
            let _ = sending.reply_to(message, Some(content), true, Payload::new()).await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_message_lost_on_its_way_to_the_broker_brings_the_input_back() {
    let failures = Failures::count();
    let outbox = Arc::new(Weak { tries: AtomicU32::new(0), sent: Mutex::default() });
    let mut place = Bench::new().place(ApplicationShared::default(), &Stack::default());
    place.outbox = Arc::clone(&outbox) as Arc<dyn Outbox>;
    let app = NativeApp::new(Careless, Arc::new(Sender::new(&place, Endpoints::default())));
    let input = Input::Message(Arc::new(message("x")));
    let handled = app.handle(&input).await;
    assert_eq!(handled.again.as_deref(), Some("the broker is away"));
    let handled = app.handle(&input).await;
    assert!(handled.again.is_none() && handled.confirms.len() == 2);
    let sent: Vec<(Value, Value)> =
        outbox.sent.lock().iter().map(|sent| (sent["content"].clone(), sent["message_id"].clone())).collect();
    // The second message keeps its id although the first was not taken at first.
    assert_eq!(sent.len(), 4);
    assert_eq!((&sent[0], &sent[1]), (&sent[2], &sent[3]));
    assert_ne!(sent[0].1, sent[1].1);
    assert_eq!(failures.so_far(), 0);
}

/// Needs something of the host that is away at first.
struct Needy(AtomicBool);

#[async_trait]
impl Handler for Needy {
    async fn on_user_message(&self, message: &UserMessage, sending: &Sending<'_>) -> Result<()> {
        if !self.0.swap(true, Ordering::SeqCst) {
            return Err(Error::temporary("the key-value store is away"));
        }
        sending.reply_to(message, Some("here"), true, Payload::new()).await.map(drop)
    }
}

#[tokio::test]
async fn a_fault_of_the_host_is_tried_again_and_is_not_the_apps_error() {
    let failures = Failures::count();
    let mut rig = start(Needy(AtomicBool::new(false))).await;
    rig.give(&message("x")).await;
    assert_eq!(rig.next().await.content(), Some("here"));
    assert_eq!(failures.so_far(), 0);
    rig.stop().await;
}
