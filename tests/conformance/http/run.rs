//! One case, step by step.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value};
use vumi_message::{NewUserMessage, UserMessage};
use vumi_tests::golden::client::{self, Open};
use vumi_tests::golden::remote::Remote;
use vumi_tests::golden::step::{RequestStep, Source};
use vumi_tests::golden::{Bindings, Case, Golden, Step, Whole, json};

use super::keys;
use super::mailbox::Mailbox;
use super::rig::{Ground, LIMIT, NAME, Rig, SOON, address, soon, until};

/// A case under way.
struct Run {
    ground: Ground,
    bindings: Arc<Mutex<Bindings>>,
    remote: Remote,
    rig: Option<Rig>,
    at: Option<SocketAddr>,
    open: HashMap<String, Open>,
    /// `remote` steps that are done.
    remotes: usize,
}

/// Runs a case.
///
/// # Errors
/// The step that failed and why.
pub(super) async fn case(golden: &Golden, case: &Case) -> Result<(), String> {
    let bindings = Arc::new(Mutex::new(Bindings::default()));
    bindings.lock().bind("transport", NAME);
    let plans = case.steps.iter().filter_map(|step| match &step.value {
        Step::Remote(step) => Some(step.clone()),
        _ => None,
    });
    let remote = Remote::start(plans.collect(), Arc::clone(&bindings)).await;
    let config = golden.config_of(case);
    let mut run =
        Run { ground: Ground::new(), bindings, remote, rig: None, at: None, open: HashMap::new(), remotes: 0 };
    for (number, step) in case.steps.iter().enumerate() {
        let told = |error: String| format!("step {} (line {}): {error}", number + 1, step.referenced.line());
        if run.rig.is_none() && !is_before_the_start(&step.value) {
            run.start(&config).await.map_err(told)?;
        }
        run.step(&step.value, &config).await.map_err(told)?;
    }
    run.end().await.map_err(|error| format!("at the end: {error}"))
}

/// What comes before the transport is started.
fn is_before_the_start(step: &Step) -> bool {
    matches!(step, Step::PutKv(_) | Step::PutHash(_) | Step::PutList(_) | Step::StartFails(_) | Step::CheckFails(_))
}

impl Run {
    fn config(&self, config: &Map<String, Value>) -> Result<Map<String, Value>, String> {
        let mut filled = Map::new();
        for (key, value) in config {
            filled.insert(key.clone(), self.bindings.lock().fill_value(value)?);
        }
        filled.entry("publish_status").or_insert(true.into());
        Ok(filled)
    }

    async fn start(&mut self, config: &Map<String, Value>) -> Result<(), String> {
        let mut rig = self.ground.launch(&self.config(config)?).await.map_err(|error| format!("no start: {error}"))?;
        let at = rig.ready().await.map_err(|error| format!("no start: {error}"))?;
        self.rig = Some(rig);
        self.at = address(&at);
        if let Some(at) = self.at {
            self.bindings.lock().bind("port", at.port());
        }
        Ok(())
    }

    fn rig(&mut self) -> Result<&mut Rig, String> {
        self.rig.as_mut().ok_or_else(|| "there is no transport".to_owned())
    }

    async fn step(&mut self, step: &Step, config: &Map<String, Value>) -> Result<(), String> {
        match step {
            Step::Request(step) => match step.until {
                Some(_) => self.until(step).await,
                None => {
                    let bytes = client::bytes(step, &self.listens()?.to_string(), &mut self.bindings.lock())?;
                    self.send(&step.name, bytes).await
                }
            },
            Step::Raw(step) => {
                let bytes = self.bindings.lock().fill(&step.raw)?.into_bytes();
                self.send(&step.name, bytes).await
            }
            Step::RawHex(step) => self.send(&step.name, step.bytes()?).await,
            Step::Response(step) => {
                let open = self.open.remove(&step.name).ok_or_else(|| format!("no request `{}` is open", step.name))?;
                let got = soon("the response", open.response()).await?.map_err(|error| error.to_string())?;
                step.response.compare(&got, &mut self.bindings.lock())
            }
            Step::NoResponse(step) => self.no_response(&step.name).await,
            Step::Disconnect(step) => match self.open.remove(&step.name) {
                Some(open) if open.is_answered() => Err(format!("the request `{}` was answered already", step.name)),
                Some(_) => Ok(()),
                None => Err(format!("no request `{}` is open", step.name)),
            },
            Step::Inbound(step) => {
                let message = self.rig()?.inbound.next().await?;
                let mut bindings = self.bindings.lock();
                for name in std::iter::once("msg").chain(step.name.as_deref()) {
                    bindings.bind(name, message.clone());
                }
                fields("message", &step.inbound, &message, &mut bindings)
            }
            Step::Reply(step) => {
                let original = self.bindings.lock().get(&step.to);
                let Some(Value::Object(original)) = original else { return Err(format!("no message `{}`", step.to)) };
                let original = UserMessage::from_payload(original).map_err(|error| error.to_string())?;
                let reply = original.reply(None, true, Map::new()).map_err(|error| error.to_string())?;
                self.put(reply, &step.reply, step.name.as_deref()).await
            }
            Step::Send(step) => {
                let message = UserMessage::new(NewUserMessage {
                    transport_name: Some(NAME.to_owned()),
                    transport_type: Some("test".to_owned()),
                    ..NewUserMessage::default()
                });
                self.put(message, &step.send, step.name.as_deref()).await
            }
            Step::Event(step) => {
                let got = self.rig()?.event.next().await?;
                fields("event", &step.event, &got, &mut self.bindings.lock())
            }
            Step::Failure(step) => {
                let got = self.rig()?.failure.next().await?;
                fields("failure", &step.failure, &got, &mut self.bindings.lock())
            }
            Step::Status(step) => {
                let got = self.rig()?.status.next().await?;
                fields("status", &step.status, &got, &mut self.bindings.lock())
            }
            Step::Nothing(step) => self.nothing(&step.nothing).await,
            Step::Remote(_) => {
                self.remotes += 1;
                self.remote.expect(self.remotes - 1).await
            }
            Step::Kv(_) | Step::Hash(_) | Step::List(_) => {
                let (keys, bindings) = (self.ground.keys.clone(), Arc::clone(&self.bindings));
                // A transport may write after it has answered.
                until(SOON, || async {
                    let mut known = bindings.lock().clone();
                    keys::look(step, &keys, &mut known).await?;
                    *bindings.lock() = known;
                    Ok(())
                })
                .await
            }
            Step::PutKv(_) | Step::PutHash(_) | Step::PutList(_) => {
                let mut known = self.bindings.lock().clone();
                keys::put(step, &self.ground.keys.clone(), &mut known).await
            }
            Step::Pause(step) => {
                tokio::time::sleep(Duration::from_millis(step.pause_ms)).await;
                Ok(())
            }
            Step::Stop(_) => self.rig()?.stop().await,
            Step::StartFails(step) => {
                let outcome = match self.ground.launch(&self.config(config)?).await {
                    Ok(mut rig) => {
                        let outcome = rig.ready().await;
                        rig.stop().await?;
                        outcome
                    }
                    Err(error) => Err(error),
                };
                self.refused(outcome.map(|at| format!("it is ready at {at}")), &step.start_fails)
            }
            Step::CheckFails(step) => {
                let outcome = Ground::check(&self.config(config)?);
                self.refused(outcome.map(|_| "nothing is wrong".to_owned()), &step.check_fails)
            }
        }
    }

    /// The outcome must be an error with this text.
    fn refused(&self, outcome: Result<String, String>, text: &str) -> Result<(), String> {
        let text = self.bindings.lock().fill(text)?;
        match outcome {
            Err(error) if error.contains(&text) => Ok(()),
            Err(error) => Err(format!("expected a refusal with {text:?}, got {error:?}")),
            Ok(fine) => Err(format!("expected a refusal with {text:?}, but {fine}")),
        }
    }

    fn listens(&self) -> Result<SocketAddr, String> {
        self.at.ok_or_else(|| "the transport does not listen".to_owned())
    }

    async fn send(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), String> {
        let at = self.listens()?;
        if self.open.contains_key(name) {
            return Err(format!("the request `{name}` is still open; give this one another name with `as`"));
        }
        let sent = soon("a connection", client::send(at, bytes)).await?;
        let open = sent.map_err(|error| format!("no connection to {at}: {error}"))?;
        self.open.insert(name.to_owned(), open);
        Ok(())
    }

    /// Sends a request again and again.
    async fn until(&mut self, step: &RequestStep) -> Result<(), String> {
        let (at, bindings) = (self.listens()?, Arc::clone(&self.bindings));
        let bytes = client::bytes(step, &at.to_string(), &mut bindings.lock())?;
        until(LIMIT, || async {
            let open = client::send(at, bytes.clone()).await.map_err(|error| error.to_string())?;
            let got = soon("the response", open.response()).await?.map_err(|error| error.to_string())?;
            step.until.as_ref().map_or(Ok(()), |expected| expected.compare(&got, &mut bindings.lock()))
        })
        .await
    }

    /// The request must be open still when others, that no transport takes, went through the same server.
    async fn no_response(&mut self, name: &str) -> Result<(), String> {
        let at = self.listens()?;
        for _ in 0..3 {
            let marker = format!("TRACE /no-such-path HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
            let marker = client::send(at, marker.into_bytes()).await.map_err(|error| error.to_string())?;
            soon("the response to a marker", marker.response()).await?.map_err(|error| error.to_string())?;
        }
        match self.open.get(name) {
            Some(open) if !open.is_answered() => Ok(()),
            Some(_) => match self.open.remove(name) {
                Some(open) => Err(match open.response().await {
                    Ok(got) => format!("expected no response yet, got {got}"),
                    Err(error) => format!("expected no response yet, but: {error}"),
                }),
                None => Ok(()),
            },
            None => Err(format!("no request `{name}` is open")),
        }
    }

    async fn put(
        &mut self,
        mut message: UserMessage,
        extra: &Map<String, Value>,
        name: Option<&str>,
    ) -> Result<(), String> {
        for (field, value) in extra {
            let value = self.bindings.lock().fill_value(value)?;
            message.set(field, value).map_err(|error| error.to_string())?;
        }
        {
            let mut bindings = self.bindings.lock();
            for name in std::iter::once("out").chain(name) {
                bindings.bind(name, message.message_id());
            }
        }
        self.rig()?.put(&message).await;
        Ok(())
    }

    async fn nothing(&mut self, sources: &[Source]) -> Result<(), String> {
        let (holds, came, done, unexpected) =
            (self.remote.holds(), self.remote.came(), self.remotes, self.remote.unexpected());
        let rig = self.rig()?;
        // A message that the fake server holds up is not settled before the transport gives it up.
        if !holds && !rig.is_stopped() {
            rig.settled().await?;
        }
        for source in sources {
            let (what, mailbox) = match source {
                Source::Inbound => ("message", &mut rig.inbound),
                Source::Event => ("event", &mut rig.event),
                Source::Failure => ("failure", &mut rig.failure),
                Source::Status => ("status", &mut rig.status),
                Source::Remote => {
                    if came > done {
                        return Err(unexpected.unwrap_or_else(|| "expected no request, one came".to_owned()));
                    }
                    continue;
                }
            };
            none(what, mailbox, |_| true).await?;
        }
        Ok(())
    }

    /// Stops the transport, and looks for what no step has spoken of.
    async fn end(&mut self) -> Result<(), String> {
        self.open.clear();
        let holds = self.remote.holds();
        if let Some(rig) = &mut self.rig {
            if !holds && !rig.is_stopped() {
                rig.settled().await?;
            }
            rig.stop().await?;
            none("message", &mut rig.inbound, |_| true).await?;
            none("event", &mut rig.event, |event| event["event_type"] != "ack").await?;
            none("failure", &mut rig.failure, |_| true).await?;
            if let Some(reason) = rig.dead().await {
                return Err(format!("a message went to the dead letters: {reason}"));
            }
        }
        if let Some(unexpected) = self.remote.unexpected() {
            return Err(unexpected);
        }
        let bindings = self.bindings.lock();
        let unread: Vec<&str> = bindings.unread().collect();
        if unread.is_empty() { Ok(()) } else { Err(format!("{unread:?} take a value that nothing uses: write ${{_}}")) }
    }
}

/// None of what waits is of this kind.
async fn none(what: &str, mailbox: &mut Mailbox, counts: impl Fn(&Value) -> bool) -> Result<(), String> {
    match mailbox.rest().await?.iter().find(|message| counts(message)) {
        Some(message) => Err(format!("expected no {what}, got {message}")),
        None => Ok(()),
    }
}

fn fields(what: &str, expected: &Map<String, Value>, got: &Value, bindings: &mut Bindings) -> Result<(), String> {
    let compared = json(&Value::Object(expected.clone()), got, Whole::Fields, bindings);
    compared.map_err(|error| format!("{what}{error}; it is {got}"))
}
