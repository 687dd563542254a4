//! The demonstration applications: what they count, and the guests themselves.

use std::sync::Arc;

use vumi_core::{KvStore, Outcome, SystemClock};
use vumi_message::{NewUserMessage, SessionEvent, UserMessage};
use vumi_store::MemoryBounds;

use super::rig::in_session;
use crate::sandbox::kit::{Rig, component};

#[path = "../../../guest-examples/word-count/src/count.rs"]
mod count;

const COUNTS: [(&str, &str); 6] = [
    ("one  two\nthree", "3 words, 14 chars"),
    ("a", "1 word, 1 char"),
    ("", "0 words, 0 chars"),
    (" \t", "0 words, 2 chars"),
    ("hé ñandú", "2 words, 8 chars"),
    ("\u{1f600}", "1 word, 1 char"),
];

#[test]
fn check_12_words_and_characters() {
    for (text, sentence) in COUNTS {
        assert_eq!(count::sentence(text), sentence, "{text:?}");
    }
}

fn guest(name: &str) -> Rig {
    let kv: Arc<dyn KvStore> = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
    Rig::of(name, &component(name), kv, |_| {})
}

/// Asks a guest; the text of its reply.
async fn reply(rig: &mut Rig, content: Option<&str>) -> String {
    let new = NewUserMessage { content: content.map(str::to_owned), ..NewUserMessage::default() };
    let answer = rig.give(UserMessage::new(new)).await;
    answer.ended(Outcome::Ok);
    assert_eq!(answer.only().session_event(), None);
    answer.text().to_owned()
}

#[tokio::test]
async fn check_12_word_count_the_guest() {
    let mut rig = guest("word-count");
    for (text, sentence) in COUNTS {
        assert_eq!(reply(&mut rig, Some(text)).await, sentence, "{text:?}");
    }
    assert_eq!(reply(&mut rig, None).await, "Enter text to return word and character counts for:");
    assert!(rig.give(in_session("x", SessionEvent::Close)).await.sent.is_empty());
}

#[tokio::test]
async fn reverse_the_guest() {
    let mut rig = guest("reverse");
    assert_eq!(reply(&mut rig, Some("abc é")).await, "é cba");
    assert_eq!(reply(&mut rig, Some("")).await, "");
    assert_eq!(reply(&mut rig, None).await, "Enter text to reverse:");
    assert!(rig.give(in_session("x", SessionEvent::Close)).await.sent.is_empty());
}
