//! A gateway that was told to come again, since the host was busy, must find its session as it was.

use bytes::Bytes;
use serde_json::json;
use vumi_broker::BrokerOptions;
use vumi_core::{Admission, names};
use vumi_tests::golden::client;

use super::rig::{Ground, NAME, address, soon};

#[tokio::test]
async fn a_message_that_was_not_published_leaves_its_session_as_it_was() {
    let ground = Ground::with(BrokerOptions { bound: 1, ..BrokerOptions::default() });
    let config = json!({"class": "safaricom", "web_path": "/saf", "web_port": 0, "inbound_wait_ms": 50});
    let mut rig = ground.launch(config.as_object().unwrap()).await.unwrap();
    let at = address(&rig.ready().await.unwrap()).unwrap();
    let ask = |session: &str, entered: &str| {
        let target = format!("/saf?ORIG=1&DEST=2&SESSION_ID={session}&USSD_PARAMS={entered}");
        client::send(at, format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").into_bytes())
    };
    let kept = async |session: &str| {
        let key = format!("vumi.transports.safaricom:{NAME}:session:{session}");
        ground.keys.collections.hash(&key).await.unwrap().get("last_ussd_params").cloned()
    };

    let first = ask("known", "7").await.unwrap();
    assert_eq!(rig.inbound.next().await.unwrap()["session_event"], "new");
    // Nobody takes this one, so there is no room.
    let filler = Bytes::from(json!({"content": "filler"}).to_string());
    rig.broker.publish(&names::inbound(NAME), filler, Admission::Inside).await.unwrap().await.unwrap();
    for (session, entered) in [("known", "7*a"), ("new", "8")] {
        let answer = soon("a response", ask(session, entered).await.unwrap().response()).await.unwrap().unwrap();
        assert_eq!(answer.status().unwrap(), 503, "{answer}");
        assert_eq!(answer.all("retry-after").collect::<Vec<_>>(), ["5"]);
    }
    assert_eq!(kept("known").await.as_deref(), Some("7"));
    assert_eq!(kept("new").await, None);

    assert_eq!(rig.inbound.next().await.unwrap()["content"], "filler");
    let second = ask("known", "7*a").await.unwrap();
    let message = rig.inbound.next().await.unwrap();
    assert_eq!((&message["session_event"], &message["content"]), (&json!("resume"), &json!("a")));
    let third = ask("new", "8").await.unwrap();
    assert_eq!(rig.inbound.next().await.unwrap()["session_event"], "new");
    drop((first, second, third));
    rig.stop().await.unwrap();
}
