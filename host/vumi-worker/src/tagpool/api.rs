//! The methods at work: from parameters to operations, and back.

use serde_json::{Value, json};
use vumi_message::Payload;

use super::error::TagPoolError;
use super::methods::{METHODS, Method, find};
use super::pools::TagPools;
use super::rpc::{FAILED, Fault, UNKNOWN_METHOD, answer, read};
use super::tag::Tag;
use super::types::{Given, arguments};

/// Answers one request.
pub(super) async fn respond(pools: &TagPools, body: &[u8]) -> Value {
    let call = match read(body) {
        Ok(call) => call,
        Err(answer) => return answer,
    };
    let outcome = match call.request {
        Ok((method, params)) => run(pools, &method, params).await,
        Err(fault) => Err(fault),
    };
    answer(call.shape, outcome)
}

fn known(name: &str) -> Result<&'static Method, Fault> {
    find(name).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Fault {
    Fault::new(UNKNOWN_METHOD, format!("function {} not found", name.chars().take(100).collect::<String>()))
}

async fn run(pools: &TagPools, name: &str, params: Given) -> Result<Value, Fault> {
    let method = known(name)?;
    let values = arguments(method.params, params).map_err(|text| Fault::new(FAILED, text))?;
    let given = Arguments(values);
    match method.name {
        "system.listMethods" => {
            let mut names: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
            names.sort_unstable();
            Ok(json!(names))
        }
        "system.methodHelp" => Ok(json!(known(given.text(0))?.help())),
        "system.methodSignature" => Ok(json!([known(given.text(0))?.signature()])),
        name => operate(pools, name, &given).await,
    }
}

impl From<TagPoolError> for Fault {
    fn from(error: TagPoolError) -> Self {
        Self::new(FAILED, error.to_string())
    }
}

async fn operate(pools: &TagPools, method: &str, given: &Arguments) -> Result<Value, Fault> {
    let tags = |tags: Vec<Tag>| Value::Array(tags.iter().map(Tag::to_value).collect());
    let tag = |tag: Option<Tag>| tag.map_or(Value::Null, |tag| tag.to_value());
    Ok(match method {
        "acquire_tag" => tag(pools.acquire_tag(given.text(0), given.optional_text(1), given.object(2)).await?),
        "acquire_specific_tag" => {
            tag(pools.acquire_specific_tag(&given.tag(0), given.optional_text(1), given.object(2)).await?)
        }
        "release_tag" => pools.release_tag(&given.tag(0)).await.map(|()| Value::Null)?,
        "declare_tags" => pools.declare_tags(&given.tags(0)).await.map(|()| Value::Null)?,
        "get_metadata" => Value::Object(pools.get_metadata(given.text(0)).await?),
        "set_metadata" => {
            let metadata = given.object(1).cloned().unwrap_or_default();
            pools.set_metadata(given.text(0), &metadata).await.map(|()| Value::Null)?
        }
        "purge_pool" => pools.purge_pool(given.text(0)).await.map(|()| Value::Null)?,
        "list_pools" => json!(pools.list_pools().await?),
        "free_tags" => tags(pools.free_tags(given.text(0)).await?),
        "inuse_tags" => tags(pools.inuse_tags(given.text(0)).await?),
        "acquired_by" => {
            let (owner, reason) = pools.acquired_by(&given.tag(0)).await?;
            json!([owner, reason])
        }
        "owned_tags" => tags(pools.owned_tags(given.optional_text(0)).await?),
        other => return Err(unknown(other)),
    })
}

/// Values whose types are checked.
struct Arguments(Vec<Value>);

impl Arguments {
    fn optional_text(&self, index: usize) -> Option<&str> {
        self.0.get(index).and_then(Value::as_str)
    }

    fn text(&self, index: usize) -> &str {
        self.optional_text(index).unwrap_or_default()
    }

    fn object(&self, index: usize) -> Option<&Payload> {
        self.0.get(index).and_then(Value::as_object)
    }

    fn tag(&self, index: usize) -> Tag {
        self.0.get(index).and_then(Tag::from_value).unwrap_or_else(|| Tag::new("", ""))
    }

    fn tags(&self, index: usize) -> Vec<Tag> {
        let items = self.0.get(index).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(Tag::from_value).collect()
    }
}
