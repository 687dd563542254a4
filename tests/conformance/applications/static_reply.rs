//! The static reply application.

use vumi_message::{Event, SessionEvent};

use super::rig::{Rig, in_session, message, mistake};

const CONFIG: &str = "class: vumi.demos.static_reply.StaticReplyApplication\nreply_text: Closed.\n";

#[tokio::test]
async fn every_message_gets_the_text_and_the_session_ends() {
    let mut rig = Rig::run(CONFIG).await;
    for original in [message("hi"), in_session("", SessionEvent::New), in_session("2", SessionEvent::Resume)] {
        rig.give(&original).await;
        let reply = rig.next().await;
        assert_eq!(reply.content(), Some("Closed."));
        assert_eq!(reply.session_event(), Some(SessionEvent::Close));
        assert_eq!(reply.in_reply_to(), Some(original.message_id()));
    }
    rig.give(&in_session("", SessionEvent::Close)).await;
    rig.tell(&Event::ack("m1", "n1")).await;
    rig.silent().await;
    rig.stop().await;
}

#[test]
fn mistakes_in_send_to_are_seen_before_anything_is_sent() {
    let sentence = mistake(&format!("{CONFIG}send_to: {{alerts: {{to_addr: '+1'}}}}\n"));
    assert!(sentence.starts_with("send_to, endpoint `alerts`: ") && sentence.contains("to_addr"), "{sentence}");
    let sentence = mistake(&format!("{CONFIG}send_to: {{default: {{provider: 5}}}}\n"));
    assert!(sentence.starts_with("send_to, endpoint `default`: the field 'provider' is invalid"), "{sentence}");
}
