//! `vumi-host recordings`: the runs that a host recorded.

use serde_json::Value;
use vumi_admin::model::{Page, RecordingInfo, RecordingView, RunOutcome};

use super::apps::{more, understood};
use super::table::{table, when};
use super::{Remote, page, say_json};
use crate::cli::{Recordings, RecordingsCommand};
use crate::commands::{Failure, say};

/// Does one of the commands.
pub(crate) async fn execute(given: &Recordings) -> Result<(), Failure> {
    let host = Remote::new(&given.host)?;
    if let Some(RecordingsCommand::Show { id }) = &given.command {
        let answer: Value = host.get(&["recordings", id], &[]).await?;
        return if given.json { say_json(&answer) } else { show(&understood(answer)?) };
    }
    let mut query = page(given.slice);
    query.extend(given.app.clone().map(|app| ("app", app)));
    query.extend(given.user.clone().map(|user| ("user", user)));
    let answer: Value = host.get(&["recordings"], &query).await?;
    if given.json {
        return say_json(&answer);
    }
    let found: Page<RecordingInfo> = understood(answer)?;
    if found.items.is_empty() {
        return say("no runs are recorded");
    }
    let rows = found.items.iter().map(|run| {
        [
            run.id.clone(),
            when(run.at),
            named(run),
            run.user.clone().unwrap_or_default(),
            ended(run),
            run.sent.to_string(),
            format!("{:.1}", micros(run.wall_us)),
        ]
    });
    say(&table(["recording", "when", "app", "user", "ended", "sent", "ms"], rows))?;
    more(found.next)
}

fn show(run: &RecordingView) -> Result<(), Failure> {
    let info = &run.info;
    let facts = [
        ["recording".into(), info.id.clone()],
        ["when".into(), when(info.at)],
        ["app".into(), named(info)],
        ["component".into(), info.hash.clone()],
        ["message".into(), info.message_id.clone()],
        ["user".into(), info.user.clone().unwrap_or_default()],
        ["ended".into(), ended(info)],
        ["sent".into(), info.sent.to_string()],
        ["took".into(), format!("{:.1} ms, {:.1} ms of CPU time", micros(info.wall_us), micros(info.cpu_us))],
    ];
    let [head, rest @ ..] = facts;
    let text = table(head.each_ref().map(String::as_str), rest);
    say(&format!("{text}\n"))?;
    say_json(&run.tape)
}

/// The app, with the number of its version where it has one.
fn named(run: &RecordingInfo) -> String {
    run.version.map_or_else(|| run.app.clone(), |version| format!("{} {version}", run.app))
}

fn ended(run: &RecordingInfo) -> String {
    match (run.outcome, &run.reason) {
        (RunOutcome::Ok, _) => "ok".to_owned(),
        (RunOutcome::Failed, Some(reason)) => reason.clone(),
        (RunOutcome::Failed, None) => "failed".to_owned(),
    }
}

/// Microseconds in milliseconds.
#[allow(clippy::cast_precision_loss, reason = "for a person, with one decimal")]
fn micros(us: u64) -> f64 {
    us as f64 / 1_000.0
}
