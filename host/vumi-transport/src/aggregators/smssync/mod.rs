//! SMSSync: Android phones as gateways (transport specification "smssync").
//!
//! The app SMSSync on a phone hands over each SMS that the phone gets, and asks from time to time what it is to send.
//! So messages to users wait in a queue, one for each account, until a request of the account's phone takes them along:
//! - `queue`: the messages that wait, and how they go along with an answer,
//! - `received`: an SMS becomes a message,
//! - here: what both classes do with a request. [`SingleSmsSync`] serves one account, [`MultiSmsSync`] any number of
//!   them, each with a path of its own.

mod multi;
mod queue;
mod received;
mod single;

use std::time::Duration;

use hyper::Method;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use vumi_core::Secret;
use vumi_message::Payload;

use crate::base::values::Decimal;
use crate::http::{Answer, HttpLink, Refusal, Reply, Request};

pub use multi::MultiSmsSync;
pub use single::SingleSmsSync;

use queue::Turns;

/// The account that a request belongs to.
struct Account<'a> {
    /// Its id.
    id: String,
    /// What its phone must know; anybody may say anything where it is empty.
    secret: &'a Secret,
    /// Of numbers without one, without `+`.
    country_code: &'a str,
    /// What its messages carry.
    metadata: Payload,
}

/// Serves a request; `None` where it says no account.
async fn receive(
    account: Option<Account<'_>>,
    reply_delay: f64,
    turns: &Turns,
    request: &Request,
    link: &HttpLink,
) -> Result<Answer, Refusal> {
    let polls = request.first("task") == Some(b"send");
    let account = account.ok_or_else(|| refusal("its path names no account"))?;
    let mut payload = Payload::new();
    if polls {
        payload.insert("task".to_owned(), "send".into());
        payload.insert("secret".to_owned(), account.secret.expose().into());
    } else {
        received::publish(&account, request, link).await?;
        payload.insert("success".to_owned(), "true".into());
        // Time for the app, whose reply then goes along with the answer.
        tokio::time::sleep(Duration::try_from_secs_f64(reply_delay).unwrap_or_default()).await;
    }
    if request.method == Method::HEAD {
        // Its answer has no body, so nothing may go along.
        payload.insert("messages".to_owned(), Value::Array(Vec::new()));
        return Ok(Answer::Now(reply(Value::Object(payload))));
    }
    turns.answer(account.id, payload, request.id.clone(), link.clone()).await;
    Ok(Answer::Hold)
}

/// What the app on the phone takes for a failure: it keeps the SMS, and hands it over again.
fn refusal(reason: &str) -> Refusal {
    Refusal::new(reply(json!({ "success": "false" })), reason)
}

fn reply(payload: Value) -> Reply {
    Reply::json(&json!({ "payload": payload }))
}

/// The longest `reply_delay`, in seconds.
const LONGEST_DELAY: f64 = 60.0;

fn reply_delay<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let delay = Decimal::deserialize(deserializer)?.0.unwrap_or_else(half_a_second);
    if delay > LONGEST_DELAY {
        let text = format!("a reply_delay of {delay} s is too long: the phone waits {LONGEST_DELAY} s at most");
        return Err(serde::de::Error::custom(text));
    }
    Ok(delay)
}

fn half_a_second() -> f64 {
    0.5
}

/// A country code as the helpers for numbers want it.
fn bare(country_code: &str) -> &str {
    country_code.strip_prefix('+').unwrap_or(country_code)
}
