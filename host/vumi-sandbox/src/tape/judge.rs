//! The end of a replay: what was not done, what was done otherwise.

use serde_json::Value;
use vumi_core::Run;
use vumi_message::json;

use super::alike::same_text;
use super::departure::{DepartureKind, shown};
use super::player::Player;
use super::replay::Replayed;

impl Player {
    /// The run has ended: what came of it, and where it departed.
    pub(super) fn judge(mut self, hash: String, run: Run) -> Replayed {
        for (at, call) in self.tape.calls.iter().enumerate() {
            if !self.used.get(at).copied().unwrap_or(true) {
                self.departures.add(DepartureKind::Missing, Some(at), call.shown(), "never made".to_owned());
            }
        }
        self.compare_replies();
        self.compare_clocks();
        self.compare_ends(&run);
        Replayed {
            hash,
            outcome: run.outcome,
            error: run.error,
            sent: self.sent,
            departures: self.departures.listed,
            more_departures: self.departures.more,
            cpu_us: run.cpu_us,
            wall_us: run.wall_us,
            host_calls: run.host_calls,
            peak_memory: run.peak_memory,
            log_bytes: run.log_bytes,
        }
    }

    fn compare_replies(&mut self) {
        for at in 0..self.tape.sent.len().max(self.sent.len()) {
            let seen = self.sent.get(at).and_then(|text| json::parse_object(text.as_bytes()).ok());
            match (self.tape.sent.get(at), seen) {
                (Some(recorded), Some(seen)) => self.departures.compare(at, recorded, &seen),
                (Some(recorded), None) => {
                    let expected = shown(&Value::Object(recorded.clone()));
                    self.departures.add(DepartureKind::Reply, Some(at), expected, "not sent".to_owned());
                }
                (None, Some(seen)) => {
                    let seen = shown(&Value::Object(seen));
                    self.departures.add(DepartureKind::Reply, Some(at), "no further message".to_owned(), seen);
                }
                (None, None) => {}
            }
        }
    }

    pub(super) fn compare_clocks(&mut self) {
        let clocks = &self.tape.clocks;
        for (clock, expected, seen) in [
            ("wall clock", clocks.wall_ns.len(), self.wall.count),
            ("monotonic clock", clocks.monotonic_ns.len(), self.monotonic.count),
        ] {
            if expected != seen {
                let readings = |count: usize| format!("{count} readings of the {clock}");
                self.departures.add(DepartureKind::Clock, None, readings(expected), readings(seen));
            }
        }
    }

    fn compare_ends(&mut self, run: &Run) {
        let recorded = self.tape.error.as_deref().unwrap_or_default();
        let same_text = same_text(recorded, run.error.as_deref().unwrap_or_default());
        if self.tape.outcome == Some(run.outcome) && same_text {
            return;
        }
        let end = |outcome: &str, error: &str| match error {
            "" => outcome.to_owned(),
            error => format!("{outcome}: {error}"),
        };
        let expected = end(self.tape.outcome.map_or("unknown", |outcome| outcome.code()), recorded);
        let seen = end(run.outcome.code(), run.error.as_deref().unwrap_or_default());
        self.departures.add(DepartureKind::Outcome, None, expected, seen);
    }
}
