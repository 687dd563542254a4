//! What is logged while a test runs. It works for tests whose runtime has one thread, which is the default.

use std::fmt::Debug;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) text: String,
    /// `name=value` of the other fields, each followed by a blank.
    pub(crate) fields: String,
}

/// Watches from now on, for this thread, until dropped.
pub(crate) struct Logs {
    lines: Arc<Mutex<Vec<Line>>>,
    _watching: DefaultGuard,
}

impl Logs {
    pub(crate) fn watch() -> Self {
        // What no subscriber of the process wants is switched off where it is logged, for all threads: tests that end
        // beside this one must not do that to it. An error means that there is such a subscriber already.
        static WANTED: std::sync::Once = std::sync::Once::new();
        WANTED.call_once(|| drop(tracing::subscriber::set_global_default(tracing_subscriber::registry())));
        let lines = Arc::default();
        let subscriber = tracing_subscriber::registry().with(Shelf(Arc::clone(&lines)));
        Self { lines, _watching: tracing::subscriber::set_default(subscriber) }
    }

    /// The lines of the host at this level.
    pub(crate) fn at(&self, level: Level) -> Vec<Line> {
        self.lines.lock().iter().filter(|line| line.level == level).cloned().collect()
    }

    /// The only error.
    #[track_caller]
    pub(crate) fn error(&self) -> Line {
        let mut errors = self.at(Level::ERROR);
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors.remove(0)
    }

    /// True when a text was logged at any level.
    pub(crate) fn hold(&self, text: &str) -> bool {
        self.lines.lock().iter().any(|line| line.text.contains(text) || line.fields.contains(text))
    }
}

struct Shelf(Arc<Mutex<Vec<Line>>>);

impl<S: Subscriber> Layer<S> for Shelf {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("vumi") {
            let mut line = Line { level: *event.metadata().level(), text: String::new(), fields: String::new() };
            event.record(&mut line);
            self.0.lock().push(line);
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.text = format!("{value:?}"),
            name => self.fields.push_str(&format!("{name}={value:?} ")),
        }
    }
}
