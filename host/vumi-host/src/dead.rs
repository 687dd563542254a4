//! `vumi-host dead`: the dead letters of a running host, listed, looked at, sent again or dropped, through its admin
//! API.

use std::fmt::Write as _;
use std::io::IsTerminal;

use indicatif::ProgressBar;
use reqwest::Method;
use serde_json::Value;
use vumi_admin::model::{DeadLetter, QueueInfo};
use vumi_core::Error;

use crate::cli::{Dead, DeadCommand};
use crate::commands::{Failure, say};
use crate::remote::table::{one_line, when};
use crate::remote::{Remote, say_json};

/// Letters that are asked for at a time; the most that the API gives.
const MOST: usize = 1_000;

/// Does one of the commands.
///
/// # Errors
/// One report for a person.
pub(crate) async fn execute(given: &Dead) -> Result<(), Failure> {
    let host = Remote::new(&given.host)?;
    match &given.command {
        DeadCommand::List { queue, format } if format.json => {
            let answer: Value = match queue {
                Some(queue) => host.get(&["queues", queue, "dead"], &most()).await?,
                None => host.get(&["queues"], &[]).await?,
            };
            say_json(&answer)
        }
        DeadCommand::List { queue: None, .. } => overview(&host).await,
        DeadCommand::List { queue: Some(queue), .. } => list(&host, queue).await,
        DeadCommand::Show { queue, id } => show(&host, queue, id).await,
        DeadCommand::Send { queue, id: Some(id), .. } => {
            host.order(Method::POST, &["queues", queue, "dead", id, "requeue"]).await?;
            say(&format!("{id} is in {queue} again"))
        }
        DeadCommand::Send { queue, id: None, all: true } => send_all(&host, queue).await,
        DeadCommand::Send { id: None, .. } => {
            Err(Failure::Usage("say which letter to send again, by its number, or --all".into()))
        }
        DeadCommand::Drop { queue, id } => {
            host.order(Method::DELETE, &["queues", queue, "dead", id]).await?;
            say(&format!("{id} of {queue} is gone"))
        }
    }
}

/// The queues that have dead letters.
async fn overview(host: &Remote) -> Result<(), Failure> {
    let queues: Vec<QueueInfo> = host.get(&["queues"], &[]).await?;
    let with: Vec<&QueueInfo> = queues.iter().filter(|queue| queue.dead > 0).collect();
    if with.is_empty() {
        return say("no queue has dead letters");
    }
    let mut text = format!("{:>8}  queue", "letters");
    for queue in with {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{:>8}  {}", queue.dead, queue.name);
    }
    say(&text)
}

async fn list(host: &Remote, queue: &str) -> Result<(), Failure> {
    let letters = letters(host, queue).await?;
    if letters.is_empty() {
        return say(&format!("{queue} has no dead letters"));
    }
    let width = letters.iter().map(|letter| letter.id.len()).max().unwrap_or(2);
    let mut text = format!("{:<width$}  {:<26}  {:>5}  reason", "id", "when", "tries");
    for letter in &letters {
        let when = when(letter.at);
        let _ =
            write!(text, "\n{:<width$}  {when:<26}  {:>5}  {}", letter.id, letter.attempts, one_line(&letter.reason));
    }
    if letters.len() == MOST {
        let _ = write!(text, "\n(the oldest {MOST})");
    }
    say(&text)
}

async fn show(host: &Remote, queue: &str, id: &str) -> Result<(), Failure> {
    let letters = letters(host, queue).await?;
    let Some(letter) = letters.iter().find(|letter| letter.id == id) else {
        return Err(Failure::Usage(format!(
            "{queue} has no dead letter {id}\n= help: `vumi-host dead list {queue}` lists those that there are"
        )));
    };
    let payload = serde_json::to_string_pretty(&letter.payload)
        .map_err(|error| Error::permanent("the payload cannot be shown").because(error))?;
    say(&format!(
        "queue:   {}\nid:      {}\nwhen:    {}\ntries:   {}\nreason:  {}\n\n{payload}",
        letter.queue,
        letter.id,
        when(letter.at),
        letter.attempts,
        letter.reason
    ))
}

/// Every letter that is there now, oldest first.
async fn send_all(host: &Remote, queue: &str) -> Result<(), Failure> {
    let mut sent = 0_usize;
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    // A letter that fails again comes back with another number: one that was seen is not sent twice.
    let mut seen = std::collections::HashSet::new();
    loop {
        let letters = letters(host, queue).await?;
        let new: Vec<DeadLetter> = letters.into_iter().filter(|letter| seen.insert(letter.id.clone())).collect();
        let full = new.len() == MOST;
        for letter in new {
            host.order(Method::POST, &["queues", queue, "dead", &letter.id, "requeue"]).await?;
            sent += 1;
            bar.set_message(format!("{sent} sent again"));
            bar.tick();
        }
        if !full {
            break;
        }
    }
    bar.finish_and_clear();
    say(&format!("{sent} letters are in {queue} again"))
}

async fn letters(host: &Remote, queue: &str) -> Result<Vec<DeadLetter>, Failure> {
    host.get(&["queues", queue, "dead"], &most()).await
}

fn most() -> [(&'static str, String); 1] {
    [("limit", MOST.to_string())]
}
