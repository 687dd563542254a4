//! The steps that look at what a transport keeps, or put something there.

use std::time::Duration;

use serde_json::{Map, Value};
use vumi_core::{Change, Keyspace, Op};
use vumi_tests::golden::step::{HashCheck, KvCheck, ListCheck, PutHash, PutKv, PutList};
use vumi_tests::golden::{Bindings, Step, Whole, json};

/// How much of a time to live may have passed when it is looked at.
const PASSED: u64 = 20;

/// Makes a step that puts something.
pub(super) async fn put(step: &Step, keys: &Keyspace, bindings: &mut Bindings) -> Result<(), String> {
    match step {
        Step::PutKv(step) => put_kv(keys, &step.put_kv, bindings).await,
        Step::PutHash(step) => put_hash(keys, &step.put_hash, bindings).await,
        Step::PutList(step) => put_list(keys, &step.put_list, bindings).await,
        _ => Err("this step puts nothing".to_owned()),
    }
}

/// Makes a step that looks at something.
pub(super) async fn look(step: &Step, keys: &Keyspace, bindings: &mut Bindings) -> Result<(), String> {
    match step {
        Step::Kv(step) => kv(keys, &step.kv, bindings).await,
        Step::Hash(step) => hash(keys, &step.hash, bindings).await,
        Step::List(step) => list(keys, &step.list, bindings).await,
        _ => Err("this step looks at nothing".to_owned()),
    }
}

async fn put_kv(keys: &Keyspace, put: &PutKv, bindings: &mut Bindings) -> Result<(), String> {
    let (key, value) = (bindings.fill(&put.key)?, bindings.fill(&put.value)?);
    keys.kv.set(&key, &value, put.ttl.map(Duration::from_secs)).await.map_err(|error| error.report())
}

async fn put_hash(keys: &Keyspace, put: &PutHash, bindings: &mut Bindings) -> Result<(), String> {
    let key = bindings.fill(&put.key)?;
    let mut fields = Vec::new();
    for (field, value) in put.fields.given() {
        fields.push((field.to_owned(), bindings.fill(value)?));
    }
    let mut change = Change::new().then(Op::HashSet { key: key.clone(), fields });
    if let Some(ttl) = put.ttl {
        change = change.then(Op::Expire { key, ttl_ms: ttl * 1000 });
    }
    keys.collections.apply(change).await.map(drop).map_err(|error| error.report())
}

async fn put_list(keys: &Keyspace, put: &PutList, bindings: &mut Bindings) -> Result<(), String> {
    let key = bindings.fill(&put.key)?;
    let values = put.items.iter().map(|item| bindings.fill(item)).collect::<Result<_, _>>()?;
    let change = Change::new().then(Op::PushTail { key, values });
    keys.collections.apply(change).await.map(drop).map_err(|error| error.report())
}

async fn kv(keys: &Keyspace, check: &KvCheck, bindings: &mut Bindings) -> Result<(), String> {
    let key = bindings.fill(&check.key)?;
    let got = keys.kv.get(&key).await.map_err(|error| error.report())?;
    let expected = check.is.clone().unwrap_or_default();
    json(&expected, &got.into(), Whole::All, bindings).map_err(|error| format!("{key}{error}"))?;
    ttl(&key, check.ttl.as_ref(), keys.kv.ttl(&key).await.map_err(|error| error.report())?)
}

async fn hash(keys: &Keyspace, check: &HashCheck, bindings: &mut Bindings) -> Result<(), String> {
    let key = bindings.fill(&check.key)?;
    let fields = keys.collections.hash(&key).await.map_err(|error| error.report())?;
    let fields: Map<String, Value> = fields.into_iter().map(|(field, value)| (field, value.into())).collect();
    let got = if fields.is_empty() { Value::Null } else { Value::Object(fields) };
    let has = check.has.clone().map(|has| (Value::Object(has), Whole::Fields));
    for (expected, whole) in check.is.clone().map(|is| (is, Whole::All)).into_iter().chain(has) {
        json(&expected, &got, whole, bindings).map_err(|error| format!("{key}{error}"))?;
    }
    ttl(&key, check.ttl.as_ref(), keys.collections.ttl(&key).await.map_err(|error| error.report())?)
}

async fn list(keys: &Keyspace, check: &ListCheck, bindings: &mut Bindings) -> Result<(), String> {
    let key = bindings.fill(&check.key)?;
    let got = keys.collections.list(&key, 0, 1000).await.map_err(|error| error.report())?;
    json(&check.is.clone().into(), &got.into(), Whole::All, bindings).map_err(|error| format!("{key}{error}"))
}

fn ttl(key: &str, expected: Option<&Value>, got: Option<Duration>) -> Result<(), String> {
    let wrong = |expected: &Value| Err(format!("{key}: expected a time to live of {expected} s, got {got:?}"));
    match (expected, got.map(|got| got.as_secs_f64().ceil() as u64)) {
        (None, _) | (Some(Value::Null), None) => Ok(()),
        (Some(expected), Some(seconds)) => match expected.as_u64() {
            Some(most) if seconds <= most && seconds + PASSED > most => Ok(()),
            _ => wrong(expected),
        },
        (Some(expected), None) => wrong(expected),
    }
}
