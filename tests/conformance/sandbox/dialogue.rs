//! The dialogue kit of the Rust SDK in the real sandbox: a guest with every kind of state (`tests/guests/dialogue`), an
//! instance for each message, what is kept in kv. The rules are those of `docs/dialogues.md`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use vumi_core::{Clock, LogLevel, Outcome};
use vumi_message::{NewUserMessage, SessionEvent, Timestamp, UserMessage};
use vumi_store::{MemoryBounds, kv_in_memory};

use super::kit::{Answer, Rig, component, sandbox};

/// Where the host keeps what the guest keeps under `dialogue:+27710000001`.
const KEY: &str = "sandboxes#dialogue#dialogue:+27710000001";

/// Time that only the test moves.
#[derive(Debug)]
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// A user with a phone.
struct Phone {
    rig: Rig,
    clock: Arc<SetClock>,
    closed: bool,
}

fn said(content: Option<&str>, session_event: Option<SessionEvent>) -> UserMessage {
    UserMessage::new(NewUserMessage {
        to_addr: Some("*120*8007#".into()),
        from_addr: Some("+27710000001".into()),
        transport_name: Some("ussd_1".into()),
        transport_type: Some(if session_event.is_some() { "ussd" } else { "sms" }.into()),
        content: content.map(str::to_owned),
        session_event,
        ..NewUserMessage::default()
    })
}

impl Phone {
    fn new(config: &[(&str, &str)]) -> Self {
        let clock = Arc::new(SetClock(AtomicI64::new(1_769_846_400_000_000)));
        let kv = kv_in_memory(MemoryBounds::default(), Arc::clone(&clock) as Arc<dyn Clock>);
        Self { rig: Self::rig(kv, config), clock, closed: true }
    }

    fn rig(kv: Arc<dyn vumi_core::KvStore>, config: &[(&str, &str)]) -> Rig {
        Rig::of("dialogue", &component("dialogue"), kv, |app| {
            app.metrics_prefix = Some("p".into());
            app.config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        })
    }

    /// The app gets another configuration; what it keeps stays.
    fn reconfigure(&mut self, config: &[(&str, &str)]) {
        self.rig = Self::rig(Arc::clone(&self.rig.kv), config);
    }

    async fn give(&mut self, content: Option<&str>, session_event: Option<SessionEvent>) -> Answer {
        let answer = self.rig.give(said(content, session_event)).await;
        answer.ended(Outcome::Ok);
        if let Some(reply) = answer.sent.first() {
            self.closed = reply.session_event() == Some(SessionEvent::Close);
        }
        answer
    }

    async fn dial(&mut self) -> String {
        self.give(None, Some(SessionEvent::New)).await.text().to_owned()
    }

    async fn say(&mut self, text: &str) -> String {
        self.give(Some(text), Some(SessionEvent::Resume)).await.text().to_owned()
    }

    async fn sms(&mut self, text: &str) -> String {
        self.give(Some(text), None).await.text().to_owned()
    }

    async fn kept(&self) -> Value {
        let text = self.rig.kv.get(KEY).await.unwrap();
        text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    fn counted(&self) -> Vec<String> {
        let fired = self.rig.datapoints.take();
        fired.into_iter().map(|fired| fired.name.replace("p.stores.default.", "")).collect()
    }

    fn wait(&self, time: Duration) {
        self.clock.0.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

const MENU: &str = "What would you like?\n1. Register\n2. Tips\n3. Towns\n4. Terms\n5. Language\n6. Fail";

#[tokio::test]
async fn a_registration_from_the_first_screen_to_the_end() {
    let mut phone = Phone::new(&[]);
    assert_eq!(phone.dial().await, MENU);
    assert_eq!(phone.counted(), ["sessions.new", "states.menu.entered"]);
    assert_eq!(phone.say("9").await, format!("Please choose one of the numbers.\n{MENU}"));
    assert_eq!(phone.say("1").await, "Your name?\n0. Back");
    assert_eq!(phone.say("A").await, "Please enter between 2 and 20 characters.\nYour name?\n0. Back");
    assert_eq!(phone.say("Anna").await, "Your age?");
    assert_eq!(phone.say("old").await, "Please enter a number.\nYour age?");
    let children = "Next year you are 42. Children?\n1. None\n2. One\n3. Two\n0. Back\n00. Start again";
    assert_eq!(phone.say("41").await, children);
    let kept = json!({
        "version": 1,
        "state": "children",
        "history": ["menu", "name", "age"],
        "answers": {"menu": "name", "name": "Anna", "age": 41, "older": 42},
        "page": 0
    });
    assert_eq!(phone.kept().await, kept);
    phone.counted();
    assert_eq!(phone.say("two").await, "Anna, 2 children.");
    assert!(phone.closed);
    assert_eq!(phone.counted(), ["states.registered.entered", "sessions.finished"]);
    assert_eq!(phone.kept().await, Value::Null);
    assert_eq!(phone.rig.kv.get("sandboxes#dialogue#patients").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn back_and_start_again() {
    let mut phone = Phone::new(&[]);
    phone.dial().await;
    for text in ["1", "Anna", "41"] {
        phone.say(text).await;
    }
    assert_eq!(phone.say("0").await, "Your age?");
    // This question offers no way back: `0` is an answer to it.
    assert_eq!(phone.say("0").await, "Please enter a number from 1 to 120.\nYour age?");
    assert!(phone.say("30").await.starts_with("Next year you are 31."));
    assert_eq!(phone.say("00").await, MENU);
    assert_eq!(phone.kept().await["answers"], json!({}));
    phone.say("1").await;
    assert_eq!(phone.say("0").await, MENU);
}

const TERMS: &str = "We keep your name, your town and how many children you have, for as long as you are registered. \
                     Nobody but the clinic sees them. Write to us whenever you want to be forgotten, and we forget you \
                     within a day. Do you agree?";

#[tokio::test]
async fn what_is_too_long_becomes_pages() {
    let mut phone = Phone::new(&[]);
    phone.dial().await;
    let first = phone.say("4").await;
    let second = phone.say("99").await;
    assert!(first.chars().count() <= 160 && second.chars().count() <= 160);
    assert!(first.ends_with("\n99. More\n0. Back") && second.ends_with("\n1. I agree\n2. I do not\n0. Back"));
    let text = format!("{} {}", first.replace("\n99. More\n0. Back", ""), second.split('\n').next().unwrap());
    assert_eq!(text, TERMS);
    assert_eq!(phone.say("0").await, first);
    // An answer counts on whatever page.
    assert_eq!(phone.say("2").await, "Goodbye.");
}

#[tokio::test]
async fn a_list_has_so_many_on_each_page_and_keeps_its_numbers() {
    let mut phone = Phone::new(&[]);
    phone.dial().await;
    assert_eq!(phone.say("3").await, "Which town?\n1. Arusha\n2. Bukoba\n3. Dodoma\n4. Iringa\n99. More");
    let second = "Which town?\n5. Kigoma\n6. Lindi\n7. Mbeya\n8. Moshi\n99. More\n0. Back";
    assert_eq!(phone.say("99").await, second);
    phone.counted();
    assert_eq!(phone.say("99").await, "Which town?\n9. Mwanza\n10. Zanzibar\n0. Back");
    assert_eq!(phone.say("0").await, second);
    assert_eq!(phone.counted(), Vec::<String>::new());
    assert_eq!(phone.say("10").await, "Zanzibar is an island.");
}

#[tokio::test]
async fn a_booklet_is_turned_page_by_page() {
    let mut phone = Phone::new(&[]);
    phone.dial().await;
    assert_eq!(phone.say("2").await, "Wash your hands.\n99. More");
    assert_eq!(phone.say("99").await, "Boil the water.\n99. More\n0. Back");
    assert_eq!(phone.say("99").await, "Sleep under a net.\n1. Continue\n0. Back");
    assert_eq!(phone.say("1").await, MENU);
}

#[tokio::test]
async fn a_session_that_broke_off_is_taken_up_again() {
    let mut phone = Phone::new(&[]);
    phone.dial().await;
    phone.say("2").await;
    phone.say("99").await;
    phone.counted();
    let closed = phone.give(None, Some(SessionEvent::Close)).await;
    assert!(closed.sent.is_empty());
    assert_eq!(closed.at(LogLevel::Info), ["closed at tips"]);
    assert_eq!(phone.counted(), ["sessions.closed"]);
    assert_eq!(phone.dial().await, "Boil the water.\n99. More\n0. Back");
    assert_eq!(phone.counted(), ["sessions.new"]);

    phone.reconfigure(&[("on_new", "ask")]);
    assert_eq!(phone.dial().await, "Would you like to continue where you were?\n1. Continue\n2. Start again");
    assert_eq!(phone.say("1").await, "Boil the water.\n99. More\n0. Back");
    phone.reconfigure(&[("on_new", "restart")]);
    assert_eq!(phone.dial().await, MENU);
}

#[tokio::test]
async fn what_nobody_asks_for_expires() {
    let mut phone = Phone::new(&[("ttl", "60")]);
    phone.dial().await;
    phone.say("1").await;
    phone.wait(Duration::from_secs(59));
    assert_eq!(phone.dial().await, "Your name?\n0. Back");
    phone.wait(Duration::from_secs(61));
    assert_eq!(phone.dial().await, MENU);
}

#[tokio::test]
async fn an_older_version_is_migrated_or_starts_again() {
    let mut phone = Phone::new(&[("version", "2")]);
    let old = json!({"version": 1, "state": "surname", "history": ["menu"], "answers": {}, "page": 0});
    phone.rig.kv.set(KEY, &old.to_string(), None).await.unwrap();
    assert_eq!(phone.dial().await, "Your name?\n0. Back");
    assert_eq!((phone.kept().await["version"].clone(), phone.kept().await["state"].clone()), (json!(2), json!("name")));
    phone.reconfigure(&[("version", "3")]);
    assert_eq!(phone.dial().await, MENU);
    assert_eq!(phone.kept().await["version"], json!(3));
}

#[tokio::test]
async fn every_user_has_a_language() {
    let mut phone = Phone::new(&[("lang", "sw")]);
    let menu = "Ungependa nini?\n1. Jiandikishe\n2. Vidokezo\n3. Towns\n4. Terms\n5. Language\n6. Fail";
    assert_eq!(phone.dial().await, menu);
    phone.say("1").await;
    assert_eq!(phone.say("A").await, "Andika herufi 2 hadi 20.\nJina lako?\n0. Rudi");
    phone.say("Asha").await;
    phone.say("30").await;
    assert_eq!(phone.say("2").await, "Asha, mtoto 1.");

    phone.dial().await;
    assert_eq!(phone.say("5").await, "Which language?\n1. English\n2. Kiswahili\n3. Français");
    assert_eq!(phone.say("3").await, MENU);
    assert_eq!(phone.say("1").await, "Votre nom ?\n0. Back");
    assert_eq!(phone.say("stop").await, "You get no more messages.");
    let after = json!({"version": 1, "state": null, "history": [], "answers": {}, "page": 0, "lang": "fr"});
    assert_eq!(phone.kept().await, after);
}

#[tokio::test]
async fn by_sms_there_are_keywords_and_more_room() {
    let mut phone = Phone::new(&[]);
    assert_eq!(phone.sms("hello").await, MENU);
    assert_eq!(phone.counted(), ["sessions.new", "states.menu.entered"]);
    let terms = phone.sms("Terms").await;
    assert!(terms.ends_with("Do you agree?\n1. I agree\n2. I do not\n0. Back"), "{terms}");
    assert_eq!(phone.sms("Stop it!").await, "You get no more messages.");
    assert!(phone.closed);
}

#[tokio::test]
async fn a_failure_is_told_kindly_and_logged() {
    let mut phone = Phone::new(&[]);
    phone.dial().await;
    let before = phone.kept().await;
    phone.counted();
    let answer = phone.give(Some("6"), Some(SessionEvent::Resume)).await;
    assert_eq!(answer.text(), "Something went wrong. Please try again later.");
    assert_eq!(answer.at(LogLevel::Error), ["dialogue every-kind, at broken: on purpose"]);
    assert!(phone.closed);
    assert_eq!((phone.kept().await, phone.counted()), (before, vec![]));
    assert_eq!(phone.dial().await, MENU);
}

#[tokio::test]
async fn what_could_not_be_sent_is_said_when_the_message_comes_again() {
    let mut phone = Phone::new(&[]);
    phone.dial().await;
    let before = phone.kept().await;
    let message = said(Some("1"), Some(SessionEvent::Resume));
    phone.rig.letters.fail(true);
    let answer = phone.rig.give(message.clone()).await;
    assert!(answer.finished.again.is_some() && answer.sent.is_empty());
    assert_eq!(phone.kept().await, before);
    phone.rig.letters.fail(false);
    assert_eq!(phone.rig.give(message).await.text(), "Your name?\n0. Back");
}

#[tokio::test]
async fn the_host_can_draw_it() {
    let graph = sandbox().graph(&component("dialogue")).await.unwrap().expect("it shows its dialogue");
    let graph: Value = serde_json::from_str(&graph).unwrap();
    assert_eq!(graph["start"], json!("menu"));
    assert_eq!(graph.get("problems"), None);
    let kinds: Vec<&str> = graph["states"].as_array().unwrap().iter().map(|s| s["kind"].as_str().unwrap()).collect();
    for kind in ["free-text", "choice", "menu", "paginated-choice", "booklet", "end"] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    let ways = graph["transitions"].as_array().unwrap();
    for way in [
        json!({"from": "menu", "to": "tips", "label": "Tips"}),
        json!({"from": "town", "to": "island"}),
        json!({"from": "children", "to": "bye", "label": "None"}),
        json!({"from": "children", "to": "registered"}),
        json!({"from": "menu", "to": "stopped", "label": "STOP"}),
    ] {
        assert!(ways.contains(&way), "{way}");
    }
}
