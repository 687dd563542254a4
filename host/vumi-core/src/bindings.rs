//! Which addresses reach which deployed app: the table that the `bindings` dispatcher routes by.
//!
//! Apps come and go while the host runs, so the table is watched: every change is a new table, whole.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// One way to reach an app. What is left open fits everything; a binding that says more goes first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Binding {
    /// The transport that a message comes from.
    pub transport_name: Option<String>,
    /// The address that it was sent to: a short code, a USSD code, a number.
    pub to_addr: Option<String>,
    /// The first word of its content, whatever its case. Later messages of the session, and of the user until another
    /// keyword fits, go to the same app.
    pub keyword: Option<String>,
}

/// An app and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundApp {
    /// The app's connector.
    pub connector: String,
    /// How it is reached; nothing reaches an app without bindings.
    pub bindings: Vec<Binding>,
}

/// All deployed apps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindingTable {
    /// The apps, sorted by connector.
    pub apps: Vec<BoundApp>,
}

/// The table as it is now, and a notice of every change.
pub type BindingsWatch = watch::Receiver<Arc<BindingTable>>;

/// A table without apps, for systems to which nothing is deployed.
pub fn no_bindings() -> BindingsWatch {
    watch::channel(Arc::default()).1
}
