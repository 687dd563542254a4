//! A tape that is being played: it answers the guest's calls, and notes where the guest departs from it.
//!
//! Calls are expected in their order. One that is not the next is a departure; it still gets the answer of the first
//! unused call that is the same, if there is one, so that a component that merely asks in another order goes on with
//! the data that it had.

use serde_json::Value;
use vumi_message::{Timestamp, UserMessage};

use super::Delivery;
use super::alike::all_alike;
use super::departure::{DepartureKind, Departures, shown_call};
use super::document::{TapeCall, TapeDocument};
use super::values::Taped;
use crate::state::now;

/// What a clock goes on by when the tape has no more readings of it, in nanoseconds.
const STEP: u64 = 1_000;

/// See the module's text.
#[derive(Default)]
pub(super) struct Player {
    pub(super) tape: TapeDocument,
    pub(super) used: Vec<bool>,
    /// The first call on the tape that may come next.
    next: usize,
    /// The call that is under way.
    current: Option<TapeCall>,
    pub(super) sent: Vec<String>,
    pub(super) departures: Departures,
    pub(super) wall: Readings,
    pub(super) monotonic: Readings,
    stamps: usize,
}

/// How far a clock was read.
#[derive(Default)]
pub(super) struct Readings {
    pub(super) count: usize,
    last: u64,
}

impl Readings {
    fn next(&mut self, tape: &[u64]) -> u64 {
        self.last = tape.get(self.count).copied().unwrap_or_else(|| self.last.saturating_add(STEP));
        self.count += 1;
        self.last
    }
}

impl Player {
    pub(super) fn new(tape: TapeDocument) -> Self {
        Self { used: vec![false; tape.calls.len()], tape, ..Self::default() }
    }

    pub(super) fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        for (at, byte) in seed.iter_mut().enumerate() {
            let digits = self.tape.seed.get(2 * at..2 * at + 2);
            *byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
        }
        seed
    }

    /// A call begins. None when the tape has no such call.
    pub(super) fn begin(&mut self, call: &str, args: &[Value]) -> Option<TapeCall> {
        self.current = None;
        while self.used.get(self.next).copied().unwrap_or(false) {
            self.next += 1;
        }
        let is = |recorded: &TapeCall| recorded.call == call && all_alike(&recorded.args, args);
        let mut found = self.tape.calls.get(self.next).filter(|recorded| is(recorded)).map(|_| self.next);
        if found.is_none() {
            let expected = self.tape.calls.get(self.next).map_or_else(|| "no further call".to_owned(), TapeCall::shown);
            self.departures.add(DepartureKind::Call, Some(self.next), expected, shown_call(call, args));
            let unused = |at: &usize| !self.used.get(*at).copied().unwrap_or(true);
            let mut order = (self.next..self.tape.calls.len()).chain(0..self.next).filter(unused);
            found = order.find(|at| self.tape.calls.get(*at).is_some_and(is));
        }
        let at = found?;
        if let Some(used) = self.used.get_mut(at) {
            *used = true;
        }
        // What lies between was left out, or comes later.
        self.next = self.next.max(at + 1);
        self.current = self.tape.calls.get(at).cloned();
        self.current.clone()
    }

    pub(super) fn end(&mut self) {
        self.current = None;
    }

    /// The answer of the call that is under way makes no sense.
    pub(super) fn unreadable(&mut self, answer: &Value) {
        let expected = format!("an answer to {}", self.current.as_ref().map(TapeCall::shown).unwrap_or_default());
        self.departures.add(DepartureKind::Answer, Some(self.next), expected, super::departure::shown(answer));
    }

    /// What becomes of a message that the call under way sends.
    pub(super) fn deliver(&mut self, message: &UserMessage) -> Delivery {
        if let Some(call) = &self.current
            && let Some(Err(error)) = <Result<String, _>>::take(&call.answer)
        {
            return Delivery::Failed(error, call.fault.clone());
        }
        self.sent.push(message.to_json());
        Delivery::Sent
    }

    pub(super) fn stamp(&mut self) -> Timestamp {
        let stamps = &self.tape.clocks.stamps;
        // Beyond the last one: whatever time, but always the same.
        let text = stamps.get(self.stamps).or(stamps.last()).unwrap_or(&self.tape.at);
        self.stamps += 1;
        text.parse().unwrap_or_else(|_| now())
    }

    pub(super) fn wall_ns(&mut self) -> u64 {
        self.wall.next(&self.tape.clocks.wall_ns)
    }

    pub(super) fn monotonic_ns(&mut self) -> u64 {
        self.monotonic.next(&self.tape.clocks.monotonic_ns)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tape(calls: &[(&str, &str, Value)]) -> Player {
        let call = |(call, arg, answer): &(&str, &str, Value)| TapeCall {
            call: (*call).to_owned(),
            args: vec![json!(arg)],
            answer: answer.clone(),
            ..TapeCall::default()
        };
        let calls = calls.iter().map(call).collect();
        Player::new(TapeDocument { calls, ..TapeDocument::default() })
    }

    fn ask(player: &mut Player, call: &str, arg: &str) -> Option<Value> {
        let answer = player.begin(call, &[json!(arg)]).map(|call| call.answer);
        player.end();
        answer
    }

    fn seen(player: &Player) -> Vec<(DepartureKind, usize)> {
        player.departures.listed.iter().map(|one| (one.kind, one.position.unwrap())).collect()
    }

    #[test]
    fn calls_in_order_get_their_answers() {
        let mut player = tape(&[("kv.get", "a", json!(1)), ("kv.get", "a", json!(2)), ("kv.get", "b", json!(3))]);
        let answers = ["a", "a", "b"].map(|arg| ask(&mut player, "kv.get", arg));
        assert_eq!(answers, [Some(json!(1)), Some(json!(2)), Some(json!(3))]);
        assert!(player.departures.listed.is_empty());
    }

    #[test]
    fn a_call_too_many_departs_once() {
        let mut player = tape(&[("kv.get", "a", json!(1)), ("kv.get", "b", json!(2))]);
        assert_eq!(ask(&mut player, "kv.get", "new"), None);
        assert_eq!(ask(&mut player, "kv.get", "a"), Some(json!(1)));
        assert_eq!(ask(&mut player, "kv.get", "b"), Some(json!(2)));
        assert_eq!(ask(&mut player, "log.log", "b"), None);
        assert_eq!(seen(&player), [(DepartureKind::Call, 0), (DepartureKind::Call, 2)]);
        assert_eq!(player.departures.listed[0].expected, r#"kv.get("a")"#);
        assert_eq!(player.departures.listed[1].expected, "no further call");
    }

    #[test]
    fn another_order_gets_the_same_answers() {
        let mut player = tape(&[("kv.get", "a", json!(1)), ("kv.get", "b", json!(2)), ("kv.get", "c", json!(3))]);
        assert_eq!(ask(&mut player, "kv.get", "b"), Some(json!(2)));
        assert_eq!(ask(&mut player, "kv.get", "a"), Some(json!(1)));
        assert_eq!(ask(&mut player, "kv.get", "c"), Some(json!(3)));
        assert_eq!(seen(&player), [(DepartureKind::Call, 0), (DepartureKind::Call, 2)]);
        assert_eq!(ask(&mut player, "kv.get", "a"), None, "an answer is given once");
    }

    #[test]
    fn clocks_go_on_beyond_the_tape() {
        let mut player = tape(&[]);
        player.tape.clocks.wall_ns = vec![5, 9];
        let readings: Vec<u64> = (0..4).map(|_| player.wall_ns()).collect();
        assert_eq!(readings, [5, 9, 9 + STEP, 9 + 2 * STEP]);
        player.compare_clocks();
        assert_eq!(player.departures.listed[0].expected, "2 readings of the wall clock");
        player.tape.clocks.stamps = vec!["2016-03-01 08:30:00.000000".into()];
        assert_eq!(player.stamp(), player.stamp());
    }

    #[test]
    fn the_seed_is_read_back() {
        let mut player = tape(&[]);
        assert_eq!(player.seed(), [0; 32]);
        player.tape.seed = (0..32u8).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(player.seed()[31], 31);
    }
}
