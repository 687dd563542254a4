//! What a failure worker keeps in Redis: the recorded keys and ours, brought into one form.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vumi_message::Timestamp;
use vumi_test_servers::Redis;

/// One line a key, sorted: key, type, time to live, content; without what is random or depends on the clock. Two keys may
/// so become the same.
pub(crate) type Records = Vec<String>;

/// The line of a key.
pub(crate) fn record(key: &str, kind: &str, ttl: i64, content: &Value) -> String {
    let mut content = content.clone();
    content.sort_all_objects();
    format!("{} {kind} {ttl} {content}", plain(key))
}

/// The recorded keys.
pub(crate) fn recorded(redis: &Value) -> Records {
    let normal = |(key, value): (&String, &Value)| {
        let content = match value["type"].as_str().unwrap() {
            "hash" => hash(fields(value["value"].as_str().unwrap())),
            "set" => members(texts(&value["value"])),
            "zset" => scores(&texts(&value["value"])),
            other => panic!("{key}: a {other}"),
        };
        record(key, value["type"].as_str().unwrap(), value["ttl"].as_i64().unwrap(), &content)
    };
    sorted(redis.as_object().expect("keys").iter().map(normal).collect())
}

/// All keys of a server.
pub(crate) fn kept(redis: &Redis) -> Records {
    let mut connection =
        redis::Client::open(redis.url(0)).and_then(|client| client.get_connection()).expect("Redis answers");
    let mut ask = |words: &[&str]| {
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        command.query::<redis::Value>(&mut connection).expect("Redis answers")
    };
    let list = |value: redis::Value| redis::from_redis_value::<Vec<String>>(value).expect("texts");
    let mut all = Records::new();
    for key in list(ask(&["KEYS", "*"])) {
        let kind: String = redis::from_redis_value(ask(&["TYPE", &key])).expect("a text");
        let ttl: i64 = redis::from_redis_value(ask(&["TTL", &key])).expect("a number");
        let content = match kind.as_str() {
            "hash" => hash(pairs(&list(ask(&["HGETALL", &key])))),
            "set" => members(list(ask(&["SMEMBERS", &key]))),
            "zset" => scores(&list(ask(&["ZRANGE", &key, "0", "-1", "WITHSCORES"]))),
            "none" => continue,
            other => panic!("{key}: a {other}"),
        };
        all.push(record(&key, &kind, ttl, &content));
    }
    sorted(all)
}

pub(crate) fn sorted(mut records: Records) -> Records {
    records.sort();
    records
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

fn pairs(flat: &[String]) -> BTreeMap<String, String> {
    flat.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

/// A recorded hash is one text: each field's name, a line break, its value.
fn fields(text: &str) -> BTreeMap<String, String> {
    let parts = || {
        let (reason, rest) = text.strip_prefix("reason\n")?.split_once("\nmessage\n")?;
        let (message, delay) = rest.split_once("\nretry_delay\n")?;
        Some([("reason", reason), ("message", message), ("retry_delay", delay)])
    };
    let parts = parts().expect("reason, message, retry_delay");
    parts.map(|(field, value)| (field.to_owned(), value.to_owned())).into()
}

/// The message is JSON whose fields have no order; all else is compared as it is.
fn hash(fields: BTreeMap<String, String>) -> Value {
    let value = |(field, text): (String, String)| match &*field {
        "message" => (field, serde_json::from_str(&text).expect("JSON")),
        _ => (field, json!(text)),
    };
    Value::Object(fields.into_iter().map(value).collect())
}

fn members(mut members: Vec<String>) -> Value {
    members.sort();
    json!(members.iter().map(|member| plain(member)).collect::<Vec<_>>())
}

/// Members and scores. A member is the time of its score.
fn scores(flat: &[String]) -> Value {
    let members = flat.chunks(2).map(|pair| {
        let score: f64 = pair[1].parse().expect("a number");
        assert_eq!(pair[0], Timestamp::from_secs(score as i64).iso_seconds(), "the score is the time");
        plain(&pair[0])
    });
    json!(members.collect::<Vec<_>>())
}

/// A key or member without what is random or depends on the clock: `failure.<time>.<id>`, where the time is that of the
/// failure, and `retry_keys.<time>`, where it is when the retry falls due.
fn plain(key: &str) -> String {
    const TIME: usize = "2026-11-20T18:02:31".len();
    let is_time = |text: &str| text.len() == TIME && text.contains('T') && text.parse::<Timestamp>().is_ok();
    match key.rsplit_once('.') {
        Some((head, id)) if id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit()) => format!("{head}.<id>"),
        Some((head, due)) if is_time(due) => format!("{head}.<due>"),
        None if is_time(key) => "<due>".to_owned(),
        _ => key.to_owned(),
    }
}
