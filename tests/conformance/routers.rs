//! The checks of specs/core/routers.md: a dispatcher takes messages from queues of the embedded broker, and the tests
//! look into the queues that they should have come to.

mod balancing;
pub(crate) mod kit;
mod table;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kit::{Rig, ack, of, refusal, user};
use serde_json::{Value, json};
use vumi_core::{Flow, Hook, Middleware, Placed, Result, Stack};
use vumi_message::Message;

/// Signs each message that it sees with its own name and that of the connector.
struct Signs(&'static str);

#[async_trait]
impl Middleware for Signs {
    async fn handle(&self, _: Hook, connector: &str, mut message: Message) -> Result<Flow> {
        let Message::User(signed) = &mut message else { return Ok(Flow::Continue(message)) };
        let mut path = signed.helper_metadata().get("path").and_then(Value::as_array).cloned().unwrap_or_default();
        path.push(format!("{} ({connector})", self.0).into());
        signed.put_helper_metadata("path", path);
        Ok(Flow::Continue(message))
    }
}

#[tokio::test]
async fn check_01_simple_copies() {
    let placed = |name| Placed { middleware: Arc::new(Signs(name)), consume_priority: 0, publish_priority: 0 };
    let rig = Rig::start_with(
        "{class: simple, transport_names: [t3], exposed_names: [a1, a3], route_mappings: {t3: [a1, a3]}}",
        Stack::new(vec![placed("m1"), placed("m2")]),
    );
    rig.put("t3.inbound", of("t3")).await;
    for app in ["a1", "a3"] {
        let path = &rig.only(&format!("{app}.inbound")).await["helper_metadata"]["path"];
        let last = [format!("m2 ({app})"), format!("m1 ({app})")];
        assert_eq!(*path, json!(["m1 (t3)", "m2 (t3)", last[0], last[1]]));
    }
    assert_eq!(rig.queues().await, Vec::<String>::new());
    rig.put("t3.event", ack("t3", "m1")).await;
    assert_eq!(rig.queues().await, ["a1.event", "a3.event"]);
    rig.stop().await;
}

#[tokio::test]
async fn check_02_simple_transport_mappings() {
    let rig = Rig::start(
        "{class: vumi.dispatchers.SimpleDispatchRouter, transport_names: [t1], exposed_names: [a1],
          route_mappings: {t1: [a1]}, transport_mappings: {up: t1}}",
    );
    rig.put("a1.outbound", of("up")).await;
    assert_eq!(rig.only("t1.outbound").await["transport_name"], "up");
    rig.put("a1.outbound", of("zz")).await;
    assert_eq!(rig.queues().await, Vec::<String>::new());
    assert!(rig.reasons()[0].starts_with("Unknown transport_name: zz, discarding {"));
    assert_eq!(rig.unroutable(), 1);
    rig.stop().await;
}

#[tokio::test]
async fn check_03_a_name_is_a_list_of_one() {
    let rig = Rig::start("{class: simple, transport_names: t1, exposed_names: a1, route_mappings: {t1: a1}}");
    rig.put("t1.inbound", of("t1")).await;
    rig.put("a1.outbound", of("t1")).await;
    assert_eq!(rig.queues().await, ["a1.inbound", "t1.outbound"]);
    rig.stop().await;
}

#[tokio::test]
async fn check_04_transport_to_transport() {
    let rig = Rig::start("{class: transport_to_transport, transport_names: [t1, t2], route_mappings: {t1: [t2]}}");
    let message = user(json!({"transport_name": "t1", "content": "hi", "from_addr": "+1"}));
    rig.put("t1.inbound", message.clone()).await;
    assert_eq!(rig.only("t2.outbound").await, Value::Object(message.into_payload()));
    rig.put("t1.event", ack("t1", "m1")).await;
    assert_eq!(rig.queues().await, Vec::<String>::new());
    // It is dropped as a matter of course, not for want of a way.
    assert_eq!((rig.unroutable(), rig.reasons().len()), (0, 0));
    rig.stop().await;
}

#[tokio::test]
async fn check_05_to_addr() {
    let rig = Rig::start(
        r#"{class: to_addr, transport_names: [t1], exposed_names: [a1, a2], toaddr_mappings: {a1: "27.*5$", a2: "278"}}"#,
    );
    for (to_addr, queues) in [
        (json!("27835"), vec!["a1.inbound", "a2.inbound"]),
        (json!("2790"), vec![]),
        (json!("+27835"), vec![]),
        (Value::Null, vec![]),
    ] {
        rig.put("t1.inbound", user(json!({"transport_name": "t1", "to_addr": to_addr}))).await;
        assert_eq!(rig.queues().await, queues, "{to_addr}");
    }
    // Only the message without an address counts: the others fitted nothing, and are dropped in silence.
    assert_eq!((rig.reasons().len(), rig.unroutable()), (1, 1));
    rig.put("a1.outbound", of("t1")).await;
    rig.put("t1.event", ack("t1", "m1")).await;
    assert_eq!(rig.queues().await, ["t1.outbound"]);
    rig.stop().await;
}

#[tokio::test]
async fn check_06_from_addr_multiplex() {
    let rig = Rig::start(
        "{class: from_addr_multiplex, transport_names: [t1], exposed_names: [mux], fromaddr_mappings: {x@h: t1}}",
    );
    rig.put("t1.inbound", of("t1")).await;
    assert_eq!(rig.only("mux.inbound").await["transport_name"], "mux");
    rig.put("t1.event", ack("t1", "m1")).await;
    assert_eq!(rig.only("mux.event").await["transport_name"], "mux");
    rig.put("mux.outbound", user(json!({"transport_name": "mux", "from_addr": "x@h"}))).await;
    assert_eq!(rig.only("t1.outbound").await["transport_name"], "t1");
    rig.put("mux.outbound", user(json!({"transport_name": "mux", "from_addr": "q"}))).await;
    assert_eq!(rig.queues().await, Vec::<String>::new());
    assert_eq!(rig.unroutable(), 1);
    rig.stop().await;
    let two =
        refusal("{class: from_addr_multiplex, transport_names: [t1], exposed_names: [a, b], fromaddr_mappings: {}}");
    assert_eq!(two, "Only one exposed name allowed for FromAddrMultiplexRouter.");
}

#[tokio::test]
async fn check_07_user_grouping() {
    let rig = Rig::start(
        "{class: user_grouping, transport_names: [t1], exposed_names: [app1, app2], dispatcher_name: d,
          group_mappings: {b: app2, a: app1}}",
    );
    for (user_addr, app) in [("u1", "app1"), ("u2", "app2"), ("u3", "app1"), ("u1", "app1")] {
        rig.put("t1.inbound", user(json!({"transport_name": "t1", "from_addr": user_addr}))).await;
        assert_eq!(rig.queues().await, [format!("{app}.inbound")], "{user_addr}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn check_08_keywords() {
    let rig = Rig::start(
        r#"{class: content_keyword, transport_names: [t1], exposed_names: [a1, a2, a3, f], dispatcher_name: d,
            rules: [{app: a1, keyword: JOIN, to_addr: "8181", prefix: "+256"}, {app: a2, keyword: help}],
            keyword_mappings: {a3: Join}, fallback_application: f, transport_mappings: {}}"#,
    );
    for (content, from_addr, queues) in [
        (json!("join now"), "+2567", vec!["a1.inbound", "a3.inbound"]),
        (json!("join now"), "+27", vec!["a3.inbound"]),
        (json!("HELP"), "+27", vec!["a2.inbound"]),
        (Value::Null, "+27", vec!["f.inbound"]),
        (json!("helpme"), "+27", vec!["f.inbound"]),
        (json!(" help"), "+27", vec!["f.inbound"]),
        (json!("help\nme"), "+27", vec!["f.inbound"]),
    ] {
        let fields = json!({"transport_name": "t1", "to_addr": "8181", "from_addr": from_addr, "content": content});
        rig.put("t1.inbound", user(fields)).await;
        assert_eq!(rig.queues().await, queues, "{content} of {from_addr}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn check_09_keywords_and_the_way_back() {
    let rig = Rig::start(
        "{class: content_keyword, transport_names: [t1], exposed_names: [a1, a2], dispatcher_name: d,
          transport_mappings: {s1: t1}, expire_routing_memory: 60}",
    );
    let outbound = json!({"from_addr": "s1", "message_id": "m1", "transport_name": "a2"});
    rig.put("a2.outbound", user(outbound)).await;
    assert_eq!(rig.queues().await, ["t1.outbound"]);
    rig.put("t1.event", ack("t1", "m1")).await;
    assert_eq!(rig.queues().await, ["a2.event"]);
    let lost = |id: &str| {
        vec![format!(
            "No transport_name for return route found in Redis while dispatching transport event for message {id}"
        )]
    };
    rig.put("t1.event", ack("t1", "m2")).await;
    assert_eq!((rig.queues().await, rig.reasons()), (vec![], lost("m2")));
    rig.clock.forward(Duration::from_secs(61));
    rig.put("t1.event", ack("t1", "m1")).await;
    assert_eq!((rig.queues().await, rig.reasons()), (vec![], lost("m1")));
    rig.put("a2.outbound", user(json!({"from_addr": "s9", "transport_name": "a2"}))).await;
    assert_eq!((rig.queues().await, rig.reasons()), (vec![], vec!["No transport for s9".to_owned()]));
    rig.stop().await;
}

#[tokio::test]
async fn check_10_redirect() {
    let rig = Rig::start(
        "{class: redirect, transport_names: [tx, rx], exposed_names: [up],
          redirect_outbound: {up: tx}, redirect_inbound: {tx: up, rx: up}}",
    );
    rig.put("up.outbound", of("up")).await;
    assert_eq!(rig.only("tx.outbound").await["transport_name"], "up");
    rig.put("rx.event", ack("rx", "m1")).await;
    assert_eq!(rig.only("up.event").await["transport_name"], "up");
    rig.put("rx.inbound", of("rx")).await;
    assert_eq!(rig.only("up.inbound").await["transport_name"], "up");
    rig.put("up.outbound", of("foo")).await;
    assert_eq!(rig.queues().await, Vec::<String>::new());
    assert_eq!(rig.reasons(), ["No redirect_outbound specified for foo"]);
    rig.stop().await;
}

#[tokio::test]
async fn check_14_an_unroutable_message_holds_up_nothing() {
    let rig = Rig::start(
        "{class: simple, transport_names: [t1, t2], exposed_names: [a1], route_mappings: {t1: [a1]}, \
          amqp_prefetch_count: 1}",
    );
    rig.publish("t1.inbound", of("nowhere")).await;
    rig.put("t1.inbound", of("t1")).await;
    assert_eq!(rig.only("a1.inbound").await["transport_name"], "t1");
    rig.publish("a1.outbound", of("nowhere")).await;
    rig.put("a1.outbound", of("t2")).await;
    assert_eq!(rig.queues().await, ["t2.outbound"]);
    assert_eq!((rig.unroutable(), rig.reasons().len()), (2, 2));
    rig.stop().await;
}

/// Vumi's class paths mean the same classes, each path one.
#[test]
fn every_vumi_router_is_known_by_its_path() {
    let kinds = vumi_dispatch::RouterConfig::KINDS;
    for (router, class) in [
        ("SimpleDispatchRouter", "simple"),
        ("TransportToTransportRouter", "transport_to_transport"),
        ("ToAddrRouter", "to_addr"),
        ("FromAddrMultiplexRouter", "from_addr_multiplex"),
        ("UserGroupingRouter", "user_grouping"),
        ("ContentKeywordRouter", "content_keyword"),
        ("RedirectRouter", "redirect"),
        ("RedirectOutboundRouter", "redirect_outbound"),
    ] {
        for path in [format!("vumi.dispatchers.{router}"), format!("vumi.dispatchers.base.{router}")] {
            let called: Vec<&str> = kinds.iter().filter(|kind| kind.is_called(&path)).map(|kind| kind.class).collect();
            assert_eq!(called, [class], "{path}");
        }
    }
    for (path, class) in [
        ("vumi.dispatchers.LoadBalancingRouter", "load_balancing"),
        ("vumi.dispatchers.load_balancer.LoadBalancingRouter", "load_balancing"),
        ("vumi.dispatchers.RoutingTableDispatcher", "routing_table"),
        ("vumi.dispatchers.endpoint_dispatchers.RoutingTableDispatcher", "routing_table"),
    ] {
        let called: Vec<&str> = kinds.iter().filter(|kind| kind.is_called(path)).map(|kind| kind.class).collect();
        assert_eq!(called, [class], "{path}");
    }
}
