//! Runs a case against a real sandbox and holds what came of it against the table, and against what holds for all.

use std::sync::Arc;
use std::time::Instant;

use vumi_core::{KvStore, LogLevel, Outcome, SystemClock};
use vumi_sandbox::{ComponentCache, LoadedComponent};
use vumi_store::MemoryBounds;

use crate::kit::{Answer, Rig, component, sandbox};

use super::case::{Attack, Case, Expect, WITHIN};
use super::ground::Ground;

/// Keys of another tenant and of the host itself, which no attack may read or change.
const FOREIGN: [(&str, &str); 4] = [
    ("sandboxes#other#k", "\"secret of another tenant\""),
    ("count#other", "7"),
    ("vumi.transports.sms_1:session:+27", "\"secret of a transport\""),
    ("k", "\"secret at the root\""),
];

/// Longest sentence about a component or run, in bytes.
const SENTENCE: usize = 6 << 10;

/// Carries a case out.
pub async fn attempt(case: &Case, ground: &Ground) -> Result<(), String> {
    let began = Instant::now();
    let came = match &case.attack {
        Attack::Component(make) => {
            let bytes = Arc::clone(make);
            let load = move || sandbox().load_bytes(&ComponentCache::none(), &bytes, "hostile.wasm");
            match tokio::task::spawn_blocking(load).await {
                Ok(Ok(component)) => ask(case, &component, ground).await,
                Ok(Err(error)) => refused(case, &error.to_string()),
                Err(panic) => Err(format!("loading panicked: {panic}")),
            }
        }
        Attack::Probe => ask(case, &component("probe"), ground).await,
        Attack::Own(attack) => attack(ground).await,
        Attack::Test(_) => Ok(()),
    };
    let took = began.elapsed();
    came?;
    if took > WITHIN {
        return Err(format!("it took {took:?}"));
    }
    match ground.visitors() {
        0 => Ok(()),
        count => Err(format!("{count} connections came to a server of this machine that no app may reach")),
    }
}

fn refused(case: &Case, text: &str) -> Result<(), String> {
    sentence(text, false)?;
    match &case.expect {
        Expect::Refused(expected) if text.contains(expected) => Ok(()),
        _ => Err(format!("refused: {text}")),
    }
}

/// A sentence for people's screens is not long and cannot steer them.
fn sentence(text: &str, lines: bool) -> Result<(), String> {
    let start: String = text.chars().take(200).collect();
    if text.len() > SENTENCE {
        return Err(format!("the sentence has {} bytes: {start:?}", text.len()));
    }
    match text.chars().find(|c| c.is_control() && !(lines && matches!(c, '\n' | '\t'))) {
        Some(c) => Err(format!("the sentence has the control character {c:?}: {start:?}")),
        None => Ok(()),
    }
}

async fn ask(case: &Case, component: &LoadedComponent, ground: &Ground) -> Result<(), String> {
    let kv: Arc<dyn KvStore> = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
    for (key, value) in FOREIGN {
        kv.set(key, value, None).await.map_err(|error| error.to_string())?;
    }
    let mut rig = Rig::of("hostile", component, Arc::clone(&kv), |config| {
        config.limits.cpu_ms = 5_000;
        config.timeout = 30;
        config.http.timeout = 20;
        config.http.allow = vec![format!("http://{}", ground.server), "http://*:*".into(), "https://*:*".into()];
        (case.config)(config);
    });
    let answer = rig.ask(&case.message.replace("{server}", &ground.server.to_string())).await;
    always(&answer).and_then(|()| expected(case, &answer)).map_err(|error| {
        let said: Vec<String> =
            answer.sent.iter().filter_map(|m| m.content()).map(|text| text.chars().take(200).collect()).collect();
        format!("{error}; {}: {:?}; said {said:?}", answer.outcome().code(), answer.run().error)
    })?;
    tenants(&kv).await
}

/// What holds whatever a guest does.
fn always(answer: &Answer) -> Result<(), String> {
    let run = answer.run();
    if let Some(again) = &answer.finished.again {
        return Err(format!("a hostile message is to be tried again: {again}"));
    }
    if run.peak_memory > 64 << 20 {
        return Err(format!("it had {} bytes of memory", run.peak_memory));
    }
    if answer.sent.len() > 100 || run.log_bytes > (1 << 20) + (2 << 20) {
        return Err(format!("it sent {} messages and logged {} bytes", answer.sent.len(), run.log_bytes));
    }
    for line in &answer.logs {
        if let Some(c) = line.text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(format!("the log has the control character {c:?}"));
        }
    }
    if answer.sent.iter().any(|message| message.to_json().contains("secret")) {
        return Err("it learned a secret".to_owned());
    }
    match &run.error {
        None => Ok(()),
        Some(error) => {
            // What a guest gives as its own error may have lines.
            sentence(error, run.outcome == Outcome::HandlerError)?;
            let code = run.outcome.code();
            let told = answer.logs.iter().any(|line| line.level == LogLevel::Error && line.text.contains(code));
            if told { Ok(()) } else { Err(format!("the log does not tell of {code}")) }
        }
    }
}

fn expected(case: &Case, answer: &Answer) -> Result<(), String> {
    match &case.expect {
        Expect::Refused(text) => Err(format!("it was loaded, and should be refused: {text}")),
        Expect::Ends(outcome, text) => {
            let error = answer.run().error.as_deref().unwrap_or_default();
            if answer.outcome() == *outcome && error.contains(text) {
                Ok(())
            } else {
                Err(format!("expected {}: {text:?}", outcome.code()))
            }
        }
        Expect::Says(text) => {
            let said = answer.sent.last().and_then(|message| message.content()).unwrap_or_default();
            if answer.outcome() == Outcome::Ok && said.starts_with(text.as_str()) {
                Ok(())
            } else {
                Err(format!("expected to hear {text:?}"))
            }
        }
        Expect::Shown(text, judge) => judge(answer).map_err(|error| format!("expected: {text}; {error}")),
    }
}

/// Nobody else's keys were touched, and the guest's are its own.
async fn tenants(kv: &Arc<dyn KvStore>) -> Result<(), String> {
    for entry in kv.list("", 10_000).await.map_err(|error| error.to_string())? {
        let foreign = FOREIGN.iter().find(|(key, _)| *key == entry.key);
        match foreign {
            Some((_, value)) if *value == entry.value => {}
            Some(_) => return Err(format!("the foreign key {:?} was changed", entry.key)),
            None if entry.key.starts_with("sandboxes#hostile#") || entry.key == "count#hostile" => {}
            None => return Err(format!("the key {:?} is outside of the app's namespace", entry.key)),
        }
    }
    for (key, value) in FOREIGN {
        let now = kv.get(key).await.map_err(|error| error.to_string())?;
        if now.as_deref() != Some(value) {
            return Err(format!("the foreign key {key:?} is now {now:?}"));
        }
    }
    Ok(())
}
