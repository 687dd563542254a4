//! `vumi-host dead`: the dead letters of a running host, listed, looked at, sent again or dropped, through its admin
//! API.

use std::fmt::Write as _;
use std::io::IsTerminal;

use indicatif::ProgressBar;
use reqwest::{Method, StatusCode, Url};
use vumi_admin::Secret;
use vumi_admin::model::{DeadLetter, QueueInfo};
use vumi_core::Error;
use vumi_message::Timestamp;

use crate::cli::{Dead, DeadCommand};
use crate::commands::{Failure, say};

/// Letters that are asked for at a time; the most that the API gives.
const MOST: usize = 1_000;

/// Does one of the commands.
///
/// # Errors
/// One report for a person.
pub(crate) async fn execute(given: &Dead) -> Result<(), Failure> {
    let host = Remote::new(&given.url, given.token.clone())?;
    match &given.command {
        DeadCommand::List { queue: None } => overview(&host).await,
        DeadCommand::List { queue: Some(queue) } => list(&host, queue).await,
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
    let queues: Vec<QueueInfo> = host.get(&["queues"], None).await?;
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
    let letters = host.letters(queue).await?;
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
    let letters = host.letters(queue).await?;
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
        let letters = host.letters(queue).await?;
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

fn when(micros: u64) -> String {
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)).to_string()
}

fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    if line.len() < text.len() { format!("{line}…") } else { line }
}

/// The admin API of a running host.
struct Remote {
    client: reqwest::Client,
    url: Url,
    token: Option<Secret>,
}

impl Remote {
    fn new(url: &str, token: Option<Secret>) -> Result<Self, Failure> {
        let wrong = || Failure::Usage(format!("`{url}` is no address of a host: write http://127.0.0.1:8080"));
        let url: Url = url.parse().map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err(wrong());
        }
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(std::time::Duration::from_secs(40))
            .build()
            .map_err(|error| Error::permanent("no HTTP client").because(error))?;
        Ok(Self { client, url, token })
    }

    async fn letters(&self, queue: &str) -> Result<Vec<DeadLetter>, Failure> {
        self.get(&["queues", queue, "dead"], Some(MOST)).await
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &[&str], limit: Option<usize>) -> Result<T, Failure> {
        let response = self.send(Method::GET, path, limit).await?;
        let read = response.json().await;
        read.map_err(|error| {
            Error::permanent("this host answers differently from what this version understands").because(error).into()
        })
    }

    async fn order(&self, method: Method, path: &[&str]) -> Result<(), Failure> {
        self.send(method, path, None).await.map(drop)
    }

    async fn send(&self, method: Method, path: &[&str], limit: Option<usize>) -> Result<reqwest::Response, Failure> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        if let Some(limit) = limit {
            url.query_pairs_mut().append_pair("limit", &limit.to_string());
        }
        let mut request = self.client.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.reveal());
        }
        let response = request.send().await.map_err(|error| {
            Error::temporary(format!("no host answers at {}: is it running, and is this its admin address?", self.url))
                .because(error.without_url())
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED {
            let text = "this host wants its token: give --token, or set VUMI_ADMIN_TOKEN";
            return Err(Failure::Usage(text.into()));
        }
        let problem: Option<serde_json::Value> = response.json().await.ok();
        let detail = problem.as_ref().and_then(|body| body.get("detail")?.as_str().map(str::to_owned));
        Err(Failure::Usage(detail.unwrap_or_else(|| format!("the host answered {status}"))))
    }
}
