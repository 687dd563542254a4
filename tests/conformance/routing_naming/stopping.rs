//! Check 10: a worker that stops finishes what it has begun and begins nothing; what it had been delivered waits in its
//! queue for the next start. And a transport takes nothing before its network is there.

use vumi_core::Stack;
use vumi_transport::TransportShared;

use super::kit::on_each_broker;
use super::parts::message;
use crate::backends::until;

on_each_broker! {
    async fn check_10_an_application_stops(bench: Bench) {
        let mut app = bench.app("sms_1", "", Stack::default()).await;
        bench.put("sms_1.inbound", message("hold").to_json()).await;
        bench.put("sms_1.inbound", message("reply next").to_json()).await;
        bench.until_held("sms_1.inbound", (0, 2)).await;
        until("the first is being handled", async || app.part.seen() == ["hold"]).await;
        app.tell_to_stop();
        app.is_still_stopping().await;
        app.part.gate.add_permits(1);
        let part = app.part.clone();
        app.stop().await;
        assert_eq!(part.seen(), ["hold"]);
        bench.until_held("sms_1.inbound", (1, 0)).await;

        let app = bench.app("sms_1", "", Stack::default()).await;
        assert_eq!(bench.take("sms_1.outbound").await["content"], "next");
        bench.until_held("sms_1.inbound", (0, 0)).await;
        app.stop().await;
    }

    async fn check_10_a_transport_stops(bench: Bench) {
        let shared = TransportShared::default();
        let mut transport = bench.transport("sms_1", shared.clone(), Stack::default()).await;
        let (first, next) = (message("hold"), message("next"));
        bench.put("sms_1.outbound", first.to_json()).await;
        bench.put("sms_1.outbound", next.to_json()).await;
        bench.until_held("sms_1.outbound", (0, 2)).await;
        until("the first is being sent", async || transport.part.sent() == ["hold"]).await;
        transport.tell_to_stop();
        transport.is_still_stopping().await;
        transport.part.gate.add_permits(1);
        let part = transport.part.clone();
        transport.stop().await;
        assert_eq!(part.sent(), ["hold"]);
        assert_eq!(bench.take("sms_1.event").await["user_message_id"], first.message_id());
        bench.until_held("sms_1.outbound", (1, 0)).await;

        let transport = bench.transport("sms_1", shared, Stack::default()).await;
        assert_eq!(bench.take("sms_1.event").await["user_message_id"], next.message_id());
        assert_eq!(transport.part.sent(), ["next"]);
        transport.stop().await;
    }

    async fn check_10_a_transport_whose_network_is_away(bench: Bench) {
        let transport = bench.closed_transport("sms_1", TransportShared::default(), Stack::default());
        until("its queues are there", async || bench.queues().await.len() == 4).await;
        bench.put("sms_1.outbound", message("waits").to_json()).await;
        bench.until_held("sms_1.outbound", (1, 0)).await;
        assert!(bench.queues().await.iter().all(|info| info.consumers == 0), "nobody consumes yet");
        transport.part.open();
        bench.take("sms_1.event").await;
        assert_eq!(transport.part.sent(), ["waits"]);
        bench.until_held("sms_1.outbound", (0, 0)).await;
        transport.stop().await;
    }
}
