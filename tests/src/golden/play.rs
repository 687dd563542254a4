//! Plays the `e2e` part of a file to a host that runs: requests and their responses, and what the transport asks the
//! network's server, which is played as well.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::client::{self, Open};
use super::format::Golden;
use super::pattern::Bindings;
use super::remote::Remote;
use super::step::{RequestStep, Step};
use crate::wait::PATIENCE;

/// What stands around a transport: the network's server.
pub struct Stage {
    bindings: Arc<Mutex<Bindings>>,
    remote: Remote,
}

/// A play under way.
struct Play<'a> {
    stage: &'a Stage,
    at: SocketAddr,
    open: HashMap<String, Open>,
    /// `remote` steps that are done.
    remotes: usize,
}

impl Stage {
    /// Starts the network's server for the `e2e` part of a file.
    pub async fn set(golden: &Golden) -> Self {
        let plans = golden.e2e.iter().filter_map(|step| match &step.value {
            Step::Remote(step) => Some(step.clone()),
            _ => None,
        });
        let bindings = Arc::default();
        let remote = Remote::start(plans.collect(), Arc::clone(&bindings)).await;
        Self { bindings, remote }
    }

    /// The file's configuration, which knows where the server is; `class` first.
    ///
    /// # Errors
    /// When it has a placeholder that nothing stands for.
    pub fn config(&self, golden: &Golden) -> Result<Map<String, Value>, String> {
        let mut config = Map::new();
        config.insert("class".to_owned(), golden.class.clone().into());
        for (key, value) in &golden.config {
            config.insert(key.clone(), self.bindings.lock().fill_value(value)?);
        }
        Ok(config)
    }

    /// Plays the file's `e2e` part to the transport that listens at `at`.
    ///
    /// # Errors
    /// The step that failed, with its line, and why.
    pub async fn play(&self, at: SocketAddr, steps: &[Spanned<Step>]) -> Result<(), String> {
        self.bindings.lock().bind("port", at.port());
        let mut play = Play { stage: self, at, open: HashMap::new(), remotes: 0 };
        for (number, step) in steps.iter().enumerate() {
            let played = play.step(&step.value).await;
            played.map_err(|error| format!("step {} (line {}): {error}", number + 1, step.referenced.line()))?;
        }
        self.remote.unexpected().map_or(Ok(()), Err)
    }
}

impl Play<'_> {
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let bindings = &self.stage.bindings;
        match step {
            Step::Request(step) => match &step.until {
                None => {
                    let sent = self.send(step).await?;
                    match self.open.insert(step.name.clone(), sent) {
                        Some(_) => {
                            Err(format!("the request `{}` is still open; give this one another name", step.name))
                        }
                        None => Ok(()),
                    }
                }
                Some(expected) => {
                    let end = tokio::time::Instant::now() + PATIENCE;
                    loop {
                        let got = answer(self.send(step).await?).await?;
                        match expected.compare(&got, &mut bindings.lock()) {
                            Err(_) if tokio::time::Instant::now() < end => {}
                            outcome => return outcome,
                        }
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            },
            Step::Response(step) => {
                let sent = self.open.remove(&step.name).ok_or_else(|| format!("no request `{}` is open", step.name))?;
                step.response.compare(&answer(sent).await?, &mut bindings.lock())
            }
            Step::Remote(_) => {
                self.remotes += 1;
                self.stage.remote.expect(self.remotes - 1).await
            }
            Step::Disconnect(step) => {
                self.open.remove(&step.name).map(drop).ok_or_else(|| format!("no request `{}` is open", step.name))
            }
            Step::Pause(step) => {
                tokio::time::sleep(Duration::from_millis(step.pause_ms)).await;
                Ok(())
            }
            _ => Err("`e2e` has no such step".to_owned()),
        }
    }

    async fn send(&self, step: &RequestStep) -> Result<Open, String> {
        let bytes = client::bytes(step, &self.at.to_string(), &mut self.stage.bindings.lock())?;
        client::send(self.at, bytes).await.map_err(|error| format!("no connection to {}: {error}", self.at))
    }
}

async fn answer(sent: Open) -> Result<super::wire::Received, String> {
    let got = tokio::time::timeout(PATIENCE, sent.response()).await;
    got.map_err(|_| "no response came".to_owned())?.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::golden::{read, wire};

    /// A server that answers each request with its target and body, the first one to `/later` with 503.
    async fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut asked = 0;
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = wire::request(&mut stream, &mut Vec::new()).await.unwrap().unwrap();
                let target = request.asked().1.to_owned();
                asked += usize::from(target == "/later");
                let code = if target == "/later" && asked == 1 { 503 } else { 200 };
                let body = format!("{target} {}", String::from_utf8_lossy(&request.body));
                stream.write_all(format!("HTTP/1.1 {code} X\r\n\r\n{body}").as_bytes()).await.unwrap();
            }
        });
        at
    }

    async fn told(e2e: &str) -> Result<(), String> {
        let golden = read("x", &format!("spec: x\nchecks: 0\nclass: x\ncases: []\ne2e:\n{e2e}")).unwrap();
        Stage::set(&golden).await.play(server().await, &golden.e2e).await
    }

    #[tokio::test]
    async fn requests_and_responses() {
        let steps = concat!(
            "  - {request: 'POST /a?p=${port}', form: {b: ö c}, as: a}\n",
            "  - request: GET /b\n",
            "  - {response: {body: '/a?p=${port} b=%C3%B6+c'}, as: a}\n",
            "  - response: {body: '/b '}\n",
            "  - {request: GET /later, until: {contains: later}}\n",
            "  - request: GET /c\n  - disconnect: true\n  - pause_ms: 1\n",
        );
        told(steps).await.unwrap();
        let wrong = told("  - request: GET /b\n  - response: {body: /c}\n").await.unwrap_err();
        assert!(wrong.starts_with("step 2 (line 7): body: expected \"/c\", got \"/b \""), "{wrong}");
        assert_eq!(told("  - response: {}\n").await.unwrap_err(), "step 1 (line 6): no request `r` is open");
        assert!(told("  - request: GET /b\n  - request: GET /b\n").await.unwrap_err().contains("still open"));
    }
}
