//! The far side of transports that send by HTTP: a server on a real socket that records what it is asked and answers as
//! the case says.
//!
//! Every `remote` step of a case is a plan, made before the case begins. A request takes the first free plan of its
//! method and path; one that fits none is answered 500 and fails the case.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::expect::{Answer, Given, headers};
use super::step::{RemoteStep, parts};
use super::wire::{self, Received};
use super::{Bindings, Pairs, form};
use crate::wait::PATIENCE;

/// The fake server.
pub struct Remote {
    at: SocketAddr,
    plans: Arc<Plans>,
    accepting: JoinHandle<()>,
    /// A port where nobody listens and that nobody else gets.
    closed: TcpSocket,
}

struct Plans {
    steps: Vec<RemoteStep>,
    bindings: Arc<Mutex<Bindings>>,
    seen: Mutex<Seen>,
    changed: Notify,
}

#[derive(Default)]
struct Seen {
    /// For each plan the request that took it.
    taken: Vec<Option<Received>>,
    /// What no plan was there for.
    unexpected: Vec<String>,
    /// Requests that are held open.
    held: usize,
}

impl Remote {
    /// Starts it, and makes `${remote}` and `${closed}` stand for its address and for one where nobody listens.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start(steps: Vec<RemoteStep>, bindings: Arc<Mutex<Bindings>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let closed = TcpSocket::new_v4().expect("a socket");
        closed.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        bindings.lock().bind("remote", format!("http://{at}"));
        bindings.lock().bind("closed", format!("http://{}", closed.local_addr().expect("an address")));
        let seen = Seen { taken: vec![None; steps.len()], ..Seen::default() };
        let plans = Arc::new(Plans { steps, bindings, seen: Mutex::new(seen), changed: Notify::new() });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&plans)));
        Self { at, plans, accepting, closed }
    }

    /// Waits for the request of the plan with this number, and compares it.
    ///
    /// # Errors
    /// When it does not come, or is another one.
    pub async fn expect(&self, number: usize) -> Result<(), String> {
        let step = &self.plans.steps[number];
        let wait = async {
            loop {
                let changed = self.plans.changed.notified();
                {
                    let seen = self.plans.seen.lock();
                    if let Some(received) = &seen.taken[number] {
                        return Ok(received.clone());
                    }
                    if let Some(unexpected) = seen.unexpected.first() {
                        return Err(format!("expected {:?}, got {unexpected}", step.remote));
                    }
                }
                changed.await;
            }
        };
        let late = |_| format!("the request {:?} to {} did not come", step.remote, self.at);
        let received = tokio::time::timeout(PATIENCE, wait).await.map_err(late)??;
        compare(step, &received, &mut self.plans.bindings.lock()).map_err(|error| format!("{error}; it is {received}"))
    }

    /// How many requests came, with those that were not expected.
    pub fn came(&self) -> usize {
        let seen = self.plans.seen.lock();
        seen.taken.iter().flatten().count() + seen.unexpected.len()
    }

    /// The first request that no step expects.
    pub fn unexpected(&self) -> Option<String> {
        self.plans.seen.lock().unexpected.first().cloned()
    }

    /// True while it holds a request open.
    pub fn holds(&self) -> bool {
        self.plans.seen.lock().held > 0
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.accepting.abort();
        let _ = &self.closed;
    }
}

async fn accept(listener: TcpListener, plans: Arc<Plans>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, Arc::clone(&plans)));
        }
    }
}

async fn serve(mut stream: TcpStream, plans: Arc<Plans>) {
    let mut buffer = Vec::new();
    while let Ok(Some(received)) = wire::request(&mut stream, &mut buffer).await {
        let bare = received.asked().0 == "HEAD";
        match plans.take(received) {
            Answer::Give(given) => {
                if stream.write_all(&written(&given, bare)).await.is_err() {
                    return;
                }
            }
            Answer::Reset => {
                // The connection is reset when it is dropped, which is all that a failure here would take away.
                let _ = stream.set_zero_linger();
                return;
            }
            Answer::Hold => {
                // Ends when the other side goes away.
                let _ = wire::request(&mut stream, &mut buffer).await;
                plans.seen.lock().held -= 1;
                return;
            }
        }
    }
}

impl Plans {
    fn take(&self, received: Received) -> Answer {
        let mut seen = self.seen.lock();
        let bindings = self.bindings.lock().clone();
        let fits = |step: &RemoteStep| is_asked(step, &received, &mut bindings.clone());
        let plan = self.steps.iter().zip(&mut seen.taken).find(|(step, taken)| taken.is_none() && fits(step));
        let answer = match plan {
            Some((step, taken)) => {
                *taken = Some(received.clone());
                filled(&step.answer, &received, bindings)
            }
            None => Err(format!("a request that no step expects: {received}")),
        };
        let answer = answer.unwrap_or_else(|error| {
            seen.unexpected.push(error);
            Answer::Give(Given { status: 500, reason: None, headers: Pairs::default(), body: None, json: None })
        });
        seen.held += usize::from(matches!(answer, Answer::Hold));
        drop(seen);
        self.changed.notify_waiters();
        answer
    }
}

fn is_asked(step: &RemoteStep, received: &Received, bindings: &mut Bindings) -> bool {
    let (Ok((method, target)), (asked, path)) = (parts(&step.remote), received.asked()) else { return false };
    let bare = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
    method == asked && bindings.text(&bare(target), &bare(path)).is_ok()
}

fn compare(step: &RemoteStep, received: &Received, bindings: &mut Bindings) -> Result<(), String> {
    let (_, target) = parts(&step.remote)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (_, asked) = received.asked();
    let (asked, there) = asked.split_once('?').unwrap_or((asked, ""));
    bindings.text(path, asked)?;
    let mut expected = step.query.clone();
    expected.0.extend(form::decode(query).into_iter().map(|(name, value)| (name, Some(value))));
    form::compare("query", &expected, &form::decode(there), bindings)?;
    headers(&step.headers, received, bindings)?;
    step.body().compare(&received.body, bindings)
}

/// The answer with its placeholders replaced; `${req.…}` is the request that is answered.
fn filled(answer: &Answer, received: &Received, mut bindings: Bindings) -> Result<Answer, String> {
    let Answer::Give(given) = answer else { return Ok(answer.clone()) };
    let (method, target) = received.asked();
    let query = form::decode(target.split_once('?').map_or("", |(_, query)| query));
    let query: Map<String, Value> = query.into_iter().map(|(name, value)| (name, value.into())).collect();
    let body = String::from_utf8_lossy(&received.body);
    let json: Value = serde_json::from_str(&body).unwrap_or_default();
    bindings.bind("req", json!({"method": method, "query": query, "body": body, "json": json}));
    let mut headers = Pairs::default();
    for (name, value) in given.headers.given() {
        headers.0.push((name.to_owned(), Some(bindings.fill(value)?)));
    }
    let body = given.body.as_deref().map(|body| bindings.fill(body)).transpose()?;
    let json = given.json.as_ref().map(|json| bindings.fill_value(json)).transpose()?;
    Ok(Answer::Give(Given { status: given.status, reason: given.reason.clone(), headers, body, json }))
}

fn written(given: &Given, bare: bool) -> Vec<u8> {
    let json = given.json.as_ref().map(Value::to_string);
    let body = given.body.as_ref().or(json.as_ref()).map(String::as_str).unwrap_or_default();
    let reason = given.reason.as_deref().unwrap_or("Golden");
    let mut head = format!("HTTP/1.1 {} {reason}\r\nContent-Length: {}\r\n", given.status, body.len());
    if json.is_some() && !given.headers.0.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        head.push_str("Content-Type: application/json\r\n");
    }
    for (name, value) in given.headers.given() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{head}\r\n{}", if bare { "" } else { body }).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{self, Step, client};

    async fn server(steps: &str) -> Remote {
        let head = "spec: x\nchecks: 0\nclass: x\ncases:\n  - name: x\n    steps:\n";
        let golden = golden::read("x", &format!("{head}{steps}")).unwrap();
        let steps = golden.cases[0].value.steps.iter().map(|step| match &step.value {
            Step::Remote(step) => step.clone(),
            other => panic!("{other:?}"),
        });
        Remote::start(steps.collect(), Arc::default()).await
    }

    /// Asks, and gives back the code and the body of the answer.
    async fn ask(remote: &Remote, request: &str) -> Result<(u16, String), String> {
        let bytes = request.replacen('\n', " HTTP/1.1\r\n", 1).into_bytes();
        let open = client::send(remote.at, bytes).await.unwrap();
        let got = tokio::time::timeout(PATIENCE, open.response()).await.unwrap().map_err(|error| error.to_string())?;
        Ok((got.status().unwrap(), String::from_utf8(got.body).unwrap()))
    }

    #[tokio::test]
    async fn each_request_gets_the_answer_of_its_plan() {
        let remote = server(concat!(
            "      - remote: GET /a?x=1\n        query: {y: '${y}'}\n        answer: {status: 202, body: 'id ${req.query.x}'}\n",
            "      - remote: POST /b\n        json: {k: '${y}'}\n        headers: {X: z}\n        answer: {json: {ok: '${req.json.k}'}}\n",
            "      - {remote: GET /a, answer: reset}\n",
        ))
        .await;
        let post = "POST /b\nX: z\r\nContent-Length: 9\r\n\r\n{\"k\":\"2\"}";
        assert_eq!(ask(&remote, post).await.unwrap(), (200, r#"{"ok":"2"}"#.to_owned()));
        assert_eq!(ask(&remote, "GET /a?y=2&x=1\n\r\n").await.unwrap(), (202, "id 1".to_owned()));
        ask(&remote, "GET /a\n\r\n").await.unwrap_err();
        for number in 0..3 {
            remote.expect(number).await.unwrap();
        }
        assert_eq!((remote.came(), remote.unexpected()), (3, None));
    }

    #[tokio::test]
    async fn differences_and_strangers_are_told() {
        let remote = server("      - {remote: POST /a, form: {k: v}}\n      - {remote: GET /b, answer: none}\n").await;
        ask(&remote, "POST /a?q=1\nContent-Length: 3\r\n\r\nk=v").await.unwrap();
        assert!(remote.expect(0).await.unwrap_err().starts_with("query: `q=1` was not expected"));
        let held = client::send(remote.at, b"GET /b HTTP/1.1\r\n\r\n".to_vec()).await.unwrap();
        remote.expect(1).await.unwrap();
        assert!(remote.holds() && !held.is_answered());
        assert_eq!(ask(&remote, "GET /c\n\r\n").await.unwrap().0, 500);
        assert!(remote.unexpected().unwrap().contains("a request that no step expects"));
        assert_eq!(remote.came(), 3);
    }
}
