//! Apps that are deployed while the host runs.

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};
use vumi_admin::model::{CanaryInfo, DeploymentInfo, DifferenceView, Page, RecordingInfo, RecordingView, Uploaded};
use vumi_admin::{ControlError, Deployments, PageQuery, RecordingFilter, Upload};

#[derive(Default)]
pub(crate) struct Deployed;

fn none<T>() -> Result<T, ControlError> {
    Err(ControlError::NotFound("nothing is deployed here".into()))
}

#[async_trait]
impl Deployments for Deployed {
    async fn list(&self) -> Result<Vec<DeploymentInfo>, ControlError> {
        Ok(Vec::new())
    }
    async fn one(&self, _: &str) -> Result<DeploymentInfo, ControlError> {
        none()
    }
    async fn upload(&self, _: Upload) -> Result<Uploaded, ControlError> {
        none()
    }
    async fn component(&self, _: &str, _: u32) -> Result<Bytes, ControlError> {
        none()
    }
    async fn activate(&self, _: &str, _: u32, _: Option<u64>) -> Result<DeploymentInfo, ControlError> {
        none()
    }
    async fn roll_back(&self, _: &str) -> Result<DeploymentInfo, ControlError> {
        none()
    }
    async fn canary(&self, _: &str, _: Option<CanaryInfo>) -> Result<DeploymentInfo, ControlError> {
        none()
    }
    async fn shadow(&self, _: &str, _: Option<u32>) -> Result<DeploymentInfo, ControlError> {
        none()
    }
    async fn differences(&self, _: &str, _: PageQuery) -> Result<Page<DifferenceView>, ControlError> {
        none()
    }
    async fn settings(&self, _: &str, _: Map<String, Value>) -> Result<DeploymentInfo, ControlError> {
        none()
    }
    async fn put_secret(&self, _: &str, _: &str, _: &str) -> Result<(), ControlError> {
        none()
    }
    async fn remove_secret(&self, _: &str, _: &str) -> Result<(), ControlError> {
        none()
    }
    async fn remove_version(&self, _: &str, _: u32) -> Result<(), ControlError> {
        none()
    }
    async fn remove(&self, _: &str) -> Result<(), ControlError> {
        none()
    }
    async fn recordings(&self, _: RecordingFilter) -> Result<Page<RecordingInfo>, ControlError> {
        none()
    }
    async fn recording(&self, _: &str) -> Result<RecordingView, ControlError> {
        none()
    }
}
