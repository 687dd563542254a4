//! The numbers of one app, for Prometheus.

use metrics::{Counter, Histogram, counter, histogram};
use vumi_core::{Outcome, Run};

/// Handles, made once per app, so that a run looks none up.
pub(crate) struct Gauges {
    app: String,
    ok: Counter,
    wall: Histogram,
    cpu: Histogram,
    host: Histogram,
    memory: Histogram,
    calls: Histogram,
    sent: Counter,
}

impl Gauges {
    pub(crate) fn of(app: &str) -> Self {
        let app = app.to_owned();
        Self {
            ok: counter!("vumi_app_runs_total", "app" => app.clone(), "outcome" => Outcome::Ok.code()),
            wall: histogram!("vumi_app_run_seconds", "app" => app.clone()),
            cpu: histogram!("vumi_app_run_cpu_seconds", "app" => app.clone()),
            host: histogram!("vumi_app_run_host_seconds", "app" => app.clone()),
            memory: histogram!("vumi_app_run_memory_bytes", "app" => app.clone()),
            calls: histogram!("vumi_app_run_host_calls", "app" => app.clone()),
            sent: counter!("vumi_app_sent_total", "app" => app.clone()),
            app,
        }
    }

    pub(crate) fn count(&self, run: &Run) {
        let seconds = |micros: u64| micros as f64 / 1e6;
        if run.outcome == Outcome::Ok {
            self.ok.increment(1);
        } else {
            counter!("vumi_app_runs_total", "app" => self.app.clone(), "outcome" => run.outcome.code()).increment(1);
        }
        self.wall.record(seconds(run.wall_us));
        self.cpu.record(seconds(run.cpu_us));
        self.host.record(seconds(run.host_us));
        self.memory.record(run.peak_memory as f64);
        self.calls.record(run.host_calls as f64);
        self.sent.increment(run.sent);
    }
}
