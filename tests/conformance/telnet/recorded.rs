//! What Python Vumi published in the recorded scenarios, and what we publish in the same situation: the same fields
//! with the same values, but for ids, times and ports.

use std::path::Path;

use super::*;

/// Fields whose values cannot be the same.
const VARYING: [&str; 7] =
    ["message_id", "event_id", "timestamp", "from_addr", "to_addr", "user_message_id", "sent_message_id"];

fn recorded(scenario: &str, file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vumi-wire").join(scenario).join(file);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice::<Value>(&text).unwrap()["payload"].take()
}

fn assert_same(ours: &Value, theirs: &Value) {
    let fields = |value: &Value| {
        let mut fields: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        fields.sort();
        fields
    };
    assert_eq!(fields(ours), fields(theirs));
    for (field, value) in theirs.as_object().unwrap() {
        let same_kind = std::mem::discriminant(&ours[field]) == std::mem::discriminant(value);
        assert!(same_kind && (VARYING.contains(&field.as_str()) || ours[field] == *value), "{field}: {}", ours[field]);
    }
}

#[tokio::test]
async fn the_echo_conversation() {
    const SCENARIO: &str = "telnet-echo";
    let mut rig = Rig::start(PLAIN).await;
    let mut client = rig.connect().await;
    let port = |address: &Value| address.as_str().unwrap().split(':').next().map(str::to_owned);
    for (line, inbound, outbound, event) in [
        (None, "01-telnet.inbound.json", "02-telnet.outbound.json", "03-telnet.event.json"),
        (Some("hallo world\r\n"), "04-telnet.inbound.json", "05-telnet.outbound.json", "06-telnet.event.json"),
        (Some("héllo ☃ 😀\r\n"), "07-telnet.inbound.json", "08-telnet.outbound.json", "09-telnet.event.json"),
    ] {
        if let Some(line) = line {
            client.send(line.as_bytes()).await;
        }
        let message = rig.inbound().await;
        let theirs = recorded(SCENARIO, inbound);
        assert_same(&message, &theirs);
        // Host and port in the same form.
        assert_eq!(port(&message["to_addr"]), port(&theirs["to_addr"]));
        assert_eq!(port(&message["from_addr"]), port(&theirs["from_addr"]));

        // The recorded reply, to our client.
        let mut reply = recorded(SCENARIO, outbound);
        reply["to_addr"] = json!(client.address());
        rig.put_body(reply.to_string()).await;
        client.expect(&format!("{}\r\n", reply["content"].as_str().unwrap())).await;
        let ours = rig.event().await;
        assert_same(&ours, &recorded(SCENARIO, event));
        assert_eq!(ours["user_message_id"], reply["message_id"]);
        assert_eq!(ours["sent_message_id"], reply["message_id"]);
    }
    drop(client);
    assert_same(&rig.inbound().await, &recorded(SCENARIO, "10-telnet.inbound.json"));
    rig.stop().await;
}

#[tokio::test]
async fn a_message_to_nobody() {
    let mut rig = Rig::start(PLAIN).await;
    let mut message = recorded("telnet-echo", "02-telnet.outbound.json");
    message["message_id"] = json!("0123456789abcdef0123456789abcdef");
    message["to_addr"] = json!("nobody");
    rig.put_body(message.to_string()).await;
    let ours = rig.event().await;
    let theirs = recorded("telnet-unknown-addr-nack", "01-telnet.event.json");
    assert_same(&ours, &theirs);
    assert_eq!(ours["user_message_id"], theirs["user_message_id"]);
    rig.stop().await;
}
