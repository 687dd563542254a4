//! Apps that are deployed while the host runs: uploaded, switched, rolled back, tried out and removed.
//!
//! The catalog says what is deployed, the roster runs it. A change is made in the catalog first, in one step; a host
//! that is killed at any moment comes back with what the catalog says. Changes are made one at a time; compiling is
//! not held up by that.

mod open;
mod roster;
mod settings;
mod views;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};
use vumi_admin::model::{CanaryInfo, DeploymentInfo, DifferenceView, Page, RecordingInfo, RecordingView, Uploaded};
use vumi_admin::{ControlError, Deployments, PageQuery, RecordingFilter, Upload};
use vumi_core::{
    AppChange, AppRecord, Catalog, Error, NewVersion, RecordingQuery, Recordings, Result, SealedSecret, VersionRecord,
};
use vumi_message::Timestamp;
use vumi_sandbox::{App, Library, LoadError, LoadedComponent, Origin, Plan, Release, Secret, Shadow};

use crate::control::control_error;
use crate::seal::Sealer;

pub(crate) use open::{Parts, open};
pub(crate) use roster::{Ground, Roster};
use settings::Settings;

/// The bytes of components, from the catalog.
pub(crate) struct CatalogOrigin(pub(crate) Arc<dyn Catalog>);

#[async_trait]
impl Origin for CatalogOrigin {
    async fn bytes(&self, hash: &str) -> Result<Option<Bytes>> {
        self.0.component(hash).await
    }
}

/// See the module's text.
pub(crate) struct Deployed {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) recordings: Arc<dyn Recordings>,
    pub(crate) library: Arc<Library>,
    pub(crate) sealer: Sealer,
    pub(crate) roster: Arc<Roster>,
    /// Names of the configuration's own apps, transports and dispatchers.
    pub(crate) taken: BTreeSet<String>,
    /// One change at a time.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

type Answer<T> = std::result::Result<T, ControlError>;

fn failed(error: Error) -> ControlError {
    control_error(&error)
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// What a sealed secret belongs to.
fn belongs(app: &str, name: &str) -> String {
    format!("{app}\0{name}")
}

impl Deployed {
    /// Starts every app of the catalog. Nothing is compiled or brought into memory for that. An app that cannot be
    /// started is reported and does not keep the others from it.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub(crate) async fn start_all(&self) -> Result<()> {
        for record in self.catalog.apps().await? {
            if record.active.is_none() {
                continue;
            }
            if self.taken.contains(&record.name) {
                tracing::error!(app = record.name, "a deployed app is not started: the configuration has the name too");
                continue;
            }
            if let Err(error) = self.start(&record).await {
                tracing::error!(app = record.name, "a deployed app is not started: {}", error.report());
            }
        }
        Ok(())
    }

    /// Starts an app as its record says.
    async fn start(&self, record: &AppRecord) -> Result<()> {
        let Some(active) = record.active else { return Ok(()) };
        let settings = self.complete(&record.name, Settings::of_text(&record.name, &record.settings)?).await?;
        let live = self.release(&record.name, active).await?;
        let app = self.roster.make(&record.name, &settings, &live.component)?;
        // Before its first message: nobody is to be answered by the wrong version.
        app.follow(self.plan(record, active, &app).await?);
        self.roster.start(&record.name, settings, app).await;
        Ok(())
    }

    /// Settings with the app's secrets among the texts of its configuration.
    async fn complete(&self, name: &str, mut settings: Settings) -> Result<Settings> {
        for secret in self.catalog.secrets(name).await? {
            let text = self.sealer.unseal(&belongs(name, &secret.name), &secret.sealed)?;
            settings.secrets.push(Secret { name: secret.name.clone(), value: text.clone() });
            settings.app.config.insert(secret.name, text);
        }
        Ok(settings)
    }

    /// What a record says about who is answered by which version.
    async fn plan(&self, record: &AppRecord, active: u32, app: &App) -> Result<Plan> {
        let mut plan = Plan::live(self.release(&record.name, active).await?);
        if let Some(canary) = record.canary {
            plan.canary = Some((self.release(&record.name, canary.version).await?, canary.share));
        }
        if let Some(number) = record.shadow {
            // A shadow that goes on keeps what it wrote.
            let running = app.plan().shadow.clone().filter(|shadow| shadow.number() == Some(number));
            plan.shadow = Some(match running {
                Some(shadow) => shadow,
                None => {
                    let release = self.release(&record.name, number).await?;
                    Shadow::of(app, release, Arc::clone(&self.recordings))
                }
            });
        }
        Ok(plan)
    }

    async fn release(&self, app: &str, number: u32) -> Result<Release> {
        let version = self.catalog.version(app, number).await?;
        let version = version.ok_or_else(|| Error::permanent(format!("the app `{app}` has no version {number}")))?;
        Ok(Release { number: Some(number), component: self.library.register(&version.hash, version.bytes) })
    }

    async fn record(&self, app: &str) -> Answer<AppRecord> {
        let found = self.catalog.app(app).await.map_err(failed)?;
        found.ok_or_else(|| ControlError::NotFound(format!("no app named `{app}` is deployed")))
    }

    async fn info(&self, record: AppRecord) -> Answer<DeploymentInfo> {
        let versions = self.catalog.versions(&record.name).await.map_err(failed)?;
        let secrets = self.catalog.secrets(&record.name).await.map_err(failed)?;
        let warnings = self.roster.warnings(&record.name);
        Ok(DeploymentInfo { warnings, ..views::app(record, versions, secrets) })
    }

    async fn has_version(&self, app: &str, number: u32) -> Answer<VersionRecord> {
        self.record(app).await?;
        let found = self.catalog.version(app, number).await.map_err(failed)?;
        found.ok_or_else(|| ControlError::NotFound(format!("the app `{app}` has no version {number}")))
    }

    /// A change of which version answers whom: in the catalog, then in the running app.
    async fn switch(&self, app: &str, change: AppChange, expected: Option<u64>) -> Answer<DeploymentInfo> {
        let _turn = self.turn.lock().await;
        let before = self.record(app).await?;
        // What is to answer must be able to run: compiled, mapped, and fit for the settings.
        if let AppChange::Activate(number) = &change {
            let release = self.release(app, *number).await.map_err(failed)?;
            let settings = Settings::of_text(app, &before.settings).map_err(failed)?;
            self.roster.make(app, &settings, &release.component).map_err(failed)?;
            release.component.prepare().await.map_err(ControlError::Unavailable)?;
        }
        let record = self.catalog.change(app, change, expected, now()).await.map_err(conflict)?;
        self.carry_out(&record).await;
        self.info(record).await
    }

    /// The catalog has it: from here on nothing may fail halfway. What fails is put right by the next start.
    async fn carry_out(&self, record: &AppRecord) {
        let done = match (self.roster.app(&record.name), record.active) {
            (Some(app), Some(active)) => self.plan(record, active, &app).await.map(|plan| app.follow(plan)),
            _ => self.start(record).await,
        };
        if let Err(error) = done {
            tracing::error!(app = record.name, "the app does not follow its record: {}", error.report());
        }
    }

    /// Puts an app in its own place again, for other settings or secrets.
    async fn restart(&self, record: &AppRecord) {
        if record.active.is_none() {
            return;
        }
        if let Err(error) = self.start(record).await {
            tracing::error!(app = record.name, "the app is not started anew: {}", error.report());
        }
    }

    fn check_name(&self, app: &str) -> Answer<()> {
        if self.taken.contains(app) {
            return Err(ControlError::Invalid(format!(
                "the configuration file has an app, a transport or a dispatcher named `{app}`: deploy under another name"
            )));
        }
        vumi_core::names::check(app).map_err(failed)
    }

    async fn admit(&self, upload: &Upload) -> Answer<LoadedComponent> {
        self.library.admit(&upload.component, "the upload").await.map_err(|error| match error {
            LoadError::Unavailable { .. } | LoadError::Cache { .. } => ControlError::Unavailable(error.to_string()),
            other => ControlError::Invalid(other.to_string()),
        })
    }
}

/// A change that the catalog refuses came too late, or makes no sense; either way the caller has to look again.
fn conflict(error: Error) -> ControlError {
    if error.is_temporary() { failed(error) } else { ControlError::Conflict(error.to_string()) }
}

#[async_trait]
impl Deployments for Deployed {
    async fn list(&self) -> Answer<Vec<DeploymentInfo>> {
        let mut infos = Vec::new();
        for record in self.catalog.apps().await.map_err(failed)? {
            infos.push(self.info(record).await?);
        }
        Ok(infos)
    }

    async fn one(&self, app: &str) -> Answer<DeploymentInfo> {
        self.info(self.record(app).await?).await
    }

    async fn upload(&self, upload: Upload) -> Answer<Uploaded> {
        self.check_name(&upload.app)?;
        let name = upload.app.as_str();
        let given = match &upload.settings {
            Some(given) => Some(Settings::read(name, given.clone()).map_err(failed)?),
            None => None,
        };
        let component = self.admit(&upload).await?;
        let _turn = self.turn.lock().await;
        let existing = self.catalog.app(name).await.map_err(failed)?;
        let settings = match (given, &existing) {
            (Some(settings), _) => settings,
            (None, Some(record)) => Settings::of_text(name, &record.settings).map_err(failed)?,
            (None, None) => Settings::read(name, Map::new()).map_err(failed)?,
        };
        self.roster.make(name, &settings, &component).map_err(failed)?;
        let version = NewVersion {
            app: name.to_owned(),
            hash: component.hash().to_owned(),
            component: upload.component.clone(),
            created_by: upload.by.clone(),
            note: upload.note.clone(),
            source: upload.source.clone(),
            at: now(),
        };
        let (version, new) = self.catalog.upload(version).await.map_err(failed)?;
        let settings = upload.settings.map(|given| Value::Object(given).to_string());
        let change = match (upload.activate, settings) {
            (true, None) => Some(AppChange::Activate(version.number)),
            (true, Some(settings)) => Some(AppChange::ActivateWith(version.number, settings)),
            (false, Some(settings)) => Some(AppChange::Settings(settings)),
            (false, None) => None,
        };
        let mut active = existing.is_some_and(|record| record.active == Some(version.number));
        if let Some(change) = change {
            let anew = !matches!(change, AppChange::Activate(_));
            let record = self.catalog.change(name, change, None, now()).await.map_err(conflict)?;
            active = record.active == Some(version.number);
            if anew {
                self.restart(&record).await;
            } else {
                self.carry_out(&record).await;
            }
        }
        tracing::info!(app = name, version = version.number, hash = version.hash, new, active, "deployed");
        Ok(Uploaded { version: views::version(version), new, active })
    }

    async fn component(&self, app: &str, version: u32) -> Answer<Bytes> {
        let version = self.has_version(app, version).await?;
        let bytes = self.catalog.component(&version.hash).await.map_err(failed)?;
        bytes.ok_or_else(|| ControlError::Unavailable(format!("the component of `{app}` is gone from the catalog")))
    }

    async fn activate(&self, app: &str, version: u32, generation: Option<u64>) -> Answer<DeploymentInfo> {
        self.has_version(app, version).await?;
        self.switch(app, AppChange::Activate(version), generation).await
    }

    async fn roll_back(&self, app: &str) -> Answer<DeploymentInfo> {
        self.switch(app, AppChange::RollBack, None).await
    }

    async fn canary(&self, app: &str, canary: Option<CanaryInfo>) -> Answer<DeploymentInfo> {
        let canary = match canary {
            None => None,
            Some(info) => {
                self.has_version(app, info.version).await?;
                Some(views::canary(info).ok_or_else(|| {
                    ControlError::Invalid("`percent` must be above 0 and at most 100, with two decimals".into())
                })?)
            }
        };
        self.switch(app, AppChange::Canary(canary), None).await
    }

    async fn shadow(&self, app: &str, version: Option<u32>) -> Answer<DeploymentInfo> {
        if let Some(version) = version {
            self.has_version(app, version).await?;
        }
        self.switch(app, AppChange::Shadow(version), None).await
    }

    async fn differences(&self, app: &str, page: PageQuery) -> Answer<Page<DifferenceView>> {
        self.record(app).await?;
        let wanted = page.limit.saturating_add(1);
        let found = self.recordings.differences(app, page.before, wanted).await.map_err(failed)?;
        let views = found.into_iter().map(views::difference).collect();
        Ok(crate::control::page(views, &page, |view: &DifferenceView| view.seq))
    }

    async fn settings(&self, app: &str, settings: Map<String, Value>) -> Answer<DeploymentInfo> {
        let checked = Settings::read(app, settings.clone()).map_err(failed)?;
        let _turn = self.turn.lock().await;
        let before = self.record(app).await?;
        if let Some(active) = before.active {
            let release = self.release(app, active).await.map_err(failed)?;
            self.roster.make(app, &checked, &release.component).map_err(failed)?;
        }
        let change = AppChange::Settings(Value::Object(settings).to_string());
        let record = self.catalog.change(app, change, None, now()).await.map_err(conflict)?;
        self.restart(&record).await;
        self.info(record).await
    }

    async fn put_secret(&self, app: &str, name: &str, value: &str) -> Answer<()> {
        let _turn = self.turn.lock().await;
        let record = self.record(app).await?;
        let sealed = self.sealer.seal(&belongs(app, name), value).map_err(|error| failed(error.into()))?;
        let secret = SealedSecret { name: name.to_owned(), sealed, updated_at: now() };
        self.catalog.put_secret(app, secret).await.map_err(failed)?;
        self.restart(&record).await;
        Ok(())
    }

    async fn remove_secret(&self, app: &str, name: &str) -> Answer<()> {
        let _turn = self.turn.lock().await;
        let record = self.record(app).await?;
        if !self.catalog.remove_secret(app, name).await.map_err(failed)? {
            return Err(ControlError::NotFound(format!("the app `{app}` has no secret `{name}`")));
        }
        self.restart(&record).await;
        Ok(())
    }

    async fn remove_version(&self, app: &str, version: u32) -> Answer<()> {
        let _turn = self.turn.lock().await;
        self.has_version(app, version).await?;
        self.catalog.remove_version(app, version).await.map_err(conflict).map(drop)
    }

    async fn remove(&self, app: &str) -> Answer<()> {
        let _turn = self.turn.lock().await;
        self.record(app).await?;
        // Out of the catalog first: a host that is killed here comes back without the app.
        self.catalog.remove_app(app).await.map_err(failed)?;
        self.roster.remove(app).await;
        tracing::info!(app, "removed");
        Ok(())
    }

    async fn recordings(&self, filter: RecordingFilter) -> Answer<Page<RecordingInfo>> {
        let before = filter.page.before.map(|micros| Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)));
        let limit = filter.page.limit.saturating_add(1);
        let query = RecordingQuery { app: filter.app, user: filter.user, before, limit };
        let found = self.recordings.list(query).await.map_err(failed)?;
        let infos = found.iter().map(views::recording).collect();
        Ok(crate::control::page(infos, &filter.page, |info: &RecordingInfo| info.at))
    }

    async fn recording(&self, id: &str) -> Answer<RecordingView> {
        let found = self.recordings.get(id).await.map_err(failed)?;
        let found = found.ok_or_else(|| ControlError::NotFound(format!("there is no recording `{id}`")))?;
        let tape = vumi_message::json::parse(found.tape.as_bytes())
            .map_err(|error| ControlError::Unavailable(format!("the recording `{id}` cannot be read: {error}")))?;
        Ok(RecordingView { info: views::recording(&found), tape })
    }
}
