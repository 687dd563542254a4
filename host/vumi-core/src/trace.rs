//! How a trace follows a message through queues.
//!
//! A broker keeps, beside each body, the W3C `traceparent` of the span in which it was published, and hands it out
//! with the delivery; the worker that takes the delivery makes it the parent of its own span. Who exports traces
//! (OpenTelemetry, wired by the binary) installs a [`Propagator`]; without one, all of this is nothing.

use std::sync::OnceLock;

use tracing::Span;

/// Translates between `tracing` spans and `traceparent` texts.
pub trait Propagator: Send + Sync + 'static {
    /// The `traceparent` of the current span, if it is part of a trace.
    fn current(&self) -> Option<String>;
    /// Makes a span a child of the span that `parent` names. A text that is none is passed over.
    fn adopt(&self, span: &Span, parent: &str);
}

static PROPAGATOR: OnceLock<Box<dyn Propagator>> = OnceLock::new();

/// Installs the process's propagator; false when there was one already.
pub fn install(propagator: Box<dyn Propagator>) -> bool {
    PROPAGATOR.set(propagator).is_ok()
}

/// The `traceparent` of the current span, if traces are exported.
pub fn current() -> Option<String> {
    PROPAGATOR.get()?.current()
}

/// Makes `span` a child of the span in which a delivery was published.
pub fn adopt(span: &Span, parent: Option<&str>) {
    if let (Some(propagator), Some(parent)) = (PROPAGATOR.get(), parent) {
        propagator.adopt(span, parent);
    }
}
