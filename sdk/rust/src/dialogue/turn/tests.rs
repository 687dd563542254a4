//! Conversations over USSD and by SMS, message by message, on the desk in memory.

use std::time::Duration;

use serde_json::{Value, json};

use crate::dialogue::*;
use crate::testing::{self, Phone};
use crate::{Error, kv};

const KEY: &str = "dialogue:+27820000001";

fn kept() -> Value {
    testing::stored(KEY).map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
}

fn counted() -> Vec<String> {
    testing::metrics().into_iter().map(|fired| fired.name).collect()
}

fn base() -> Dialogue {
    Dialogue::new("test")
        .state(Menu::new("menu", "Welcome.").option("Name", "name").option("Read", "book").option("Quit", "bye"))
        .state(FreeText::new("name", "Your name?").validate(check::length(2..=10)).next("sex"))
        .state(
            Choice::new("sex", "{name}, are you")
                .option("f", "Female")
                .option("m", "Male")
                .back()
                .restart()
                .next("bye"),
        )
        .state(Booklet::new("book", "One.").page("Two.").next("menu"))
        .state(End::new("bye", "Bye, {name}."))
}

#[test]
fn a_conversation_is_kept_counted_and_removed_at_its_end() {
    let mut phone = Phone::ussd(base);
    assert_eq!(phone.dial(), "Welcome.\n1. Name\n2. Read\n3. Quit");
    assert_eq!(counted(), ["sessions.new", "states.menu.entered"]);
    assert_eq!(kept(), json!({"version": 1, "state": "menu", "history": [], "answers": {}, "page": 0}));
    assert_eq!(testing::ttl_seconds(KEY), Some(7 * 24 * 60 * 60));
    assert_eq!(phone.say(" name "), "Your name?");
    assert_eq!(phone.say(" Anna "), "Anna, are you\n1. Female\n2. Male\n0. Back\n00. Start again");
    let answers = json!({"menu": "name", "name": "Anna"});
    assert_eq!(
        kept(),
        json!({"version": 1, "state": "sex", "history": ["menu", "name"], "answers": answers, "page": 0})
    );
    assert_eq!(phone.say("2"), "Bye, Anna.");
    assert!(phone.is_closed());
    assert_eq!(kept(), Value::Null);
    let names = ["states.name.entered", "states.sex.entered", "states.bye.entered", "sessions.finished"];
    assert_eq!(counted(), names);
    assert_eq!(testing::logs(), []);
}

#[test]
fn a_wrong_answer_is_asked_for_again_with_the_reason() {
    let mut phone = Phone::ussd(base);
    let menu = phone.dial();
    for wrong in ["4", "01", "+1", "", "x", "99", "0", "00", "1.", "-1", "99999999999999999999999"] {
        assert_eq!(phone.say(wrong), format!("Please choose one of the numbers.\n{menu}"), "{wrong}");
    }
    phone.say("1");
    assert_eq!(phone.say("A"), "Please enter between 2 and 10 characters.\nYour name?");
    assert_eq!(phone.say("  "), "Please write an answer.\nYour name?");
    assert_eq!(phone.say("Anna").lines().next(), Some("Anna, are you"));
}

#[test]
fn back_and_start_again() {
    let mut phone = Phone::ussd(base);
    phone.dial();
    phone.say("1");
    phone.say("Anna");
    counted();
    assert_eq!(phone.say("0"), "Your name?");
    assert_eq!((counted(), kept()["history"].clone()), (vec!["states.name.entered".into()], json!(["menu"])));
    // A free text offers no way back unless it was asked for: `0` is an answer.
    assert_eq!(phone.say("0"), "Please enter between 2 and 10 characters.\nYour name?");
    assert_eq!(phone.say("Berta").lines().next(), Some("Berta, are you"));
    assert!(phone.say("00").starts_with("Welcome."));
    assert_eq!(kept(), json!({"version": 1, "state": "menu", "history": [], "answers": {}, "page": 0}));
}

#[test]
fn a_booklet_is_turned_page_by_page() {
    let mut phone = Phone::ussd(base);
    phone.dial();
    assert_eq!(phone.say("2"), "One.\n99. More");
    assert_eq!(phone.say("1"), "Please choose one of the numbers.\nOne.\n99. More");
    counted();
    assert_eq!(phone.say("99"), "Two.\n1. Continue\n0. Back");
    assert_eq!((counted(), kept()["page"].clone()), (vec![], json!(1)));
    assert_eq!(phone.say("0"), "One.\n99. More");
    phone.say("99");
    assert!(phone.say("1").starts_with("Welcome."));
    assert_eq!(
        (kept()["history"].clone(), kept()["answers"].clone()),
        (json!(["menu", "book"]), json!({"menu": "book"}))
    );
}

#[test]
fn sessions_are_resumed_asked_about_or_restarted() {
    fn ask() -> Dialogue {
        base().on_new(Resume::Ask)
    }
    let mut phone = Phone::ussd(base);
    phone.dial();
    phone.say("2");
    phone.say("99");
    counted();
    phone.hang_up();
    assert_eq!(counted(), ["sessions.closed"]);
    assert_eq!(phone.dial(), "Two.\n1. Continue\n0. Back");
    assert_eq!(counted(), ["sessions.new"]);

    phone.update(ask);
    let question = "Would you like to continue where you were?\n1. Continue\n2. Start again";
    assert_eq!(phone.dial(), question);
    assert_eq!(kept()["asking"], json!(true));
    assert_eq!(phone.say("3"), format!("Please choose one of the numbers.\n{question}"));
    assert_eq!(phone.say("1"), "Two.\n1. Continue\n0. Back");
    assert_eq!(kept().get("asking"), None);
    phone.dial();
    assert!(phone.say("start AGAIN").starts_with("Welcome."));
    // At the start there is nothing to ask about.
    assert!(phone.dial().starts_with("Welcome."));

    phone.say("2");
    phone.update(|| base().on_new(Resume::Restart));
    assert!(phone.dial().starts_with("Welcome."));
    assert_eq!(kept()["history"], json!([]));
}

#[test]
fn a_session_that_goes_on_without_a_conversation_starts_one() {
    let mut phone = Phone::ussd(base);
    assert!(phone.say("1").starts_with("Welcome."));
    assert_eq!(counted(), ["states.menu.entered"]);
    testing::reset();
    phone.hang_up();
    assert_eq!((counted(), kept(), testing::sent()), (vec![], Value::Null, vec![]));
}

#[test]
fn by_sms_the_first_message_starts_and_keywords_are_heard_anywhere() {
    fn sms() -> Dialogue {
        base().keyword("stop", "stopped").state(End::new("stopped", "Stopped."))
    }
    let mut phone = Phone::sms(sms);
    assert!(phone.say("hello").starts_with("Welcome."));
    assert_eq!(counted(), ["sessions.new", "states.menu.entered"]);
    assert_eq!(phone.say("Name"), "Your name?");
    assert_eq!(phone.say("STOP now"), "Stopped.");
    assert_eq!(kept(), Value::Null);
    counted();
    assert_eq!(phone.say("Stop"), "Stopped.");
    assert_eq!(counted(), ["sessions.new", "states.stopped.entered", "sessions.finished"]);
}

#[test]
fn what_expires_starts_again() {
    fn short() -> Dialogue {
        base().ttl(Duration::from_secs(60))
    }
    let mut phone = Phone::ussd(short);
    phone.dial();
    assert_eq!(phone.say("1"), "Your name?");
    testing::advance(Duration::from_secs(59));
    assert_eq!(phone.dial(), "Your name?");
    testing::advance(Duration::from_secs(61));
    assert!(phone.dial().starts_with("Welcome."));
}

#[test]
fn other_versions_restart_or_are_migrated() {
    fn newer() -> Dialogue {
        base().version(2)
    }
    fn migrated() -> Dialogue {
        base().version(3).migrate(|record| {
            record.state = record.state.take().map(|state| if state == "name" { "sex".into() } else { state });
            record.version == 2
        })
    }
    let mut phone = Phone::ussd(base);
    phone.dial();
    phone.say("1");
    phone.update(newer);
    assert!(phone.dial().starts_with("Welcome."));
    assert_eq!(kept()["version"], json!(2));
    phone.say("1");
    phone.update(migrated);
    assert!(phone.dial().starts_with("{name}, are you"));
    assert_eq!((kept()["version"].clone(), kept()["state"].clone()), (json!(3), json!("sex")));
    // Back to an older version of the app.
    phone.update(base);
    assert!(phone.dial().starts_with("Welcome."));
}

#[test]
fn a_state_that_is_gone_and_a_record_that_is_unreadable_restart_with_a_warning() {
    let mut phone = Phone::ussd(base);
    kv::set(KEY, &json!({"version": 1, "state": "gone", "lang": "sw"})).unwrap();
    assert!(phone.dial().starts_with("Welcome."));
    assert_eq!(kept()["lang"], json!("sw"));
    assert!(testing::logs()[0].1.contains("no state 'gone' any more"));
    kv::set(KEY, &json!([1])).unwrap();
    assert!(phone.dial().starts_with("Welcome."));
    assert!(testing::logs()[0].1.contains("is unreadable"));
    assert_eq!(kept()["state"], json!("menu"));
}

#[test]
fn a_failure_is_told_kindly_logged_and_tried_again() {
    fn failing() -> Dialogue {
        Dialogue::new("test").state(FreeText::new("name", "Your name?").next("saved")).state(
            End::new("saved", "Saved.").on_enter(|_| match kv::get("works")? {
                Some(true) => Ok(()),
                _ => Err(Error::new("the clinic is away")),
            }),
        )
    }
    let mut phone = Phone::ussd(failing);
    phone.dial();
    let before = kept();
    counted();
    assert_eq!(phone.say("Anna"), "Something went wrong. Please try again later.");
    assert!(phone.is_closed());
    let log = (crate::log::Level::Error, "dialogue test, at saved: the clinic is away".to_owned());
    assert_eq!((testing::logs(), kept(), counted()), (vec![log], before, vec![]));
    kv::set("works", &true).unwrap();
    assert_eq!(phone.dial(), "Your name?");
    assert_eq!(phone.say("Anna"), "Saved.");
}

#[test]
fn what_a_dialogue_should_not_do_is_an_error() {
    type Build = fn() -> Dialogue;
    let wrongs: [(Build, &str); 5] = [
        (|| Dialogue::new("a"), "'the start' leads to '', but there is no such state"),
        (
            || Dialogue::new("a").state(Choice::new("q", "?").option_to("a", "A", "lost")),
            "'q' leads to 'lost', but there is no such state",
        ),
        (|| Dialogue::new("a").state(Choice::new("q", "?").option("a", "A")), "'q' leads nowhere"),
        (
            || Dialogue::new("a").state(Choice::new("q", "?").option("a", "A").next_with(["b"], |_| Ok("c"))),
            "'q' leads to 'c', which it does not declare",
        ),
        (
            || Dialogue::new("a").state(Choice::new("q", "?").options_with(|_| Ok(vec![Opt::new("a", "A"); 99]))),
            "'q' has 99 options; at most 98 have a number",
        ),
    ];
    for (wrong, reason) in wrongs {
        testing::reset();
        let mut phone = Phone::ussd(wrong);
        phone.dial();
        phone.say("1");
        assert!(testing::logs()[0].1.ends_with(reason), "{reason}");
    }
}

#[test]
fn functions_run_in_their_order_and_see_the_conversation() {
    fn ordered() -> Dialogue {
        fn note(what: &str) -> crate::Result<()> {
            let mut order: Vec<String> = kv::get_or_default("order")?;
            order.push(what.to_owned());
            kv::set("order", &order)
        }
        Dialogue::new("test")
            .state(
                FreeText::new("age", "Age?")
                    .on_enter(|ctx| note(&format!("enter {}", ctx.state())))
                    .validate_with(|ctx, input| {
                        note(&format!("check {input} of {}", ctx.user())).ok();
                        check::number(1..=120)(input)
                    })
                    .on_leave(|ctx| note(&format!("leave with {:?}", ctx.answer::<u8>("age"))))
                    .next_with(["old", "young"], |ctx| {
                        note("next")?;
                        Ok(if ctx.answer::<u8>("age") >= Some(60) { "old" } else { "young" })
                    }),
            )
            .state(End::new("old", "Old.").on_enter(|_| note("enter old")).text_with(|_| {
                note("text")?;
                Ok("Really old.")
            }))
            .state(End::new("young", "Young."))
    }
    let mut phone = Phone::ussd(ordered);
    phone.dial();
    assert_eq!(phone.say("61"), "Really old.");
    let order: Vec<String> = kv::get("order").unwrap().unwrap();
    let expected = ["enter age", "check 61 of +27820000001", "leave with Some(61)", "next", "enter old", "text"];
    assert_eq!(order, expected);
}

#[test]
fn long_screens_are_paged_and_answered_on_any_page() {
    fn long() -> Dialogue {
        Dialogue::new("test")
            .ussd_limit(60)
            .state(
                Choice::new("q", "A question that is long enough for itself")
                    .options_with(|_| {
                        Ok(["alpha", "beta", "gamma", "delta", "epsilon"].map(|label| Opt::new(label, label)).to_vec())
                    })
                    .next("text"),
            )
            .state(
                FreeText::new("text", "Another question that is really long enough for more than one page").next("bye"),
            )
            .state(End::new("bye", "{q} {text} and a text that is so long that it needs more than a page to be read"))
    }
    let mut phone = Phone::ussd(long);
    assert_eq!(phone.dial(), "A question that is long enough for itself\n1. alpha\n99. More");
    assert_eq!(phone.say("99"), "2. beta\n3. gamma\n4. delta\n5. epsilon\n0. Back");
    // Too long with the reason in front: the pages begin anew, the reason first.
    assert_eq!(phone.say("9"), "Please choose one of the numbers.\nA question that\n99. More");
    assert_eq!(kept()["note"], json!("Please choose one of the numbers."));
    assert_eq!(phone.say("99"), "is long enough for itself\n1. alpha\n2. beta\n99. More\n0. Back");
    assert_eq!(phone.say("0"), "Please choose one of the numbers.\nA question that\n99. More");
    assert_eq!(phone.say("5"), "Another question that is really long enough for\n99. More");
    assert_eq!(kept().get("note"), None);
    assert_eq!(phone.say("99"), "more than one page");
    assert_eq!(phone.say("0"), "epsilon 0 and a text that is so long that it needs\n99. More");
    assert!(!phone.is_closed());
    assert_eq!(phone.say("99"), "more than a page to be read");
    assert!(phone.is_closed());
    assert_eq!(kept(), Value::Null);
}

#[test]
fn by_sms_there_is_more_room() {
    fn long() -> Dialogue {
        let text = "word ".repeat(100);
        Dialogue::new("test").sms_segments(2).state(End::new("bye", text))
    }
    let mut phone = Phone::sms(long);
    let first = phone.say("hi");
    assert_eq!(crate::sms::segments(&first), 2);
    assert!(first.ends_with("\n99. More"));
    phone.say("99");
    assert!(phone.is_closed());
}

#[test]
fn languages_are_chosen_configured_and_kept() {
    fn translated() -> Dialogue {
        let swahili = "msgid \"Welcome.\"\nmsgstr \"Karibu.\"\n\nmsgid \"Back\"\nmsgstr \"Rudi\"\n";
        Dialogue::new("test")
            .translations(Translations::new().po("sw", swahili).map("fr", &[("Welcome.", "Bienvenue.")]))
            .back_everywhere()
            .state(
                Choice::new("lang", "Language?")
                    .option("en", "English")
                    .option("sw", "Kiswahili")
                    .sets_language()
                    .next("a"),
            )
            .state(Menu::new("a", "Welcome.").option("Quit", "bye"))
            .state(End::new("bye", "Bye."))
    }
    let mut phone = Phone::ussd(translated);
    phone.dial();
    assert_eq!(phone.say("2"), "Karibu.\n1. Quit\n0. Rudi");
    phone.say("1");
    let after = json!({"version": 1, "state": null, "history": [], "answers": {}, "page": 0, "lang": "sw"});
    assert_eq!(kept(), after);
    phone.dial();
    assert_eq!(phone.say("1"), "Welcome.\n1. Quit\n0. Back");
    testing::reset();
    testing::set_config("lang", "fr-CD");
    phone.dial();
    kv::set(KEY, &json!({"version": 1, "state": "a"})).unwrap();
    assert_eq!(phone.dial(), "Bienvenue.\n1. Quit");
}

#[test]
fn the_history_has_an_end() {
    fn round() -> Dialogue {
        Dialogue::new("test")
            .state(Menu::new("a", "A").option("B", "b").back())
            .state(Menu::new("b", "B").option("A", "a").back())
    }
    let mut phone = Phone::ussd(round);
    phone.dial();
    (0..100).for_each(|_| drop(phone.say("1")));
    assert_eq!(kept()["history"].as_array().unwrap().len(), 20);
    (0..20).for_each(|_| drop(phone.say("0")));
    assert_eq!(kept()["history"], json!([]));
}

#[test]
fn the_graph_shows_every_way_and_every_problem() {
    let dialogue = base()
        .keyword("STOP", "bye")
        .state(Choice::new("odd name", "?").options_with(|_| Ok(vec![])).next_with(["bye", "lost"], |_| Ok("bye")));
    let graph: Value = serde_json::from_str(&dialogue.graph()).unwrap();
    assert_eq!(graph["start"], json!("menu"));
    assert_eq!(graph["states"][3], json!({"name": "book", "kind": "booklet", "text": "One."}));
    let ways = graph["transitions"].as_array().unwrap();
    for way in [
        json!({"from": "menu", "to": "book", "label": "Read"}),
        json!({"from": "name", "to": "sex"}),
        json!({"from": "odd name", "to": "lost"}),
        json!({"from": "menu", "to": "bye", "label": "STOP"}),
    ] {
        assert!(ways.contains(&way), "{way}");
    }
    assert_eq!(
        graph["problems"],
        json!([
            "'odd name' is no name for a state: letters, digits, '-' and '_', at most 80, the first a letter",
            "'odd name' leads to 'lost', but there is no such state"
        ])
    );
    assert_eq!(base().problems(), Vec::<String>::new());
}
