//! A tape that is being written: it notes what the run is given and what it does, as it is, until it is full.
//!
//! What must not be kept is replaced when the run is over (`seal`): only then is it known in which places it stands.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use vumi_core::Input;
use vumi_message::{Payload, Timestamp, UserMessage};

use super::document::{TapeCall, TapeClocks, TapeInput, TapeStop};
use super::values::weight;
use crate::state::now;

/// Largest tape, in bytes.
pub(super) const MAX_TAPE: usize = 1 << 20;

/// What a reading of a clock takes on a tape, in bytes.
const READING: usize = 20;

/// What ran.
#[derive(Default)]
pub(super) struct Component {
    pub(super) version: Option<u32>,
    pub(super) hash: String,
}

/// See the module's text.
pub(super) struct Recorder {
    pub(super) component: Component,
    pub(super) input: TapeInput,
    pub(super) user: Option<String>,
    pub(super) seed: [u8; 32],
    pub(super) clocks: TapeClocks,
    pub(super) calls: Vec<TapeCall>,
    pub(super) sent: Vec<Payload>,
    pub(super) truncated: bool,
    began: Instant,
    bytes: usize,
    open: Option<Open>,
}

/// A call that has begun.
struct Open {
    call: TapeCall,
    began: Instant,
    /// The message that it is about to send.
    message: Option<Payload>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::of(Component::default(), TapeInput::default(), None, [0; 32])
    }
}

impl Recorder {
    pub(super) fn new(component: Component, input: &Input) -> Self {
        let (input, user) = match input {
            Input::Message(message) => {
                (TapeInput::Message(message.payload().clone()), message.user().map(str::to_owned))
            }
            Input::Event(event) => (TapeInput::Event(event.payload().clone()), None),
        };
        Self::of(component, input, user, fresh_seed())
    }

    fn of(component: Component, input: TapeInput, user: Option<String>, seed: [u8; 32]) -> Self {
        Self {
            component,
            input,
            user,
            seed,
            clocks: TapeClocks::default(),
            calls: Vec::new(),
            sent: Vec::new(),
            truncated: false,
            began: Instant::now(),
            bytes: 0,
            open: None,
        }
    }

    /// Takes room on the tape. False when it is full: then nothing more is noted.
    fn take(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        self.truncated |= self.bytes > MAX_TAPE;
        !self.truncated
    }

    pub(super) fn begin(&mut self, call: &str, args: Vec<Value>) {
        let call = TapeCall { call: call.to_owned(), args, ..TapeCall::default() };
        self.open = Some(Open { call, began: Instant::now(), message: None });
    }

    /// The message that the open call is about to send.
    pub(super) fn sending(&mut self, message: &UserMessage) {
        if let Some(open) = &mut self.open {
            open.message = Some(message.payload().clone());
        }
    }

    pub(super) fn end(&mut self, ended: Result<Value, TapeStop>, fault: Option<String>) {
        let Some(Open { mut call, began, message }) = self.open.take() else { return };
        call.us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        call.fault = fault;
        let went_well = matches!(&ended, Ok(answer) if answer.get("ok").is_some());
        match ended {
            Ok(answer) => call.answer = answer,
            Err(stop) => call.stop = Some(stop),
        }
        let size = 64 + call.args.iter().map(weight).sum::<usize>() + weight(&call.answer);
        if self.take(size) {
            self.calls.push(call);
        }
        if let Some(message) = message.filter(|_| went_well)
            && self.take(message.values().map(weight).sum())
        {
            self.sent.push(message);
        }
    }

    /// The run was stopped: a call that was under way has no answer.
    pub(super) fn stopped(&mut self, stop: Option<TapeStop>) {
        if let Some(stop) = stop {
            self.end(Err(stop), None);
        }
    }

    pub(super) fn stamp(&mut self) -> Timestamp {
        let at = now();
        if self.take(READING) {
            self.clocks.stamps.push(at.to_string());
        }
        at
    }

    pub(super) fn wall_ns(&mut self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let reading = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        if self.take(READING) {
            self.clocks.wall_ns.push(reading);
        }
        reading
    }

    pub(super) fn monotonic_ns(&mut self) -> u64 {
        let reading = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if self.take(READING) {
            self.clocks.monotonic_ns.push(reading);
        }
        reading
    }
}

/// 256 bits of chance: a UUID has 122 of them from the system, three have more than enough.
fn fresh_seed() -> [u8; 32] {
    let mut hash = Sha256::new();
    for _ in 0..3 {
        hash.update(Uuid::new_v4().as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_is_noted_with_its_answer_and_its_message_only_when_it_was_sent() {
        let mut recorder = Recorder::default();
        let message = UserMessage::new(vumi_message::NewUserMessage::default());
        recorder.begin("outbound.reply", vec![json!("a")]);
        recorder.sending(&message);
        recorder.end(Ok(json!({"error": {"unavailable": "away"}})), Some("the broker is away".into()));
        recorder.begin("outbound.reply", vec![json!("b")]);
        recorder.sending(&message);
        recorder.end(Ok(json!({"ok": "id"})), None);
        assert_eq!(recorder.sent.len(), 1);
        let calls: Vec<_> = recorder.calls.iter().map(|call| (&call.args, &call.fault)).collect();
        let away = Some("the broker is away".to_owned());
        assert_eq!(calls, [(&vec![json!("a")], &away), (&vec![json!("b")], &None)]);
    }

    #[test]
    fn a_call_that_never_ended_is_kept_with_the_stop() {
        let mut recorder = Recorder::default();
        recorder.begin("http.request", Vec::new());
        recorder.stopped(Some(TapeStop { outcome: vumi_core::Outcome::Deadline, error: "over".into() }));
        assert_eq!(recorder.calls[0].stop.as_ref().unwrap().error, "over");
        recorder.stopped(Some(TapeStop { outcome: vumi_core::Outcome::Deadline, error: "over".into() }));
        assert_eq!(recorder.calls.len(), 1, "no call was under way");
    }

    #[test]
    fn a_full_tape_takes_nothing_more_and_says_so() {
        let mut recorder = Recorder::default();
        for _ in 0..3 {
            recorder.begin("log.log", vec![json!("info"), json!("x".repeat(MAX_TAPE / 2))]);
            recorder.end(Ok(Value::Null), None);
        }
        recorder.wall_ns();
        assert!(recorder.truncated);
        assert_eq!((recorder.calls.len(), recorder.clocks.wall_ns.len()), (1, 0));
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(fresh_seed(), fresh_seed());
    }
}
