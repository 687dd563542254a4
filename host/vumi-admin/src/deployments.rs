//! The seam between the API and the deployed apps: like [`Control`](crate::Control), implemented by the binary and
//! faked by the tests.

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::control::{ControlError, PageQuery};
use crate::model::{CanaryInfo, DeploymentInfo, DifferenceView, Page, RecordingInfo, RecordingView, Uploaded};

/// A component on its way in.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The app; made when it is not there.
    pub app: String,
    /// The component's bytes.
    pub component: Bytes,
    /// Who uploads it.
    pub by: String,
    /// What the uploader has to say about it.
    pub note: Option<String>,
    /// Where it came from.
    pub source: String,
    /// Whether the version is to answer messages at once.
    pub activate: bool,
    /// Settings to go with it, in the same step; those that are there stay when `None`.
    pub settings: Option<Map<String, Value>>,
}

/// Which recordings are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingFilter {
    /// Only of this app.
    pub app: Option<String>,
    /// Only of this user.
    pub user: Option<String>,
    /// How many, and older than which time.
    pub page: PageQuery,
}

/// What the API may do with deployed apps. Every change is one step: carried out wholly or not at all.
#[async_trait]
pub trait Deployments: Send + Sync + 'static {
    /// All deployed apps, sorted by name.
    async fn list(&self) -> Result<Vec<DeploymentInfo>, ControlError>;

    /// One of them.
    async fn one(&self, app: &str) -> Result<DeploymentInfo, ControlError>;

    /// Checks, compiles and keeps a component as a new version. May take as long as compiling does.
    async fn upload(&self, upload: Upload) -> Result<Uploaded, ControlError>;

    /// The component of a version.
    async fn component(&self, app: &str, version: u32) -> Result<Bytes, ControlError>;

    /// Makes a version the one that answers. With `generation`, only if the app has not changed since.
    async fn activate(&self, app: &str, version: u32, generation: Option<u64>) -> Result<DeploymentInfo, ControlError>;

    /// Makes the version that answered before answer again.
    async fn roll_back(&self, app: &str) -> Result<DeploymentInfo, ControlError>;

    /// Lets a version answer a share of the conversations; `None` ends that.
    async fn canary(&self, app: &str, canary: Option<CanaryInfo>) -> Result<DeploymentInfo, ControlError>;

    /// Runs a version in the shadow; `None` ends that.
    async fn shadow(&self, app: &str, version: Option<u32>) -> Result<DeploymentInfo, ControlError>;

    /// The newest differences between the live version and the shadow.
    async fn differences(&self, app: &str, page: PageQuery) -> Result<Page<DifferenceView>, ControlError>;

    /// Replaces the settings.
    async fn settings(&self, app: &str, settings: Map<String, Value>) -> Result<DeploymentInfo, ControlError>;

    /// Sets a secret.
    async fn put_secret(&self, app: &str, name: &str, value: &str) -> Result<(), ControlError>;

    /// Removes a secret.
    async fn remove_secret(&self, app: &str, name: &str) -> Result<(), ControlError>;

    /// Removes a version that is not in use.
    async fn remove_version(&self, app: &str, version: u32) -> Result<(), ControlError>;

    /// Takes an app out of service and removes it with its versions, settings and secrets. Its kv stays.
    async fn remove(&self, app: &str) -> Result<(), ControlError>;

    /// The newest recorded runs.
    async fn recordings(&self, filter: RecordingFilter) -> Result<Page<RecordingInfo>, ControlError>;

    /// One recorded run.
    async fn recording(&self, id: &str) -> Result<RecordingView, ControlError>;
}
