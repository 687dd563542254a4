//! The deployed apps of the fake system: versions, what answers, trials, names of secrets, recordings. A component is
//! whatever begins like one.

mod samples;

pub use samples::tape;

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use vumi_admin::model::*;
use vumi_admin::{ControlError, Deployments, PageQuery, RecordingFilter, Upload};

use super::now;

pub struct FakeDeployments {
    apps: Mutex<BTreeMap<String, App>>,
    recordings: Mutex<Vec<RecordingView>>,
    /// What came with the last upload and the last secret, for tests to look at.
    pub last_upload: Mutex<Option<Upload>>,
    pub last_secret: Mutex<Option<String>>,
}

struct App {
    info: DeploymentInfo,
    components: BTreeMap<u32, Bytes>,
    differences: Vec<DifferenceView>,
}

impl App {
    fn new(name: &str) -> Self {
        let info = DeploymentInfo {
            name: name.into(),
            generation: 0,
            active: None,
            previous: None,
            canary: None,
            shadow: None,
            settings: Map::new(),
            secrets: Vec::new(),
            versions: Vec::new(),
            created_at: now(),
            updated_at: now(),
            warnings: Vec::new(),
        };
        Self { info, components: BTreeMap::new(), differences: Vec::new() }
    }

    fn changed(&mut self) -> DeploymentInfo {
        self.info.generation += 1;
        self.info.updated_at = now();
        self.info.clone()
    }

    fn has(&self, version: u32) -> Result<(), ControlError> {
        if self.info.versions.iter().any(|known| known.number == version) {
            return Ok(());
        }
        Err(ControlError::NotFound(format!("the app {:?} has no version {version}", self.info.name)))
    }

    fn switch(&mut self, version: u32) {
        if self.info.active != Some(version) {
            self.info.previous = self.info.active.replace(version);
        }
        self.info.canary.take_if(|canary| canary.version == version);
        self.info.shadow.take_if(|shadow| *shadow == version);
    }
}

fn hash(component: &[u8]) -> String {
    Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn invalid<T>(text: &str) -> Result<T, ControlError> {
    Err(ControlError::Invalid(text.into()))
}

fn older<T: Clone>(newest_first: impl Iterator<Item = T>, page: &PageQuery, cursor: fn(&T) -> u64) -> Page<T> {
    let mut left = newest_first.filter(|item| page.before.is_none_or(|before| cursor(item) < before));
    let items: Vec<T> = left.by_ref().take(page.limit).collect();
    let next = left.next().and(items.last().map(cursor));
    Page { items, next }
}

impl FakeDeployments {
    /// Keeps the recording of a run.
    pub fn record(&self, recording: RecordingView) {
        self.recordings.lock().push(recording);
    }

    fn with<T>(&self, app: &str, work: impl FnOnce(&mut App) -> Result<T, ControlError>) -> Result<T, ControlError> {
        let mut apps = self.apps.lock();
        let found = apps.get_mut(app);
        work(found.ok_or_else(|| ControlError::NotFound(format!("no app named {app:?} is deployed")))?)
    }
}

#[async_trait]
impl Deployments for FakeDeployments {
    async fn list(&self) -> Result<Vec<DeploymentInfo>, ControlError> {
        Ok(self.apps.lock().values().map(|app| app.info.clone()).collect())
    }

    async fn one(&self, app: &str) -> Result<DeploymentInfo, ControlError> {
        self.with(app, |app| Ok(app.info.clone()))
    }

    async fn upload(&self, upload: Upload) -> Result<Uploaded, ControlError> {
        if !upload.component.starts_with(b"\0asm") {
            return invalid("this is no component: it does not begin with \\0asm");
        }
        *self.last_upload.lock() = Some(upload.clone());
        let hash = hash(&upload.component);
        let mut apps = self.apps.lock();
        let app = apps.entry(upload.app.clone()).or_insert_with(|| App::new(&upload.app));
        let known = app.info.versions.iter().find(|version| version.hash == hash).cloned();
        let new = known.is_none();
        let version = known.unwrap_or_else(|| VersionInfo {
            number: app.components.keys().last().map_or(1, |last| last + 1),
            hash,
            bytes: upload.component.len() as u64,
            created_at: now(),
            created_by: upload.by,
            note: upload.note,
            source: upload.source,
        });
        if new {
            app.components.insert(version.number, upload.component);
            app.info.versions.insert(0, version.clone());
        }
        if let Some(settings) = upload.settings {
            app.info.settings = settings;
        }
        if upload.activate {
            app.switch(version.number);
        }
        let active = app.changed().active == Some(version.number);
        Ok(Uploaded { version, new, active })
    }

    async fn component(&self, app: &str, version: u32) -> Result<Bytes, ControlError> {
        self.with(app, |app| app.has(version).map(|()| app.components[&version].clone()))
    }

    async fn activate(&self, app: &str, version: u32, generation: Option<u64>) -> Result<DeploymentInfo, ControlError> {
        self.with(app, |app| {
            app.has(version)?;
            let is = app.info.generation;
            if generation.is_some_and(|expected| expected != is) {
                let text = format!("the app {:?} has changed: its generation is {is}; look at it again", app.info.name);
                return Err(ControlError::Conflict(text));
            }
            app.switch(version);
            Ok(app.changed())
        })
    }

    async fn roll_back(&self, app: &str) -> Result<DeploymentInfo, ControlError> {
        self.with(app, |app| {
            let Some(previous) = app.info.previous else {
                return Err(ControlError::Conflict("no version answered before".into()));
            };
            app.switch(previous);
            Ok(app.changed())
        })
    }

    async fn canary(&self, app: &str, canary: Option<CanaryInfo>) -> Result<DeploymentInfo, ControlError> {
        self.with(app, |app| {
            canary.map_or(Ok(()), |canary| app.has(canary.version))?;
            app.info.canary = canary;
            Ok(app.changed())
        })
    }

    async fn shadow(&self, app: &str, version: Option<u32>) -> Result<DeploymentInfo, ControlError> {
        self.with(app, |app| {
            version.map_or(Ok(()), |version| app.has(version))?;
            app.info.shadow = version;
            Ok(app.changed())
        })
    }

    async fn differences(&self, app: &str, page: PageQuery) -> Result<Page<DifferenceView>, ControlError> {
        self.with(app, |app| Ok(older(app.differences.iter().rev().cloned(), &page, |difference| difference.seq)))
    }

    async fn settings(&self, app: &str, settings: Map<String, Value>) -> Result<DeploymentInfo, ControlError> {
        self.with(app, |app| {
            app.info.settings = settings;
            Ok(app.changed())
        })
    }

    async fn put_secret(&self, app: &str, name: &str, value: &str) -> Result<(), ControlError> {
        self.with(app, |app| {
            *self.last_secret.lock() = Some(value.into());
            app.info.secrets.retain(|secret| secret.name != name);
            app.info.secrets.push(SecretInfo { name: name.into(), updated_at: now() });
            app.info.secrets.sort_by(|a, b| a.name.cmp(&b.name));
            app.changed();
            Ok(())
        })
    }

    async fn remove_secret(&self, app: &str, name: &str) -> Result<(), ControlError> {
        self.with(app, |app| {
            let before = app.info.secrets.len();
            app.info.secrets.retain(|secret| secret.name != name);
            if app.info.secrets.len() == before {
                return Err(ControlError::NotFound(format!("the app {:?} has no secret {name:?}", app.info.name)));
            }
            app.changed();
            Ok(())
        })
    }

    async fn remove_version(&self, app: &str, version: u32) -> Result<(), ControlError> {
        self.with(app, |app| {
            app.has(version)?;
            let canary = app.info.canary.map(|canary| canary.version);
            if [app.info.active, canary, app.info.shadow].contains(&Some(version)) {
                return Err(ControlError::Conflict(format!("version {version} is in use; activate another one first")));
            }
            app.info.previous.take_if(|previous| *previous == version);
            // Its number stays taken: the components keep it.
            app.components.insert(version, Bytes::new());
            app.info.versions.retain(|known| known.number != version);
            app.changed();
            Ok(())
        })
    }

    async fn remove(&self, app: &str) -> Result<(), ControlError> {
        self.with(app, |_| Ok(()))?;
        self.apps.lock().remove(app);
        Ok(())
    }

    async fn recordings(&self, filter: RecordingFilter) -> Result<Page<RecordingInfo>, ControlError> {
        let recordings = self.recordings.lock();
        let wanted = recordings.iter().rev().map(|recording| recording.info.clone()).filter(|info| {
            let of_user = filter.user.is_none() || filter.user == info.user;
            of_user && filter.app.as_deref().is_none_or(|app| app == info.app)
        });
        Ok(older(wanted, &filter.page, |info| info.at))
    }

    async fn recording(&self, id: &str) -> Result<RecordingView, ControlError> {
        let found = self.recordings.lock().iter().find(|recording| recording.info.id == id).cloned();
        found.ok_or_else(|| ControlError::NotFound(format!("there is no recording {id:?}")))
    }
}
