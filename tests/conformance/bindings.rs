//! Apps that are deployed to a running host: the dispatcher class `bindings`, its table changing under it, between
//! queues of the embedded broker.

mod load;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use vumi_core::{Binding, BindingTable, BoundApp, Context, Stack};
use vumi_message::UserMessage;

use crate::routers::kit::{Rig, ack, refusal, user};
use crate::session::SetClock;

const YAML: &str =
    "{class: bindings, transport_names: [sms, ussd], exposed_names: [sorry], fallback: sorry, session_expiry: 60}";

/// A table of apps and their bindings, these as they stand in JSON.
fn table(apps: Value) -> Arc<BindingTable> {
    let bound = |(connector, bindings): (&String, &Value)| BoundApp {
        connector: connector.clone(),
        bindings: serde_json::from_value::<Vec<Binding>>(bindings.clone()).unwrap(),
    };
    let mut apps: Vec<BoundApp> = apps.as_object().unwrap().iter().map(bound).collect();
    apps.sort_by(|one, other| one.connector.cmp(&other.connector));
    Arc::new(BindingTable { apps })
}

/// A dispatcher at work, and whoever deploys.
struct Deployed {
    rig: Rig,
    tables: watch::Sender<Arc<BindingTable>>,
}

impl Deployed {
    fn start(yaml: &str, apps: Value) -> Self {
        let (tables, bindings) = watch::channel(table(apps));
        let clock = SetClock::new();
        let broker = vumi_broker::EmbeddedBroker::in_memory(vumi_broker::BrokerOptions::default());
        let context = Context { bindings, ..vumi_tests::context::context_with(broker, clock.clone()) };
        Self { rig: Rig::start_in(context, clock, yaml, Stack::default()), tables }
    }

    fn deploy(&self, apps: Value) {
        self.tables.send_replace(table(apps));
    }

    /// The queues in which a message of a user arrives.
    async fn sent(&self, transport: &str, fields: Value) -> Vec<String> {
        self.rig.put(&format!("{transport}.inbound"), from_user(transport, fields)).await;
        self.rig.queues().await
    }

    async fn texted(&self, content: &str) -> Vec<String> {
        self.sent("sms", json!({"to_addr": "8007", "content": content})).await
    }

    async fn dialled(&self, event: &str) -> Vec<String> {
        self.sent("ussd", json!({"to_addr": "*120#", "session_event": event})).await
    }
}

/// What a transport makes of what `+27` sends.
fn from_user(transport: &str, fields: Value) -> UserMessage {
    let mut message = user(json!({"transport_name": transport, "from_addr": "+27"}));
    for (field, value) in fields.as_object().unwrap() {
        message.set(field, value.clone()).unwrap();
    }
    message
}

fn message(id: &str, transport: &str) -> UserMessage {
    user(json!({"message_id": id, "transport_name": transport, "to_addr": "+27"}))
}

#[tokio::test]
async fn apps_come_and_go() {
    let system = Deployed::start(YAML, json!({}));
    assert_eq!(system.texted("hello").await, ["sorry.inbound"]);

    system.deploy(json!({"quiz": [{"to_addr": "8007"}]}));
    assert_eq!(system.texted("hello").await, ["quiz.inbound"]);
    system.rig.put("quiz.outbound", message("m1", "sms")).await;
    assert_eq!(system.rig.queues().await, ["sms.outbound"]);
    system.rig.put("sms.event", ack("sms", "m1")).await;
    assert_eq!(system.rig.queues().await, ["quiz.event"]);

    // Another one comes, and what was there stays as it is.
    system.deploy(json!({"quiz": [{"to_addr": "8007"}], "vote": [{"to_addr": "8007", "keyword": "Vote"}]}));
    assert_eq!(system.texted("VOTE for me").await, ["vote.inbound"]);
    system.rig.put("vote.outbound", message("m2", "ussd")).await;
    assert_eq!(system.rig.queues().await, ["ussd.outbound"]);

    // The first one goes: it gets nothing any more, and what it still has to say is said.
    system.deploy(json!({"vote": [{"to_addr": "8007", "keyword": "vote"}]}));
    assert_eq!(system.sent("sms", json!({"to_addr": "8007", "from_addr": "+28"})).await, ["sorry.inbound"]);
    system.rig.put("quiz.outbound", message("m3", "sms")).await;
    assert_eq!(system.rig.queues().await, ["sms.outbound"]);
    for id in ["m1", "m3"] {
        system.rig.put("sms.event", ack("sms", id)).await;
        assert_eq!(system.rig.queues().await, Vec::<String>::new());
    }
    assert_eq!((system.rig.unroutable(), system.rig.reasons().len()), (0, 0));
    system.rig.stop().await;
}

#[tokio::test]
async fn apps_of_the_configuration_work_beside_them() {
    let yaml = "{class: bindings, transport_names: [sms], exposed_names: [old, other]}";
    let system = Deployed::start(yaml, json!({"old": [{"keyword": "old"}], "new": [{"keyword": "new"}]}));
    assert_eq!(system.texted("old").await, ["old.inbound"]);
    assert_eq!(system.texted("new").await, ["new.inbound"]);
    for app in ["old", "other", "new"] {
        system.rig.put(&format!("{app}.outbound"), message(app, "sms")).await;
        assert_eq!(system.rig.queues().await, ["sms.outbound"], "{app}");
        system.rig.put("sms.event", ack("sms", app)).await;
        assert_eq!(system.rig.queues().await, [format!("{app}.event")]);
    }
    // Out of the table it is still there, as an app of the configuration.
    system.deploy(json!({}));
    system.rig.put("old.outbound", message("m1", "sms")).await;
    system.rig.put("sms.event", ack("sms", "m1")).await;
    assert_eq!(system.rig.queues().await, ["old.event", "sms.outbound"]);
    system.rig.put("sms.inbound", from_user("sms", json!({"to_addr": "8007", "content": "old"}))).await;
    assert_eq!(system.rig.queues().await, Vec::<String>::new());
    assert!(system.rig.reasons()[0].starts_with("no binding fits a message from sms to 8007"));
    assert_eq!(system.rig.unroutable(), 1);
    system.rig.stop().await;
}

#[tokio::test]
async fn a_session_stays_with_its_app() {
    let (alone, both) =
        (json!({"a": [{"to_addr": "*120#"}]}), json!({"a": [{"keyword": "a"}], "b": [{"to_addr": "*120#"}]}));
    let system = Deployed::start(YAML, alone.clone());
    assert_eq!(system.dialled("new").await, ["a.inbound"]);
    system.deploy(both.clone());
    assert_eq!(system.dialled("resume").await, ["a.inbound"]);
    // Another user's is another session.
    let other = json!({"to_addr": "*120#", "from_addr": "+28", "session_event": "resume"});
    assert_eq!(system.sent("ussd", other).await, ["b.inbound"]);
    // A dispatcher that starts anew knows it too.
    let (context, clock) = (system.rig.context.clone(), Arc::clone(&system.rig.clock));
    system.rig.stop().await;
    let system = Deployed { rig: Rig::start_in(context, clock, YAML, Stack::default()), ..system };
    assert_eq!(system.dialled("resume").await, ["a.inbound"]);
    assert_eq!(system.dialled("close").await, ["a.inbound"]);
    assert_eq!(system.dialled("resume").await, ["b.inbound"]);

    // It ends after its time, and when its app goes.
    system.deploy(alone.clone());
    assert_eq!(system.dialled("new").await, ["a.inbound"]);
    system.deploy(both.clone());
    system.rig.clock.forward(Duration::from_secs(59));
    assert_eq!(system.dialled("resume").await, ["a.inbound"]);
    system.rig.clock.forward(Duration::from_secs(2));
    assert_eq!(system.dialled("resume").await, ["b.inbound"]);
    system.deploy(alone);
    assert_eq!(system.dialled("resume").await, ["a.inbound"]);
    system.rig.stop().await;
}

#[tokio::test]
async fn a_user_stays_with_the_app_of_the_keyword() {
    let system = Deployed::start(
        YAML,
        json!({"a": [{"keyword": "join"}], "b": [{"keyword": "vote"}], "c": [{"to_addr": "8007"}]}),
    );
    assert_eq!(system.texted("1").await, ["c.inbound"]);
    assert_eq!(system.texted("Join").await, ["a.inbound"]);
    assert_eq!(system.texted("1").await, ["a.inbound"]);
    assert_eq!(system.texted("vote").await, ["b.inbound"]);
    assert_eq!(system.texted("2").await, ["b.inbound"]);
    system.rig.clock.forward(Duration::from_secs(61));
    assert_eq!(system.texted("3").await, ["c.inbound"]);
    assert_eq!(system.texted("vote").await, ["b.inbound"]);
    system.deploy(json!({"a": [{"keyword": "join"}], "c": [{"to_addr": "8007"}]}));
    assert_eq!(system.texted("4").await, ["c.inbound"]);
    system.rig.stop().await;
}

#[tokio::test]
async fn events_go_back_to_whoever_sent() {
    let apps = json!({"a": [{}], "b": [{}]});
    let yaml = "{class: bindings, transport_names: [sms], exposed_names: [sorry], fallback: sorry, message_expiry: 60}";
    let system = Deployed::start(yaml, apps);
    for (app, id) in [("a", "m1"), ("b", "m2")] {
        system.rig.put(&format!("{app}.outbound"), message(id, "sms")).await;
        system.rig.put("sms.event", ack("sms", id)).await;
        assert_eq!(system.rig.queues().await, [&format!("{app}.event"), "sms.outbound"]);
    }
    system.rig.clock.forward(Duration::from_secs(61));
    system.rig.put("sms.event", ack("sms", "m1")).await;
    assert_eq!(system.rig.queues().await, ["sorry.event"]);
    // What names no transport of the dispatcher comes back as a nack.
    system.rig.put("a.outbound", message("m3", "irc")).await;
    let nack = system.rig.only("a.event").await;
    assert_eq!((&nack["event_type"], &nack["user_message_id"]), (&json!("nack"), &json!("m3")));
    assert!(nack["nack_reason"].as_str().unwrap().contains("`irc`"), "{nack}");
    system.rig.stop().await;
}

#[test]
fn mistakes_are_refused_at_the_start() {
    for (yaml, text) in [
        ("{class: bindings, exposed_names: [a]}", "transport_names is empty"),
        (
            "{class: bindings, transport_names: [t], fallback: a}",
            "fallback names `a`, which is not among exposed_names",
        ),
        ("{class: bindings, transport_names: [t], session_expiry: 0}", "session_expiry is 0"),
    ] {
        let refused = refusal(yaml);
        assert!(refused.starts_with(text), "{yaml}: {refused}");
    }
}
