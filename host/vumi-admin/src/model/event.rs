//! What the live stream carries.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BuildView, LogLine, MessageView, PhoneUpdate, RunView, WorkerStatus};

/// What kind of worker a status change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkerKind {
    /// An application.
    App,
    /// A transport.
    Transport,
    /// A dispatcher.
    Dispatcher,
    /// A worker beside the conversation: a scheduler, a collector.
    Worker,
}

/// A worker's status changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusChange {
    /// When, microseconds since the epoch.
    pub at: u64,
    /// What kind of worker.
    pub kind: WorkerKind,
    /// Its name.
    pub name: String,
    /// Its status from now on.
    pub status: WorkerStatus,
    /// One sentence that explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Something that happened. On the stream the variant is the event's name and the content its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SystemEvent {
    /// A message passed.
    Message(MessageView),
    /// An app wrote a log line.
    Log(LogLine),
    /// A run ended.
    Run(RunView),
    /// A worker's status changed.
    Status(StatusChange),
    /// A simulated phone's screen changed.
    Phone(PhoneUpdate),
    /// An app that is being worked on was changed, and is built, in place, or does not build.
    Build(BuildView),
}

impl SystemEvent {
    /// The event's name on the stream.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Log(_) => "log",
            Self::Run(_) => "run",
            Self::Status(_) => "status",
            Self::Phone(_) => "phone",
            Self::Build(_) => "build",
        }
    }

    /// The app that it is about, if it is about one.
    #[must_use]
    pub fn app(&self) -> Option<&str> {
        match self {
            Self::Message(message) => message.app.as_deref(),
            Self::Log(line) => Some(&line.app),
            Self::Run(run) => Some(&run.app),
            Self::Status(change) => (change.kind == WorkerKind::App).then_some(&*change.name),
            Self::Build(build) => Some(&build.app),
            Self::Phone(_) => None,
        }
    }

    /// The transport that it is about, if it is about one.
    #[must_use]
    pub fn transport(&self) -> Option<&str> {
        match self {
            Self::Message(message) => message.transport_name.as_deref(),
            Self::Run(run) => run.transport_name.as_deref(),
            Self::Status(change) => (change.kind == WorkerKind::Transport).then_some(&*change.name),
            Self::Log(_) | Self::Phone(_) | Self::Build(_) => None,
        }
    }

    /// The user's address that it is about, if it is about one.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Message(message) => message.user.as_deref(),
            Self::Log(line) => line.user.as_deref(),
            Self::Run(run) => run.user.as_deref(),
            Self::Phone(update) => Some(&update.addr),
            Self::Status(_) | Self::Build(_) => None,
        }
    }
}

/// An event with its number on the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sequenced {
    /// Grows by one with each event; also greater than every id of an earlier process.
    pub id: u64,
    /// What happened.
    pub event: SystemEvent,
}
