//! The telnet transport in the place of Vumi's; the test is the application behind it.

use serde_json::json;
use vumi_tests::Telnet;

use super::compare::Made;
use super::dispatchers::plain_message;
use super::stage::{Stage, in_both_orders};

const CLASS: &str = "vumi.transports.telnet.TelnetServerTransport";

/// A user connects, writes two lines, of which one is not ASCII, and goes. The captured application answers.
#[test]
fn telnet_transport_says_what_vumis_said() {
    in_both_orders("telnet-echo", |mut stage: Stage| {
        let host = stage.worker(CLASS, "transport_name: telnet\ntelnet_port: 0\n");
        let steps = stage.capture.publishes.clone();
        let transport = steps[0].by;
        let mut client = None;
        for step in &steps {
            match step.kind() {
                "inbound" => {
                    match step.text("session_event").as_deref() {
                        Some("new") => {
                            let telnet = Telnet::connect(host.telnet());
                            stage.compare.text(&step.text("from_addr").unwrap(), &telnet.address());
                            stage.compare.text(&step.text("to_addr").unwrap(), &host.telnet().to_string());
                            client = Some(telnet);
                        }
                        Some("resume") => client.as_mut().unwrap().line(&step.text("content").unwrap()),
                        _ => drop(client.take()),
                    }
                    assert_eq!(step.by, transport);
                    stage.expect(step, Made::ByHost);
                }
                "event" => drop(stage.expect(step, Made::ByHost)),
                _ => {
                    assert_ne!(step.by, transport);
                    stage.publish(step);
                    assert_eq!(client.as_mut().unwrap().read_line(), step.text("content"), "{}", step.step);
                }
            }
        }
        assert_eq!(stage.compare.count, 7);
        stage.end(host);
    });
}

/// A message to somebody who is not connected.
#[test]
fn telnet_transport_nacks_as_vumis_did() {
    in_both_orders("telnet-unknown-addr-nack", |mut stage: Stage| {
        let host = stage.worker(CLASS, "transport_name: telnet\ntelnet_port: 0\n");
        // What was sent to Vumi was not recorded as a publish, but its length, and its id in the nack.
        let nack = stage.capture.step(1).clone();
        let content = json!("in");
        let outbound = plain_message("telnet.outbound", "telnet", &[("content", content)]);
        assert_eq!(outbound.text("message_id"), nack.text("user_message_id"));
        assert_eq!(stage.capture.delivered, [("telnet.outbound".to_owned(), outbound.body.len() as u64)]);
        stage.publish(&outbound);
        stage.expect(&nack, Made::ByHost);
        stage.end(host);
    });
}
