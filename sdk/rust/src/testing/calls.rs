//! The host's calls, answered by the desk.

use std::time::Duration;

use super::desk::{Fired, Sent, with};
use crate::bindings::vumi::app::types::Error;
use crate::bindings::vumi::app::{http, log, metrics, outbound};

type Result<T> = core::result::Result<T, Error>;

pub(crate) fn kv_get(key: &str) -> Result<Option<String>> {
    Ok(with(|desk| {
        let clock = desk.clock;
        desk.kv.retain(|_, (_, expires)| expires.is_none_or(|expires| expires > clock));
        desk.kv.get(key).map(|(value, _)| value.clone())
    }))
}

pub(crate) fn kv_set(key: &str, value: &str, ttl_seconds: Option<u32>) -> Result<()> {
    if ttl_seconds == Some(0) {
        return Err(Error::Invalid("an expiry of 0 seconds".into()));
    }
    with(|desk| {
        let expires = ttl_seconds.map(|seconds| desk.clock + Duration::from_secs(seconds.into()));
        desk.kv.insert(key.to_owned(), (value.to_owned(), expires));
    });
    Ok(())
}

pub(crate) fn kv_delete(key: &str) -> Result<bool> {
    let there = kv_get(key)?.is_some();
    with(|desk| desk.kv.remove(key));
    Ok(there)
}

pub(crate) fn kv_incr(key: &str, amount: i64) -> Result<i64> {
    let invalid = || Error::Invalid(format!("the value of '{key}' is no whole number"));
    let old: i64 = kv_get(key)?.map_or(Ok(0), |text| text.parse().map_err(|_| invalid()))?;
    let sum = old.checked_add(amount).ok_or_else(invalid)?;
    with(|desk| desk.kv.entry(key.to_owned()).or_default().0 = sum.to_string());
    Ok(sum)
}

pub(crate) fn reply(content: &str, options: &outbound::ReplyOptions) -> Result<String> {
    Ok(send(Sent { closes: options.close_session, ..plain(content) }))
}

pub(crate) fn reply_to_group(content: &str, options: &outbound::ReplyOptions) -> Result<String> {
    Ok(send(Sent { closes: options.close_session, to_group: true, ..plain(content) }))
}

pub(crate) fn send_to(to_addr: &str, content: &str, options: &outbound::SendOptions) -> Result<String> {
    Ok(send(Sent { to_addr: Some(to_addr.to_owned()), endpoint: options.endpoint.clone(), ..plain(content) }))
}

fn plain(content: &str) -> Sent {
    Sent { to_addr: None, content: content.to_owned(), closes: false, to_group: false, endpoint: None }
}

fn send(message: Sent) -> String {
    with(|desk| {
        desk.sent.push(message);
        desk.messages += 1;
        format!("{:032x}", desk.messages)
    })
}

pub(crate) fn request(request: &http::HttpRequest) -> Result<http::HttpResponse> {
    // Taken out while it works: it may use the desk itself.
    let Some(mut answer) = with(|desk| desk.http.take()) else {
        return Err(Error::Denied("no `testing::on_http` answers requests".into()));
    };
    let response = answer(request);
    with(|desk| {
        desk.http.get_or_insert(answer);
    });
    response.map_err(crate::Error::into_contract)
}

pub(crate) fn config(key: &str) -> Option<String> {
    with(|desk| desk.config.get(key).cloned())
}

pub(crate) fn fire(name: &str, value: f64, aggregator: metrics::Aggregator) -> Result<()> {
    with(|desk| desk.fired.push(Fired { name: name.to_owned(), value, aggregator }));
    Ok(())
}

pub(crate) fn log(level: log::Level, text: &str) {
    with(|desk| desk.logs.push((level, text.to_owned())));
}

pub(crate) fn sleep(time: Duration) {
    with(|desk| {
        desk.slept.push(time);
        desk.clock += time;
    });
}

pub(crate) fn elapsed() -> Duration {
    with(|desk| desk.clock)
}
