//! `vumi:app/log`: the app's log (specification: sandbox, section 4).

use vumi_bindings::app::vumi::app::log::{Host, Level};
use vumi_core::LogLevel;

use crate::state::Guest;

impl Host for Guest {
    fn log(&mut self, level: Level, text: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warning => LogLevel::Warning,
            Level::Error => LogLevel::Error,
            Level::Critical => LogLevel::Critical,
        };
        self.listen("log.log", || vec![level.as_str().into(), text.as_str().into()])?;
        let answer = self.write_log(level, &self.traced(text));
        self.note(&answer);
        answer
    }
}

impl Guest {
    fn write_log(&mut self, level: LogLevel, text: &str) -> wasmtime::Result<()> {
        let began = self.begin()?;
        self.logbook().guest(level, text).map_err(wasmtime::Error::new)?;
        self.budget.end(began);
        Ok(())
    }
}
