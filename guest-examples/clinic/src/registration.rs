//! Brings a registration to the clinics' web service, and remembers who is registered.
//!
//! The service may be away, and an answer may get lost on the way back. So the request is tried again, and each
//! registration has a key of its own, by which the service knows one that it has already.

use serde::{Deserialize, Serialize};
use serde_json::json;
use vumi_sdk::dialogue::Context;
use vumi_sdk::http::Retry;
use vumi_sdk::prelude::*;

/// What is kept of somebody who is registered: no more than the screens show.
#[derive(Debug, Serialize, Deserialize)]
pub struct Patient {
    name: String,
    /// The number that the service gave.
    number: String,
    town: String,
}

/// What the service answers.
#[derive(Deserialize)]
struct Accepted {
    number: String,
}

impl Patient {
    /// The registration of this user, if there is one.
    pub fn known(user: &str) -> Result<Option<Self>> {
        kv::get(&key(user))
    }

    /// Makes it the answers that the texts name.
    pub fn fill(&self, ctx: &mut Context<'_>) -> Result<()> {
        ctx.set("name", &self.name)?;
        ctx.set("patient", &self.number)?;
        ctx.set("town", &self.town)
    }
}

/// Sends the answers to the service; the answer is the state that follows.
pub fn send(ctx: &mut Context<'_>) -> Result<&'static str> {
    let answer = |name: &str| ctx.answer::<String>(name).unwrap_or_default();
    let (name, town) = (answer("name"), answer("town"));
    let number = match config("url").filter(|url| !url.is_empty()) {
        Some(url) => match ask(ctx, &url) {
            Ok(Some(number)) => number,
            Ok(None) => return Ok("refused"),
            Err(error) => {
                warning!("a registration could not be sent: {error}");
                return Ok("unsent");
            }
        },
        // To try it out without a service.
        None => format!("T-{}", kv::incr("registrations", 1)?),
    };
    let patient = Patient { name, number, town };
    kv::set(&key(ctx.user()), &patient)?;
    metrics::count("registrations")?;
    patient.fill(ctx)?;
    confirm_by_sms(ctx)?;
    Ok("registered")
}

/// The number that the service gives; none when it refuses. An error when it cannot be reached.
fn ask(ctx: &mut Context<'_>, url: &str) -> Result<Option<String>> {
    // The same for every attempt at this registration, also one after the next call.
    if ctx.answer::<String>("key").is_none() {
        let key = ctx.message().id().to_owned();
        ctx.set("key", &key)?;
    }
    let answer = |name: &str| ctx.answer::<String>(name);
    let document = match answer("document").as_deref() {
        Some("id") => json!({"kind": "south-african-id", "number": answer("id-number")}),
        Some("passport") => json!({"kind": "passport", "number": answer("passport")}),
        _ => json!(null),
    };
    let registration = json!({
        "phone": ctx.user(),
        "name": answer("name"),
        "born": answer("birth"),
        "sex": answer("sex"),
        "document": document,
        "clinic": answer("town"),
        "language": ctx.lang(),
    });
    let mut request = http::post(url).header("idempotency-key", answer("key").unwrap_or_default());
    if let Some(token) = config("token") {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = request.json(&registration)?.retry(Retry::default()).send()?;
    match response.status() {
        200..=299 => Ok(Some(response.json::<Accepted>()?.number)),
        // 408 and 429 ask to come back later.
        status @ (400..=407 | 409..=428 | 430..=499) => {
            warning!("the service refused a registration with status {status}");
            Ok(None)
        }
        status => Err(Error::new(format!("the service answered with status {status}"))),
    }
}

/// What the screen says is gone when the session ends; an SMS stays. Needs the endpoint `sms` in the app's `send_to`.
fn confirm_by_sms(ctx: &Context<'_>) -> Result<()> {
    if config("sms").as_deref() == Some("yes") {
        let text = ctx.tr("Tumaini Clinics: your number is {patient}.");
        Send::to(ctx.user()).endpoint("sms").content(text)?;
    }
    Ok(())
}

fn key(user: &str) -> String {
    format!("patient:{user}")
}
