//! Dispatchers in the places of Vumi's; the test is the transport and the applications.

use serde_json::{Value, json};

use super::capture::{Capture, Publish, consumed};
use super::compare::Made;
use super::stage::{Order, Stage, in_both_orders};

/// Two applications on one transport.
const SIMPLE: &str = "dispatcher_name: dispatcher
router_class: vumi.dispatchers.SimpleDispatchRouter
transport_names: [telnet]
exposed_names: [app1, app2]
route_mappings: {telnet: [app1, app2]}
";

const TABLE: &str = "receive_inbound_connectors: [telnet]
receive_outbound_connectors: [app1]
routing_table:
  telnet: {default: [app1, ep-a]}
  app1: {ep-a: [telnet, default]}
";

/// The user message that was sent to Vumi by hand, with these fields changed: it was not recorded as a publish, but the
/// recorded dispatcher passed it on.
pub(crate) fn plain_message(key: &str, transport_name: &str, change: &[(&str, Value)]) -> Publish {
    let passed_on = Capture::read("routing-table-dispatcher").step(1).clone();
    let mut payload = passed_on.payload();
    payload["routing_metadata"] = json!({});
    payload["transport_name"] = json!(transport_name);
    for (field, value) in change {
        payload[*field] = value.clone();
    }
    let message = Publish { step: format!("sent to {key}"), routing_key: key.to_owned(), ..passed_on };
    // Vumi's text has spaces after colons and commas.
    Publish { body: vumi_message::json::to_text(&payload), ..message }
}

/// Everything that comes in goes out on the same queues, unchanged.
#[test]
fn simple_dispatcher_sends_what_vumis_sent() {
    in_both_orders("simple-dispatcher", |mut stage: Stage| {
        let host = stage.worker("vumi.dispatchers.BaseDispatchWorker", SIMPLE);
        let dispatcher = stage.capture.step(2).by;
        for step in stage.capture.publishes.clone() {
            if step.by == dispatcher {
                stage.expect(&step, Made::Elsewhere);
            } else {
                stage.publish(&step);
            }
        }
        assert_eq!(stage.compare.count, 18);
        stage.end(host);
    });
}

/// The events of another transport, with all three kinds of delivery report and a nack. What Vumi's transport published
/// is what its dispatcher passed on, as the conversation above shows.
#[test]
fn simple_dispatcher_passes_every_kind_of_event() {
    in_both_orders("failures-and-events", |mut stage: Stage| {
        for app in ["app1", "app2"] {
            stage.also(consumed("vumi", &format!("{app}.event")));
        }
        let host = stage.worker("vumi.dispatchers.BaseDispatchWorker", &SIMPLE.replace("telnet", "sms"));
        let steps = stage.capture.publishes.clone();
        for step in steps.iter().filter(|step| step.kind() == "event") {
            stage.publish(step);
            for app in ["app1", "app2"] {
                let passed = Publish { routing_key: format!("{app}.event"), ..step.clone() };
                stage.expect(&passed, Made::Elsewhere);
            }
        }
        assert_eq!(stage.compare.count, 10);
        stage.end(host);
    });
}

/// Endpoints are rewritten both ways, and on events.
#[test]
fn routing_table_dispatcher_sends_what_vumis_sent() {
    in_both_orders("routing-table-dispatcher", |stage: Stage| routing_table(stage, "nack_unroutable: false\n", false));
}

/// Deliberately unlike Vumi: whoever sends to an endpoint that is not in the table is told so by a nack, where Vumi
/// dropped the message without a word; `nack_unroutable: false` has Vumi's silence (specification: routers, section B).
#[test]
fn routing_table_dispatcher_also_nacks_unless_told_not_to() {
    routing_table(Stage::open("routing-table-dispatcher", Order::VumiFirst), "", true);
}

fn routing_table(mut stage: Stage, more: &str, nacks: bool) {
    let host = stage.worker("vumi.dispatchers.RoutingTableDispatcher", &format!("{TABLE}{more}"));
    let [inbound, outbound, event] = &stage.capture.publishes.clone()[..] else { panic!("three publishes") };
    let sent = |endpoint: &str, content: &str| {
        let (endpoint, content) = (json!({"endpoint_name": endpoint}), json!(content));
        plain_message("app1.outbound", "telnet", &[("routing_metadata", endpoint), ("content", content)])
    };
    let unknown = sent("unknown", "out on unknown endpoint");
    let mut ack = event.payload();
    ack["routing_metadata"] = json!({});
    let ack = vumi_message::json::to_text(&ack);
    let ack =
        Publish { step: "sent to telnet.event".into(), routing_key: "telnet.event".into(), body: ack, ..event.clone() };
    let by_hand =
        [plain_message("telnet.inbound", "telnet", &[]), sent("ep-a", "out on ep-a"), unknown.clone(), ack.clone()];
    let sizes: Vec<_> = by_hand.iter().map(|sent| (sent.routing_key.clone(), sent.body.len() as u64)).collect();
    assert_eq!(stage.capture.delivered, sizes, "what was sent to Vumi had these lengths");

    let [first, second, ..] = &by_hand;
    stage.publish(first);
    stage.expect(inbound, Made::Elsewhere);
    stage.publish(second);
    stage.expect(outbound, Made::Elsewhere);
    stage.publish(&unknown);
    if nacks {
        let nack = stage.peer.next("app1.event").payload();
        assert_eq!((&nack["event_type"], &nack["user_message_id"]), (&json!("nack"), &unknown.payload()["message_id"]));
        assert_eq!(nack["nack_reason"], "No routing information for endpoint 'unknown' on 'app1'");
    } else {
        // On a queue of its own: the event must not come first.
        stage.drained("app1.outbound");
    }
    stage.publish(&ack);
    stage.expect(event, Made::Elsewhere);
    assert_eq!(stage.compare.count, 3);
    stage.end(host);
}
