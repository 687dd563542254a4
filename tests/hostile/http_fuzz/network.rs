//! The far side of transports that send by HTTP. It answers as the golden case says, and once the transport has started
//! now and then as no network should.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use vumi_tests::golden::expect::Answer;
use vumi_tests::golden::step::{RemoteStep, parts};
use vumi_tests::golden::wire::{self, Received};

use super::dice::Dice;
use super::seeds::Filler;
use super::{documents, values};

/// The fake server.
pub(super) struct Network {
    /// Whether it may answer anything.
    pub(super) wild: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
}

impl Network {
    pub(super) async fn start(listener: TcpListener, steps: Vec<RemoteStep>, filler: Filler, dice: Dice) -> Self {
        let wild = Arc::new(AtomicBool::new(false));
        let far = Arc::new(Far { steps, filler, dice: Mutex::new(dice), wild: Arc::clone(&wild) });
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    connections.spawn(serve(stream, Arc::clone(&far)));
                }
            }
        });
        Self { wild, accepting }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Far {
    steps: Vec<RemoteStep>,
    filler: Filler,
    dice: Mutex<Dice>,
    wild: Arc<AtomicBool>,
}

async fn serve(mut stream: TcpStream, far: Arc<Far>) {
    let mut buffer = Vec::new();
    while let Ok(Some(received)) = wire::request(&mut stream, &mut buffer).await {
        let Some(answer) = far.answer(&received) else {
            // No answer, for longer than the transport waits.
            tokio::time::sleep(Duration::from_secs(2)).await;
            return;
        };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

impl Far {
    /// The bytes of an answer; `None` for none.
    fn answer(&self, received: &Received) -> Option<Vec<u8>> {
        let (method, target) = received.asked();
        let path = target.split('?').next().unwrap_or_default();
        let fits = |step: &&RemoteStep| {
            let bare = |target: &str| self.filler.fill(target.split('?').next().unwrap_or_default());
            parts(&step.remote).is_ok_and(|(asked, target)| asked == method && bare(target) == path)
        };
        let mut dice = self.dice.lock();
        let fitting: Vec<&RemoteStep> = self.steps.iter().filter(fits).collect();
        let step = if fitting.is_empty() { None } else { Some(*dice.pick(&fitting)) };
        let wild = self.wild.load(Ordering::Relaxed);
        let (mut status, mut head, mut body) = (200, String::new(), b"{}".to_vec());
        if let Some(step) = step {
            let Answer::Give(given) = &step.answer else { return None };
            status = given.status;
            for (name, value) in given.headers.given() {
                head.push_str(&format!("{name}: {}\r\n", self.filler.fill(value)));
            }
            let json = given.json.as_ref().map(ToString::to_string);
            body = self.filler.fill(given.body.as_deref().or(json.as_deref()).unwrap_or_default()).into_bytes();
        }
        if wild && dice.one_in(3) {
            match dice.below(12) {
                0 => return None,
                1 => return Some(b"nonsense\r\n\r\n".to_vec()),
                2 => return Some(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\ncut".to_vec()),
                3 => status = *dice.pick(&[201, 202, 204, 304, 400, 401, 403, 404, 429, 500, 502, 503]),
                4 => {
                    status = 302;
                    head.push_str("Location: /elsewhere\r\n");
                }
                5 => body = Vec::new(),
                6 => body = values::bytes(&mut dice),
                7 => body = vec![b'['; 5 << 20],
                8 => head.push_str(&format!("X-Long: {}\r\n", "a".repeat(20_000))),
                _ => {
                    body = match serde_json::from_slice(&body) {
                        Ok(value) => documents::json(&value, &mut dice),
                        Err(_) if body.starts_with(b"<") => documents::xml(&body, &mut dice),
                        Err(_) => values::bytes(&mut dice),
                    }
                }
            }
        }
        let head = format!("HTTP/1.1 {status} Fuzz\r\nContent-Length: {}\r\n{head}\r\n", body.len());
        let body = if method == "HEAD" || matches!(status, 204 | 304) { Vec::new() } else { body };
        Some([head.into_bytes(), body].concat())
    }
}
