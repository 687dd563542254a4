//! Sends the answers to the web service, and remembers who has answered.

use serde_json::{Map, Value, json};
use vumi_sdk::dialogue::Context;
use vumi_sdk::http::Retry;
use vumi_sdk::prelude::*;

use crate::questions::{Questions, state};

/// The first screen's text.
pub fn greeting(user: &str) -> Result<String> {
    Ok(match kv::get::<bool>(&key(user))? {
        Some(true) => "You have answered already, thank you! Would you like to answer again?".into(),
        _ => config("intro")
            .unwrap_or_else(|| "Water in your village: a few short questions. Shall we begin?".to_owned()),
    })
}

/// Sends all answers; the answer is the state that follows.
pub fn send(ctx: &mut Context<'_>, questions: &Questions) -> Result<&'static str> {
    // The same for every attempt: the service knows by it what it has already.
    if ctx.answer::<String>("key").is_none() {
        let key = ctx.message().id().to_owned();
        ctx.set("key", &key)?;
    }
    let sent = answers(ctx, questions);
    match config("url").filter(|url| !url.is_empty()) {
        Some(url) => {
            if let Err(error) = post(ctx, &url, &sent) {
                warning!("answers could not be sent: {error}");
                return Ok("unsent");
            }
        }
        // To try it out without a service.
        None => info!("answers: {sent}"),
    }
    kv::set(&key(ctx.user()), &true)?;
    metrics::count("answers")?;
    Ok("thanks")
}

/// What is sent. A question that was answered and then left out, because an earlier answer changed, is not in it.
fn answers(ctx: &Context<'_>, questions: &Questions) -> Value {
    let answer = |id: &str| ctx.answer::<Value>(&state(id));
    let asked = questions.0.iter().filter(|question| question.is_asked(&answer));
    let answers: Map<String, Value> =
        asked.filter_map(|question| Some((question.id.clone(), answer(&question.id)?))).collect();
    let survey = config("survey").unwrap_or_else(|| "water".to_owned());
    let mut all = json!({ "survey": survey, "network": ctx.message().transport_type(), "answers": answers });
    if config("anonymous").as_deref() != Some("yes")
        && let Some(all) = all.as_object_mut()
    {
        all.insert("phone".to_owned(), json!(ctx.user()));
    }
    all
}

fn post(ctx: &Context<'_>, url: &str, answers: &Value) -> Result<()> {
    let mut request = http::post(url).header("idempotency-key", ctx.answer::<String>("key").unwrap_or_default());
    if let Some(token) = config("token") {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = request.json(answers)?.retry(Retry::default()).send()?;
    if response.is_success() {
        return Ok(());
    }
    Err(Error::new(format!("the service answered with status {}", response.status())))
}

fn key(user: &str) -> String {
    format!("answered:{user}")
}
