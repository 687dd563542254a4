//! Heartbeats: a worker that has a name says every ten seconds that it is there.

use serde_json::json;

use super::compare::Made;
use super::stage::in_both_orders;

#[test]
fn a_named_worker_sends_vumis_heartbeat() {
    in_both_orders("heartbeat-and-metrics", |mut stage| {
        let worker = "transport_name: metrics_demo\nworker_name: metrics_demo_worker\ntelnet_port: 0\n";
        let host = stage.worker("vumi.transports.telnet.TelnetServerTransport", worker);
        let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("this machine has a name");
        stage.compare.known("hostname", json!(hostname.trim()));
        stage.compare.known("pid", json!(host.pid()));
        let heartbeat = stage.capture.step(5).clone();
        assert_eq!(heartbeat.routing_key, "heartbeat.inbound");
        let first = stage.expect(&heartbeat, Made::ByHost);
        assert!(first.payload()["timestamp"].is_f64(), "seconds with a fraction: {}", first.body);
        stage.end(host);
    });
}
