//! What became of building an app that is being worked on.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far the newest build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BuildState {
    /// The source has changed and is being built; the version before answers.
    Building,
    /// What was built answers.
    Ready,
    /// It does not build; the version before goes on answering.
    Failed,
}

/// The newest build of an app whose source is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BuildView {
    /// The app.
    pub app: String,
    /// When this became so, microseconds since the epoch.
    pub at: u64,
    /// How far it is.
    pub state: BuildState,
    /// Which version answers: 1 is the one that the host was started with.
    pub version: u64,
    /// SHA-256 of the version that answers, 64 lower-case hex digits.
    pub content_hash: String,
    /// How long building and putting it in place took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// What the compiler said: its mistakes when the build has failed, its complaints about types when it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}
