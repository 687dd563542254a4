//! Each feature of the toolkit, in a conversation with an app that uses it (`js/features`). docs/toolkit.md lists the
//! tests of this module by name.

use serde_json::{Value, json};
use vumi_core::{LogLevel, Outcome};
use vumi_message::{Event, SessionEvent};
use vumi_sandbox::Aggregator;

use crate::phone::{CONTEXT, Phone};
use crate::service;

/// What the menu of `states.js` shows.
const MENU: &str = "Which kind?\n1. Choice\n2. Paginated choice\n3. Paginated text\n4. Booklet\n5. Free text\n\
                    6. Delegation\n7. A state that is not there\n8. No reply\n9. A creator that throws";

fn states() -> Phone {
    Phone::feature("states", &json!({"name": "states"}), |_| {})
}

/// The user as the toolkit keeps it in kv.
async fn kept(phone: &Phone, store: &str) -> Value {
    let key = format!("{}users.{store}.+27710000001", phone.rig.app.kv_prefix());
    let text = phone.rig.kv.get(&key).await.expect("kv answers").expect("the user is kept");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test]
async fn a_menu_leads_on() {
    states().talks(&[("", MENU), ("5", "How old are you?")]).await;
}

#[tokio::test]
async fn a_choice_is_made_by_number_or_by_label() {
    let drinks = "Tea or coffee?\n1. Tea\n2. Coffee";
    let wrong = "Please choose one of them.\n1. Tea\n2. Coffee";
    states().talks(&[("", MENU), ("1", drinks), ("3", wrong), ("2", "You said coffee. Bye.")]).await;
    states().talks(&[("", MENU), ("1", drinks), (" tea", "You said tea. Bye.")]).await;
}

#[tokio::test]
async fn a_long_choice_has_pages() {
    let pages = [
        ("", MENU),
        ("2", "Your town?\n1. Accra\n2. Bamako\n3. More"),
        ("3", "Your town?\n1. Cairo\n2. Dakar\n3. More\n4. Back"),
        ("3", "Your town?\n1. Enugu\n2. Back"),
        ("2", "Your town?\n1. Cairo\n2. Dakar\n3. More\n4. Back"),
        ("1", "You said cairo. Bye."),
    ];
    states().talks(&pages).await;
}

#[tokio::test]
async fn a_long_text_has_pages() {
    let pages = [
        ("", MENU),
        ("3", "One two three four five six seven\n1. More\n2. Exit"),
        ("1", "eight nine ten eleven twelve.\n1. Back\n2. Exit"),
        ("1", "One two three four five six seven\n1. More\n2. Exit"),
        ("2", MENU),
    ];
    states().talks(&pages).await;
}

#[tokio::test]
async fn a_booklet_is_leafed_through() {
    let page = |number| format!("Page {number} of 3\n1 back, 2 on, 0 out");
    let (one, two, three) = (page(1), page(2), page(3));
    let pages = [("", MENU), ("4", &*one), ("2", &*two), ("2", &*three), ("2", &*three), ("1", &*two), ("0", MENU)];
    states().talks(&pages).await;
}

#[tokio::test]
async fn a_free_text_is_checked() {
    let turns = [("", MENU), ("5", "How old are you?"), ("old", "A number, please."), ("42", "You said 42. Bye.")];
    states().talks(&turns).await;
}

#[tokio::test]
async fn an_end_state_closes_and_the_next_session_goes_where_it_says() {
    let mut phone = states();
    phone.talks(&[("", MENU), ("5", "How old are you?")]).await;
    let end = phone.says("42").await;
    assert_eq!(end.only().session_event(), Some(SessionEvent::Close));
    assert_eq!(kept(&phone, "states").await["in_session"], json!(false));
    phone.talks(&[("", MENU)]).await;
}

#[tokio::test]
async fn a_state_delegates_to_another() {
    let mut phone = states();
    phone.talks(&[("", MENU), ("6", "Tea or coffee?\n1. Tea\n2. Coffee"), ("1", "You said tea. Bye.")]).await;
    phone.talks(&[("", MENU), ("6", "You said once tea. Bye.")]).await;
}

#[tokio::test]
async fn creator_options_are_kept_between_messages() {
    let mut phone = states();
    phone.talks(&[("", MENU), ("1", "Tea or coffee?\n1. Tea\n2. Coffee"), ("1", "You said tea. Bye.")]).await;
    let state = kept(&phone, "states").await["state"].clone();
    assert_eq!(state, json!({"name": "done", "metadata": {}, "creator_opts": {"what": "tea"}}));
}

#[tokio::test]
async fn an_unknown_state_falls_back_to_the_first_one() {
    let mut phone = states();
    phone.talks(&[("", MENU)]).await;
    let answer = phone.says("7").await;
    assert_eq!(answer.text(), MENU);
    assert_eq!(answer.at(LogLevel::Error), ["Unknown state 'nowhere'. Switching to start state 'menu'."]);
}

#[tokio::test]
async fn what_a_creator_throws_is_logged_and_the_user_told() {
    let mut phone = states();
    phone.talks(&[("", MENU)]).await;
    let answer = phone.says("9").await;
    assert_eq!(answer.text(), "An error occurred. Please try again later.");
    assert_eq!(answer.at(LogLevel::Error), ["the creator is broken"]);
    answer.ended(Outcome::Ok);
}

#[tokio::test]
async fn a_state_may_keep_silent() {
    let mut phone = states();
    phone.talks(&[("", MENU)]).await;
    let answer = phone.says("8").await;
    answer.ended(Outcome::Ok);
    assert!(answer.sent.is_empty());
    phone.talks(&[("anything", MENU)]).await;
}

#[tokio::test]
async fn texts_are_translated() {
    // As `po2json` makes it of a .po file, in the form that jed reads.
    let swahili = json!({
        "": {"domain": "messages", "lang": "sw", "plural_forms": "nplurals=2; plural=(n != 1);"},
        "How many messages?": [null, "Jumbe ngapi?"],
        "You have {{ count }} message. {{ bye }}":
            ["You have {{ count }} messages. {{ bye }}", "Una ujumbe {{ count }}. {{ bye }}", "Una jumbe {{ count }}. {{ bye }}"],
        "farewell\u{4}Bye": [null, "Kwaheri"],
    });
    let mut phone = Phone::feature("translation", &json!({"name": "translation"}), |config| {
        config.config.insert("translation.sw".into(), swahili.to_string());
        // The texts are English; a language that the configuration does not know is an error.
        config.config.insert("translation.en".into(), "null".into());
    });
    let languages = "Which language?\n1. English\n2. Kiswahili";
    // The toolkit does not wait for the new language's texts before it shows the next state: as on node, they come with
    // the message after.
    phone.talks(&[("", languages), ("2", "How many messages?"), ("5", "Una jumbe 5. Kwaheri")]).await;
    assert_eq!(kept(&phone, "translation").await["lang"], json!("sw"));
    let sw = [("", languages), ("2", "Jumbe ngapi?"), ("1", "Una ujumbe 1. Kwaheri")];
    phone.talks(&sw).await;
    phone.talks(&[("", languages), ("1", "Jumbe ngapi?"), ("1", "You have 1 message. Bye")]).await;
}

async fn told(phone: &mut Phone, request: &str) -> Value {
    phone.dials().await.ended(Outcome::Ok);
    let answer = phone.says(request).await;
    answer.ended(Outcome::Ok);
    serde_json::from_str(answer.text()).expect("JSON")
}

async fn http() -> Phone {
    let base = format!("http://{}", service::serve().await);
    Phone::feature("http", &json!({"name": "http", "service": base}), |config| config.http.allow = vec![base.clone()])
}

#[tokio::test]
async fn http_requests_by_each_method() {
    let mut phone = http().await;
    for (request, method, body) in [("get", "GET", ""), ("post", "POST", "plain")] {
        let reply = told(&mut phone, request).await;
        let echo: Value = serde_json::from_str(reply["data"].as_str().expect("text")).expect("JSON");
        assert_eq!((reply["code"].as_u64(), &echo["method"], &echo["body"]), (Some(200), &json!(method), &json!(body)));
        assert_eq!(echo["app"], json!("text"), "a header of the app's");
    }
    let got: Value = told(&mut phone, "get").await;
    assert!(got["data"].as_str().expect("text").contains(r#""query":"q=a%20b&n=1&n=2""#), "{got}");
    assert_eq!(told(&mut phone, "head").await, json!({"code": 200, "data": ""}));
}

#[tokio::test]
async fn json_requests_with_a_password() {
    let mut phone = http().await;
    let json_type = "application/json; charset=utf-8";
    for (request, method, body) in
        [("put", "PUT", r#"{"name":"Zoë"}"#), ("patch", "PATCH", "[1,null]"), ("delete", "DELETE", "")]
    {
        let reply = told(&mut phone, request).await;
        let echo = &reply["data"];
        assert_eq!((&echo["method"], &echo["body"], &echo["type"]), (&json!(method), &json!(body), &json!(json_type)));
        assert_eq!(echo["authorization"], json!("Basic YW5uYTpHcsO2w59l"));
    }
}

#[tokio::test]
async fn failed_requests_are_errors_to_the_app() {
    let mut phone = http().await;
    let teapot = told(&mut phone, "teapot").await;
    assert_eq!((&teapot["error"], &teapot["code"]), (&json!("HttpResponseError"), &json!(418)));
    let broken = told(&mut phone, "broken").await;
    assert_eq!(broken["error"], json!("HttpResponseError"));
    assert!(broken["text"].as_str().expect("text").contains("Could not parse response"), "{broken}");
    let blocked = told(&mut phone, "blocked").await;
    assert_eq!(blocked["error"], json!("HttpRequestError"));
    assert!(blocked["text"].as_str().expect("text").contains("Blocked"), "{blocked}");
}

#[tokio::test]
async fn a_user_is_kept_between_sessions() {
    let mut phone = Phone::feature("user", &json!({"name": "user", "user_ttl": 900}), |_| {});
    phone.talks(&[("", "Your name?"), ("Anna", "Hello Anna, name 1, visit 1, motto null")]).await;
    let user = kept(&phone, "user").await;
    assert_eq!((&user["answers"], &user["metadata"]), (&json!({"name": "Anna"}), &json!({"visits": 1})));
    let key = format!("{}users.user.+27710000001", phone.rig.app.kv_prefix());
    let left = phone.rig.kv.ttl(&key).await.expect("kv answers").expect("it expires");
    assert!(left.as_secs() > 600 && left.as_secs() <= 900, "user_ttl: {left:?}");
}

#[tokio::test]
async fn keys_are_kept_counted_and_deleted() {
    let mut phone = Phone::feature("user", &json!({"name": "user"}), |_| {});
    let turns = [
        ("", "Your name?"),
        ("Anna", "Hello Anna, name 1, visit 1, motto null"),
        ("", "Forget the motto?"),
        ("Hope", "Your name?"),
        ("Ben", r#"Hello Ben, name 2, visit 2, motto {"text":"Hope"}"#),
        ("", "Forget the motto?"),
        ("yes", "Your name?"),
        ("Eva", "Hello Eva, name 3, visit 3, motto null"),
    ];
    phone.talks(&turns).await;
}

#[tokio::test]
async fn reset_forgets_the_user() {
    let mut phone = Phone::feature("user", &json!({"name": "user"}), |_| {});
    phone.talks(&[("", "Your name?"), ("Anna", "Hello Anna, name 1, visit 1, motto null")]).await;
    phone.talks(&[("!reset", "Your name?"), ("Ben", "Hello Ben, name 2, visit 1, motto null")]).await;
}

#[tokio::test]
async fn metrics_by_each_aggregator_and_into_another_store() {
    let mut phone =
        Phone::feature("metrics", &json!({"name": "shop"}), |config| config.metrics_prefix = Some("p".into()));
    phone.talks(&[("", "Count?"), ("3", "Count?")]).await;
    let fired = phone.rig.datapoints.take();
    let fired: Vec<_> = fired.iter().map(|point| (point.name.as_str(), point.value, point.aggregator)).collect();
    let expected = [
        ("p.stores.shop.plain", 3.0, Aggregator::Avg),
        ("p.stores.shop.sum", 3.0, Aggregator::Sum),
        ("p.stores.shop.avg", 3.0, Aggregator::Avg),
        ("p.stores.shop.min", 3.0, Aggregator::Min),
        ("p.stores.shop.max", 3.0, Aggregator::Max),
        ("p.stores.shop.last", 3.0, Aggregator::Last),
        ("p.stores.shop.inc", 1.0, Aggregator::Last),
        ("p.stores.shop.inc", 4.0, Aggregator::Last),
        ("p.stores.elsewhere.sum", 3.0, Aggregator::Sum),
    ];
    assert_eq!(fired, expected);
}

#[tokio::test]
async fn messages_to_others_through_endpoints() {
    let mut phone = Phone::feature("outbound", &json!({"name": "outbound"}), |config| {
        config.send_to.insert("sms".into(), std::collections::BTreeMap::new());
        config.allowed_helper_metadata = vec!["voice".into()];
    });
    phone.dials().await.ended(Outcome::Ok);
    let answer = phone.says("hi").await;
    answer.ended(Outcome::Ok);
    let sent: Vec<_> = answer.sent.iter().map(|sent| (sent.to_addr(), sent.content(), sent.endpoint())).collect();
    let (user, other) = (Some("+27710000001"), Some("+27000"));
    let first = [(user, Some("To you: hi"), "sms"), (other, Some("To another: hi"), "sms")];
    assert_eq!(sent[..2], first);
    assert_eq!((sent.len(), sent[2].1), (3, Some("Send what?")));
    assert_eq!(answer.at(LogLevel::Warning), ["ApiError: Endpoint 'fax' not configured"]);
}

#[tokio::test]
async fn a_state_gives_its_reply_helper_metadata() {
    let mut phone = Phone::feature("outbound", &json!({"name": "outbound"}), |config| {
        config.allowed_helper_metadata = vec!["voice".into()];
    });
    let answer = phone.dials().await;
    let sent: Value = serde_json::from_str(&answer.only().to_json()).expect("JSON");
    assert_eq!(sent["helper_metadata"]["voice"], json!({"speech_url": "https://example.org/hello.mp3"}));
}

fn events() -> Phone {
    Phone::feature("events", &json!({"name": "events"}), |_| {})
}

#[tokio::test]
async fn events_of_users_sessions_and_states() {
    let mut phone = events();
    let new = phone.dials().await;
    let expected =
        ["setup", "user:new", "state:enter", "session:new", "state:show Go on?", "reply Go on?", "im:shutdown"];
    assert_eq!(new.at(LogLevel::Debug), expected.map(|event| format!("event {event}")));

    let again = phone.says("no").await;
    assert_eq!(again.text(), "Please do.");
    let seen = again.at(LogLevel::Debug);
    for event in ["user:load", "state:resume", "session:resume", "state:input no", "state:invalid"] {
        assert!(seen.contains(&format!("event {event}").as_str()), "{event} of {seen:?}");
    }

    let end = phone.says("yes").await;
    let seen = end.at(LogLevel::Debug);
    for event in ["state:exit", "state:enter", "session:close by app"] {
        assert!(seen.contains(&format!("event {event}").as_str()), "{event} of {seen:?}");
    }
}

#[tokio::test]
async fn a_user_who_hangs_up_is_told_to_the_app() {
    let mut phone = events();
    phone.dials().await.ended(Outcome::Ok);
    let answer = phone.hangs_up().await;
    answer.ended(Outcome::Ok);
    assert!(answer.sent.is_empty());
    assert!(answer.at(LogLevel::Debug).contains(&"event session:close by user"));
}

#[tokio::test]
async fn acknowledgements_reach_the_app() {
    let mut phone = events();
    let answer = phone.rig.tell(Event::ack("m1", "network-1")).await;
    answer.ended(Outcome::Ok);
    assert!(answer.at(LogLevel::Debug).contains(&"event ack of m1"), "{:?}", answer.logs);
}

#[tokio::test]
async fn exit_runs_at_the_end_of_each_message() {
    let mut phone = events();
    for _ in 0..2 {
        assert_eq!(phone.dials().await.at(LogLevel::Critical), ["exit"]);
    }
}

fn library() -> Phone {
    Phone::feature("library", &json!({"name": "library"}), |_| {})
}

#[tokio::test]
async fn log_lines_at_each_level() {
    let mut phone = library();
    phone.dials().await.ended(Outcome::Ok);
    let answer = phone.says("log").await;
    for (level, name) in [
        (LogLevel::Debug, "debug"),
        (LogLevel::Info, "info"),
        (LogLevel::Warning, "warning"),
        (LogLevel::Error, "error"),
        (LogLevel::Critical, "critical"),
    ] {
        assert!(answer.at(level).contains(&format!("at {name}").as_str()), "{name}");
    }
    assert!(answer.at(LogLevel::Info).contains(&"at info again"));
}

#[tokio::test]
async fn helpers_and_models() {
    let helpers = r#"["Basic YW5uYTpzZWNyZXQ=","2026-01-31 08:00:00.0000",true,false]"#;
    library().talks(&[("", "Which part?"), ("utils", helpers)]).await;
    library().talks(&[("", "Which part?"), ("model", r#"[{"name":"nobody"},{"name":"Anna"}]"#)]).await;
}

#[tokio::test]
async fn the_libraries_that_apps_were_given() {
    let made = r#"[[[1,2],[3]],"Saturday 2026-02-28","1"]"#;
    library().talks(&[("", "Which part?"), ("libraries", made)]).await;
}

#[tokio::test]
async fn the_clock_and_chance_are_each_messages_own() {
    library().talks(&[("", "Which part?"), ("time", "[true,false]")]).await;
}

/// Each of the stores' requests, through the host.
#[tokio::test]
async fn contacts_and_groups_are_kept() {
    let mut phone = Phone::feature("contacts", &json!({"name": "contacts"}), |_| {});
    let parts = [
        ("user", "+27710000001 unnamed null"),
        ("name", "Zoë of Cape Town, weekly"),
        ("user", "+27710000001 Zoë Cape Town"),
        ("others", "@zoe Contact not found +27 1"),
        ("search", "Zoë,Anakin Anakin"),
        ("groups", "friends 2 enemies 0 friends,enemies foes true"),
        ("class", "Unsupported delivery class (got: pigeon with address Coo)"),
    ];
    for (part, said) in parts {
        phone.talks(&[("", "Which part?"), (part, said)]).await;
    }
}

/// An app without the toolkit.
#[tokio::test]
async fn requests_and_callbacks() {
    let mut phone = Phone::feature("raw", &json!({}), |_| {});
    phone.talks(&[("one", "one 1"), ("two", "two 2")]).await;
}

/// The toolkit as part of the app's own script, as bundlers make it, instead of the host's copy.
#[tokio::test]
async fn a_bundle_brings_its_own_toolkit() {
    let bundle = crate::bundles::bundle("bundled");
    let mut phone = Phone::with("states", bundle, CONTEXT, &json!({"name": "states"}), |_| {});
    phone.talks(&[("", MENU), ("5", "How old are you?"), ("42", "You said 42. Bye.")]).await;
}
