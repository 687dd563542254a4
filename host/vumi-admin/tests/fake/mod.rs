//! A system that exists only in memory: one app that echoes, two transports, a queue with dead letters. The tests
//! and the example `fake` run the admin server on it.
//!
//! What a phone sends decides what happens: `fail` ends in a failed run, `silent` in no answer, `nack` in an answer
//! that is not delivered, `long` in an answer of several SMS; everything else is echoed.

mod access;
mod answers;
mod control;
mod deployments;

pub use control::FakeControl;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use serde_json::{Value, json};
use vumi_admin::model::*;
use vumi_admin::{EventHub, PhoneBook};

/// How much of everything is kept.
const KEPT: usize = 2000;

pub struct Fake {
    pub hub: EventHub,
    pub access: access::FakeAccess,
    pub deployments: deployments::FakeDeployments,
    pub draining: AtomicBool,
    pub full: AtomicBool,
    /// Whether the metrics never come.
    pub hang: AtomicBool,
    /// How long the app takes to answer.
    pub delay: Duration,
    phones: PhoneBook,
    state: Mutex<State>,
    started: Instant,
}

#[derive(Default)]
struct State {
    seq: u64,
    messages: VecDeque<MessageView>,
    runs: VecDeque<RunView>,
    logs: VecDeque<LogLine>,
    kv: BTreeMap<String, (String, Option<Instant>)>,
    dead: Vec<DeadLetter>,
    inbound: u64,
    outbound: u64,
    failures: BTreeMap<String, u64>,
    last_error: Option<LastError>,
    build: Option<BuildView>,
}

pub fn now() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(elapsed.as_micros()).unwrap()
}

impl Fake {
    pub fn new(events: usize, delay: Duration) -> Arc<Self> {
        let dead = |id: &str, reason: &str, payload: Value| DeadLetter {
            id: id.into(),
            queue: "echo.inbound".into(),
            at: now(),
            reason: reason.into(),
            attempts: 5,
            payload,
        };
        let state = State {
            dead: vec![
                dead("d1", "the kv store was away for 5 attempts", json!({"message_id": "lost"})),
                dead("d2", "not JSON: expected value at line 1 column 1", json!("<xml/>")),
            ],
            ..State::default()
        };
        Arc::new(Self {
            hub: EventHub::new(events),
            access: access::FakeAccess::default(),
            deployments: deployments::FakeDeployments::default(),
            draining: AtomicBool::new(false),
            full: AtomicBool::new(false),
            hang: AtomicBool::new(false),
            delay,
            phones: PhoneBook::new(),
            state: Mutex::new(state),
            started: Instant::now(),
        })
    }

    /// Logs a line as the app would.
    pub fn log(&self, level: LogLevel, text: &str, message: Option<&Value>) -> u64 {
        let line = LogLine {
            seq: self.next(),
            at: now(),
            app: "echo".into(),
            level,
            text: text.into(),
            message_id: message.map(|message| text_of(message, "message_id")),
            user: message.map(|message| text_of(message, "from_addr")),
        };
        keep(&mut self.state.lock().logs, line.clone());
        self.hub.publish(SystemEvent::Log(line))
    }

    /// Lets a message pass, as the broker's tap would see it.
    pub fn pass(&self, direction: Direction, user: Option<&str>, payload: Value) {
        let view = MessageView {
            seq: self.next(),
            at: now(),
            direction,
            transport_name: Some("simulator".into()),
            user: user.map(str::to_owned),
            app: Some("echo".into()),
            payload,
        };
        {
            let mut state = self.state.lock();
            match direction {
                Direction::Inbound => state.inbound += 1,
                Direction::Outbound => state.outbound += 1,
                _ => {}
            }
            keep(&mut state.messages, view.clone());
        }
        let update = self.phones.record(&view);
        self.hub.publish(SystemEvent::Message(view));
        if let Some(update) = update {
            self.hub.publish(SystemEvent::Phone(update));
        }
    }

    fn next(&self) -> u64 {
        let mut state = self.state.lock();
        state.seq += 1;
        state.seq
    }

    fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }
}

fn keep<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() >= KEPT {
        list.pop_front();
    }
    list.push_back(item);
}

fn text_of(payload: &Value, field: &str) -> String {
    payload[field].as_str().unwrap_or_default().to_owned()
}
