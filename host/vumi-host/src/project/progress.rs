//! How a build is shown while it goes on: a spinner on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// See the module's text.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Says that a folder is being built; `unit` is what is counted.
    pub(super) fn start(folder: &Path, unit: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("building {} …", folder.display());
            return Self { bar: None };
        }
        let bar = ProgressBar::new_spinner();
        let template = format!("{{spinner}} building {{prefix}} · {{pos}} {unit} · {{msg}} · {{elapsed}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.set_prefix(folder.display().to_string());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar: Some(bar) }
    }

    pub(super) fn is_bar(&self) -> bool {
        self.bar.is_some()
    }

    pub(super) fn step(&self, name: &str) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            bar.set_message(name.to_owned());
        }
    }

    /// Ends the spinner; what it kept from being printed is printed now.
    pub(super) fn end(self, held_back: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            eprint!("{held_back}");
        }
    }
}
