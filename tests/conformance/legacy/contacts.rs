//! The resources `contacts` and `groups`, as the toolkit asks for them.

use serde_json::{Value, json};
use vumi_core::{LogLevel, Outcome};
use vumi_sandbox::{AppConfig, RecordRule, TapeDocument};

use super::rig::{REQUESTS, app, replies};
use crate::sandbox::kit::{Answer, Rig, bytes, sandbox};

fn requests(change: impl FnOnce(&mut AppConfig)) -> Rig {
    app(REQUESTS, None, change).unwrap_or_else(|error| panic!("{error}"))
}

/// Makes requests in one run that ends well.
async fn ask(rig: &mut Rig, requests: Value) -> (Vec<Value>, Answer) {
    let answer = rig.ask(&requests.to_string()).await;
    answer.ended(Outcome::Ok);
    let replies = replies(&answer);
    assert_eq!(replies.len(), requests.as_array().unwrap().len());
    (replies, answer)
}

/// One request.
async fn one(rig: &mut Rig, cmd: &str, arguments: Value) -> Value {
    ask(rig, json!([[cmd, arguments]])).await.0.remove(0)
}

#[track_caller]
fn reason(reply: &Value) -> &str {
    assert_eq!(reply["success"], json!(false), "{reply}");
    reply["reason"].as_str().unwrap()
}

fn sms(address: &str) -> Value {
    json!({"addr": address, "delivery_class": "sms"})
}

#[tokio::test]
async fn a_contact_is_made_found_changed_and_searched_for() {
    let mut rig = requests(|_| {});
    assert_eq!(reason(&one(&mut rig, "contacts.get", sms("27001")).await), "Contact not found");

    let made = one(&mut rig, "contacts.get_or_create", sms("27001")).await;
    assert_eq!((&made["success"], &made["created"]), (&json!(true), &json!(true)));
    let contact = &made["contact"];
    assert_eq!((&contact["msisdn"], &contact["user_account"]), (&json!("+27001"), &json!("peer")));
    assert_eq!((&contact["name"], &contact["groups"]), (&Value::Null, &json!([])));
    let key = contact["key"].as_str().unwrap();

    let again = one(&mut rig, "contacts.get_or_create", sms("+27001")).await;
    assert_eq!((&again["created"], &again["contact"]), (&json!(false), contact));
    assert_eq!(&one(&mut rig, "contacts.get", sms("+27001")).await["contact"], contact);
    assert_eq!(&one(&mut rig, "contacts.get_by_key", json!({"key": key})).await["contact"], contact);

    // A whole contact, as the toolkit sends it: what is missing is gone, and the old number finds nobody.
    let whole = json!({"key": key, "user_account": "x", "msisdn": "+27002", "name": "Ann", "extra": {"a": "1"}});
    let saved = one(&mut rig, "contacts.save", json!({"contact": whole})).await;
    assert_eq!((&saved["contact"]["user_account"], &saved["contact"]["extras-a"]), (&json!("peer"), &json!("1")));
    assert_eq!(saved["contact"]["created_at"], contact["created_at"]);
    assert_eq!(reason(&one(&mut rig, "contacts.get", sms("+27001")).await), "Contact not found");
    assert_eq!(one(&mut rig, "contacts.get", sms("+27002")).await["contact"], saved["contact"]);

    let (replies, _) = ask(
        &mut rig,
        json!([
            ["contacts.update", {"key": key, "fields": {"surname": "Moog", "twitter_handle": "@ann"}}],
            ["contacts.update_extras", {"key": key, "fields": {"b": "2"}}],
            ["contacts.update_subscriptions", {"key": key, "fields": {"news": "weekly"}}],
            ["contacts.get", {"addr": "@ann", "delivery_class": "twitter"}],
            ["contacts.new", {"contact": {"name": "Ben", "surname": "Moog"}}],
            ["contacts.search", {"query": "surname:\"Moog\""}],
            ["contacts.search", {"query": "surname:Moog AND extras-a:1"}],
            ["contacts.search", {"query": "surname:Moog", "max_keys": 1}],
            ["contacts.search", {"query": "surname:(a b)"}],
            ["contacts.get", {"addr": "unknown", "delivery_class": "ussd"}],
            ["kv.get", {"key": "count"}],
        ]),
    )
    .await;
    let changed = &replies[3]["contact"];
    let fields = ["name", "surname", "extras-a", "extras-b", "subscription-news"].map(|field| &changed[field]);
    assert_eq!(fields, [&json!("Ann"), &json!("Moog"), &json!("1"), &json!("2"), &json!("weekly")]);
    let ben = &replies[4]["contact"]["key"];
    assert_eq!(replies[4]["contact"]["msisdn"], json!("unknown"));
    assert_eq!(replies[5]["keys"], json!([key, ben]));
    assert_eq!((&replies[6]["keys"], &replies[7]["keys"]), (&json!([key]), &json!([key])));
    assert!(reason(&replies[8]).contains("joined by"));
    assert_eq!(reason(&replies[9]), "Contact not found");
    assert_eq!(replies[10]["value"], Value::Null, "contacts are no keys of the app");
}

#[tokio::test]
async fn groups_have_names_and_members() {
    let mut rig = requests(|_| {});
    assert_eq!(reason(&one(&mut rig, "groups.get_by_name", json!({"name": "a"})).await), "Group not found");
    let made = one(&mut rig, "groups.get_or_create_by_name", json!({"name": "a"})).await;
    let key = made["group"]["key"].as_str().unwrap();
    assert_eq!((&made["created"], &made["group"]["query"]), (&json!(true), &Value::Null));
    let (replies, _) = ask(
        &mut rig,
        json!([
            ["groups.get_or_create_by_name", {"name": "a"}],
            ["contacts.new", {"contact": {"name": "Ann", "groups": [key]}}],
            ["contacts.new", {"contact": {"name": "Ben"}}],
            ["groups.count_members", {"key": key}],
            ["groups.update", {"key": key, "name": "b", "query": "name:*"}],
            ["groups.count_members", {"key": key}],
            ["groups.get_by_name", {"name": "a"}],
            ["groups.get_by_name", {"name": "b"}],
            ["groups.get", {"key": key}],
            ["groups.list", {}],
            ["groups.search", {"query": "name:a"}],
            ["groups.update", {"key": key, "query": "?"}],
        ]),
    )
    .await;
    assert_eq!((&replies[0]["created"], &replies[0]["group"]), (&json!(false), &made["group"]));
    assert_eq!((&replies[3]["count"], &replies[5]["count"]), (&json!(1), &json!(2)));
    assert_eq!(reason(&replies[6]), "Group not found");
    let group = &replies[4]["group"];
    assert_eq!((&replies[7]["group"], &replies[8]["group"], &replies[9]["groups"]), (group, group, &json!([group])));
    assert_eq!(replies[10]["groups"], json!([]));
    assert!(reason(&replies[11]).contains("query"));
}

#[tokio::test]
async fn wrong_commands_are_refused() {
    let mut rig = requests(|config| config.limits.kv_value = bytes(1_000));
    for (cmd, arguments, said) in [
        (
            "get",
            json!({"addr": "x", "delivery_class": "pigeon"}),
            "Unsupported delivery class (got: pigeon with address x)",
        ),
        ("get_or_create", json!({"addr": "x"}), "Unsupported delivery class (got: undefined with address x)"),
        ("get", json!({"delivery_class": "sms"}), "'addr' must be a string."),
        ("get", sms(&"7".repeat(2_000)), "the key has 2001 bytes, at most 1024 are allowed"),
        ("get_by_key", json!({"key": "x"}), "Contact not found"),
        ("get_by_key", json!({}), "'key' must be a string."),
        ("save", json!({"contact": {"name": "x"}}), "'contact.key' must be a string."),
        ("save", json!({"contact": {"key": "x"}}), "Contact not found"),
        ("update", json!({"key": "x", "fields": {}}), "Contact not found"),
        ("update_extras", json!({"key": "x", "fields": {"a": 1}}), "the contact's field `extras-a` must be text"),
        ("new", json!({"contact": {"name": {}}}), "the contact's field `name` must be text"),
        ("search", json!({}), "'query' must be a string."),
        ("search", json!({"query": "a:b", "max_keys": -1}), "'max_keys' must be a whole number."),
    ] {
        assert_eq!(reason(&one(&mut rig, &format!("contacts.{cmd}"), arguments).await), said);
    }
    let large = one(&mut rig, "contacts.new", json!({"contact": {"msisdn": "27", "name": "x".repeat(1_000)}})).await;
    assert!(reason(&large).contains("the limit kv_value is 1000"), "{large}");
    assert_eq!(reason(&one(&mut rig, "contacts.get", sms("27")).await), "Contact not found");
}

#[tokio::test]
async fn contacts_are_bounded_and_each_apps_own() {
    let mut rig = requests(|config| config.legacy.contacts_hard = Some(3));
    let (replies, answer) = ask(
        &mut rig,
        json!([
            ["contacts.get_or_create", sms("1")],
            ["contacts.get_or_create", sms("2")],
            ["contacts.get_or_create", sms("3")],
            ["contacts.new", {"contact": {}}],
            ["contacts.get", sms("3")],
            ["contacts.get_or_create", sms("2")],
        ]),
    )
    .await;
    assert_eq!((reason(&replies[2]), reason(&replies[3])), ("Too many contacts", "Too many contacts"));
    assert_eq!(reason(&replies[4]), "Contact not found");
    assert_eq!(replies[5]["created"], json!(false));
    assert!(answer.at(LogLevel::Error).join("\n").contains("Hard limit of 3 contacts"), "{:?}", answer.logs);

    let key = replies[0]["contact"]["key"].clone();
    let mut other = app_on(&rig, "other");
    assert_eq!(reason(&one(&mut other, "contacts.get", sms("1")).await), "Contact not found");
    assert_eq!(reason(&one(&mut other, "contacts.get_by_key", json!({"key": key})).await), "Contact not found");
    assert_eq!(one(&mut other, "contacts.search", json!({"query": "msisdn:*"})).await["keys"], json!([]));
    let mut same = app_on(&rig, "peer");
    assert_eq!(one(&mut same, "contacts.get", sms("1")).await["contact"]["key"], key);
}

#[tokio::test]
async fn a_search_among_many_is_more_than_one_host_call() {
    let mut rig = requests(|_| {});
    let made: Vec<Value> =
        (0..250).map(|number| json!(["contacts.new", {"contact": {"name": format!("n{number}")}}])).collect();
    ask(&mut rig, json!(made)).await;
    let (replies, answer) = ask(&mut rig, json!([["contacts.search", {"query": "name:n*"}]])).await;
    assert_eq!(replies[0]["keys"].as_array().map(Vec::len), Some(250));
    let (_, less) = ask(&mut rig, json!([["contacts.search", {"query": "name:n*", "max_keys": 1}]])).await;
    assert_eq!(answer.run().host_calls, less.run().host_calls + 2);
}

/// Another app on the same store.
fn app_on(rig: &Rig, sandbox_id: &str) -> Rig {
    super::rig::app_on(REQUESTS, None, std::sync::Arc::clone(&rig.kv), |config| {
        config.sandbox_id = Some(sandbox_id.to_owned());
    })
    .unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test]
async fn a_recording_has_the_contacts_that_its_run_saw() {
    let mut rig = requests(|config| config.record = RecordRule::everything());
    let asked = json!([
        ["contacts.get_or_create", sms("1")],
        ["contacts.get", sms("2")],
        ["contacts.search", {"query": "msisdn:*"}],
        ["groups.get_or_create_by_name", {"name": "a"}],
    ]);
    let (_, answer) = ask(&mut rig, asked).await;
    let recording = rig.tapes.take().pop().expect("it was recorded");
    let tape = TapeDocument::parse(&recording.tape).unwrap();
    let called: Vec<&str> =
        tape.calls.iter().map(|call| call.call.as_str()).filter(|call| *call != "log.log").collect();
    assert_eq!(called, ["contacts.get_or_create", "contacts.get", "contacts.search", "groups.get_or_create_by_name"]);
    let component = rig.app.plan().live.component.clone();
    let replayed = sandbox().replay(&component, &tape).await.unwrap();
    assert!(replayed.departures.is_empty(), "{:?}", replayed.departures);
    assert_eq!((replayed.outcome, replayed.host_calls), (Outcome::Ok, answer.run().host_calls));
}
