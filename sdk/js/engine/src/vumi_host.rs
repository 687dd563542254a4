//! The module `vumi:host`, which new scripts import (through the SDK): the host's functions, all of them synchronous. A
//! refused call throws an `Error` whose `name` is `HostError` and whose `kind` says why.

use rquickjs::function::Opt;
use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::{Array, Coerced, Ctx, Exception, Function, Module, Object, Result, TypedArray, Value};

use crate::bindings::vumi::app::types::Error;
use crate::bindings::vumi::app::{config, http, kv, log, metrics, outbound};
use crate::natives::{bytes_of, level_of};

/// What it exports, in the order of the contract.
const NAMES: [&str; 11] = [
    "log",
    "kvGet",
    "kvSet",
    "kvDelete",
    "kvIncr",
    "reply",
    "replyToGroup",
    "sendTo",
    "httpRequest",
    "configGet",
    "fireMetric",
];

struct VumiHost;

/// Makes the module known and ready.
pub(crate) fn declare(ctx: &Ctx<'_>) -> Result<()> {
    let (_, ready) = Module::evaluate_def::<VumiHost, _>(ctx.clone(), "vumi:host")?;
    ready.finish::<()>()
}

impl ModuleDef for VumiHost {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        for name in NAMES {
            declarations.declare(name)?;
        }
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        let export =
            |name: &str, function: Result<Function<'js>>| exports.export(name, function?.with_name(name)?).map(|_| ());
        export("log", Function::new(ctx.clone(), write_log))?;
        export("kvGet", Function::new(ctx.clone(), kv_get))?;
        export("kvSet", Function::new(ctx.clone(), kv_set))?;
        export("kvDelete", Function::new(ctx.clone(), kv_delete))?;
        export("kvIncr", Function::new(ctx.clone(), kv_incr))?;
        export("reply", Function::new(ctx.clone(), reply))?;
        export("replyToGroup", Function::new(ctx.clone(), reply_to_group))?;
        export("sendTo", Function::new(ctx.clone(), send_to))?;
        export("httpRequest", Function::new(ctx.clone(), http_request))?;
        export("configGet", Function::new(ctx.clone(), config_get))?;
        export("fireMetric", Function::new(ctx.clone(), fire_metric))
    }
}

type Text = std::string::String;

fn write_log(ctx: Ctx<'_>, level: Text, text: Coerced<Text>) -> Result<()> {
    let known = level_of(&level).ok_or_else(|| {
        invalid(&ctx, &format!("there is no level '{level}': debug, info, warning, error or critical"))
    })?;
    log::log(known, &text.0);
    Ok(())
}

fn kv_get<'js>(ctx: Ctx<'js>, key: Text) -> Result<Value<'js>> {
    let value = kv::get(&key).map_err(|error| refused(&ctx, error))?;
    or_null(&ctx, value)
}

fn kv_set(ctx: Ctx<'_>, key: Text, value: Text, ttl: Opt<Option<f64>>) -> Result<()> {
    let ttl = ttl.0.flatten().map(|seconds| whole(&ctx, "ttlSeconds", seconds)).transpose()?;
    kv::set(&key, &value, ttl).map_err(|error| refused(&ctx, error))
}

fn kv_delete(ctx: Ctx<'_>, key: Text) -> Result<bool> {
    kv::delete(&key).map_err(|error| refused(&ctx, error))
}

fn kv_incr(ctx: Ctx<'_>, key: Text, amount: Opt<Option<f64>>) -> Result<f64> {
    let amount = amount.0.flatten().unwrap_or(1.0);
    if amount.fract() != 0.0 || amount.abs() > 9_007_199_254_740_991.0 {
        return Err(invalid(&ctx, "the amount must be a whole number"));
    }
    kv::incr(&key, amount as i64).map(|sum| sum as f64).map_err(|error| refused(&ctx, error))
}

fn reply<'js>(ctx: Ctx<'js>, content: Opt<Option<Text>>, options: Opt<Option<Object<'js>>>) -> Result<Text> {
    let options = reply_options(&ctx, options.0.flatten())?;
    outbound::reply(content.0.flatten().as_deref(), &options).map_err(|error| refused(&ctx, error))
}

fn reply_to_group<'js>(ctx: Ctx<'js>, content: Opt<Option<Text>>, options: Opt<Option<Object<'js>>>) -> Result<Text> {
    let options = reply_options(&ctx, options.0.flatten())?;
    outbound::reply_to_group(content.0.flatten().as_deref(), &options).map_err(|error| refused(&ctx, error))
}

fn send_to<'js>(
    ctx: Ctx<'js>,
    to: Text,
    content: Opt<Option<Text>>,
    options: Opt<Option<Object<'js>>>,
) -> Result<Text> {
    let mut send = outbound::SendOptions { endpoint: None, helper_metadata: None };
    if let Some(options) = options.0.flatten() {
        send.endpoint = options.get("endpoint")?;
        send.helper_metadata = helper_metadata(&ctx, &options)?;
    }
    outbound::send_to(&to, content.0.flatten().as_deref(), &send).map_err(|error| refused(&ctx, error))
}

fn http_request<'js>(ctx: Ctx<'js>, request: Object<'js>) -> Result<Object<'js>> {
    let method: Option<Text> = request.get("method")?;
    let method = method.unwrap_or_else(|| "GET".into());
    let method = match method.to_ascii_uppercase().as_str() {
        "GET" => http::Method::Get,
        "PUT" => http::Method::Put,
        "DELETE" => http::Method::Delete,
        "HEAD" => http::Method::Head,
        "POST" => http::Method::Post,
        "PATCH" => http::Method::Patch,
        _ => return Err(invalid(&ctx, &format!("the host knows no method '{method}'"))),
    };
    let mut headers = Vec::new();
    if let Some(pairs) = request.get::<_, Option<Array>>("headers")? {
        for pair in pairs.iter::<Array>() {
            let pair = pair?;
            headers.push((pair.get::<Coerced<Text>>(0)?.0, pair.get::<Coerced<Text>>(1)?.0));
        }
    }
    let body: Value = request.get("body")?;
    let body = if body.is_null() || body.is_undefined() {
        None
    } else if let Some(text) = body.as_string() {
        Some(text.to_string()?.into_bytes())
    } else {
        Some(bytes_of(&body).ok_or_else(|| invalid(&ctx, "body must be a Uint8Array, a string or null"))?)
    };
    let timeout: Option<f64> = request.get("timeoutMs")?;
    let timeout_ms = timeout.map(|ms| whole(&ctx, "timeoutMs", ms)).transpose()?;
    let request =
        http::HttpRequest { method, url: request.get::<_, Coerced<Text>>("url")?.0, headers, body, timeout_ms };
    let response = http::request(&request).map_err(|error| refused(&ctx, error))?;
    let object = Object::new(ctx.clone())?;
    object.set("status", response.status)?;
    let headers = Array::new(ctx.clone())?;
    for (index, (name, value)) in response.headers.into_iter().enumerate() {
        let pair = Array::new(ctx.clone())?;
        pair.set(0, name)?;
        pair.set(1, value)?;
        headers.set(index, pair)?;
    }
    object.set("headers", headers)?;
    object.set("body", TypedArray::<u8>::new(ctx, response.body)?)?;
    Ok(object)
}

fn config_get<'js>(ctx: Ctx<'js>, key: Text) -> Result<Value<'js>> {
    or_null(&ctx, config::get(&key))
}

fn fire_metric(ctx: Ctx<'_>, name: Text, value: f64, aggregator: Opt<Option<Text>>) -> Result<()> {
    let aggregator = aggregator.0.flatten();
    let aggregator = match aggregator.as_deref().unwrap_or("sum") {
        "sum" => metrics::Aggregator::Sum,
        "avg" => metrics::Aggregator::Avg,
        "min" => metrics::Aggregator::Min,
        "max" => metrics::Aggregator::Max,
        "last" => metrics::Aggregator::Last,
        other => return Err(invalid(&ctx, &format!("there is no aggregator '{other}': sum, avg, min, max or last"))),
    };
    metrics::fire(&name, value, aggregator).map_err(|error| refused(&ctx, error))
}

fn reply_options<'js>(ctx: &Ctx<'js>, options: Option<Object<'js>>) -> Result<outbound::ReplyOptions> {
    let Some(options) = options else {
        return Ok(outbound::ReplyOptions { close_session: false, helper_metadata: None });
    };
    let close_session = options.get::<_, Option<bool>>("closeSession")?.unwrap_or(false);
    Ok(outbound::ReplyOptions { close_session, helper_metadata: helper_metadata(ctx, &options)? })
}

/// An object, or the text of one.
fn helper_metadata<'js>(ctx: &Ctx<'js>, options: &Object<'js>) -> Result<Option<Text>> {
    let value: Value = options.get("helperMetadata")?;
    if value.is_null() || value.is_undefined() {
        return Ok(None);
    }
    match value.as_string() {
        Some(text) => text.to_string().map(Some),
        None => ctx.json_stringify(value)?.map(|text| text.to_string()).transpose(),
    }
}

fn whole(ctx: &Ctx<'_>, what: &str, number: f64) -> Result<u32> {
    if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number) {
        Ok(number as u32)
    } else {
        Err(invalid(ctx, &format!("{what} must be a whole number that is not negative")))
    }
}

fn or_null<'js>(ctx: &Ctx<'js>, value: Option<Text>) -> Result<Value<'js>> {
    match value {
        Some(text) => Ok(rquickjs::String::from_str(ctx.clone(), &text)?.into_value()),
        None => Ok(Value::new_null(ctx.clone())),
    }
}

fn invalid(ctx: &Ctx<'_>, text: &str) -> rquickjs::Error {
    refused(ctx, Error::Invalid(text.to_owned()))
}

fn refused(ctx: &Ctx<'_>, error: Error) -> rquickjs::Error {
    let (kind, text) = match error {
        Error::Denied(text) => ("denied", text),
        Error::Quota(text) => ("quota", text),
        Error::Invalid(text) => ("invalid", text),
        Error::Unavailable(text) => ("unavailable", text),
    };
    let thrown = Exception::from_message(ctx.clone(), &text).and_then(|exception| {
        let object = exception.into_object();
        object.set("name", "HostError")?;
        object.set("kind", kind)?;
        Ok(object)
    });
    match thrown {
        Ok(object) => ctx.throw(object.into_value()),
        Err(error) => error,
    }
}
