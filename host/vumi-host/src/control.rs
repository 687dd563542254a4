//! The admin server's view of the running system.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;
use vumi_admin::model::{
    AppInfo, AppLimits, DeadLetter, DispatcherCounters, DispatcherInfo, Health, HealthStatus, KvListing, Listening,
    LogLine, MessageView, Page, PhoneInfo, PhoneKind, PhoneSend, PhoneThread, QueueInfo, RunView, SessionAction,
    SimulatorInfo, SystemInfo, TransportInfo, WorkerInfo, WorkerKind, WorkerStatus,
};
use vumi_admin::{AccessStore, Control, ControlError, Deployments, EventHub, MessageQuery, PageQuery};
use vumi_core::{Broker, Error, KvStore, Retry, Store, names};
use vumi_message::{SessionEvent, Timestamp};
use vumi_sandbox::{App, AppConfig};
use vumi_transport::simulator::{PhoneMessage, SimulatorConfig, SimulatorHandle};

use crate::access::Access;
use crate::backends::Engine;
use crate::board::Board;
use crate::deploy::Deployed;
use crate::views;

/// One app of the system.
#[derive(Clone)]
pub(crate) struct AppEntry {
    pub(crate) name: String,
    pub(crate) connector: String,
    pub(crate) kind: AppKind,
}

/// What an app is.
#[derive(Clone)]
pub(crate) enum AppKind {
    /// A WebAssembly component.
    Guest { app: Arc<App>, config: Arc<AppConfig> },
    /// An application of the host itself.
    Native { class: &'static str, parallel: usize },
}

impl AppEntry {
    /// The guest, if it is one.
    pub(crate) fn guest(&self) -> Option<&Arc<App>> {
        match &self.kind {
            AppKind::Guest { app, .. } => Some(app),
            AppKind::Native { .. } => None,
        }
    }
}

/// One worker of the system.
pub(crate) struct WorkerEntry {
    pub(crate) name: String,
    pub(crate) class: &'static str,
}

/// One transport of the system.
pub(crate) struct TransportEntry {
    pub(crate) name: String,
    pub(crate) class: &'static str,
}

/// One dispatcher of the system.
pub(crate) struct DispatcherEntry {
    pub(crate) class: &'static str,
    pub(crate) dispatcher: Arc<vumi_dispatch::Dispatcher>,
}

/// The phones' way in.
pub(crate) struct Phones {
    pub(crate) transport_name: String,
    pub(crate) handle: SimulatorHandle,
    pub(crate) offered: SimulatorConfig,
}

/// See the module's text.
pub(crate) struct Desk {
    pub(crate) board: Arc<Board>,
    pub(crate) engines: Vec<Engine>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) kv: Arc<dyn KvStore>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) apps: Vec<AppEntry>,
    pub(crate) transports: Vec<TransportEntry>,
    pub(crate) dispatchers: Vec<DispatcherEntry>,
    pub(crate) workers: Vec<WorkerEntry>,
    pub(crate) phones: Option<Phones>,
    pub(crate) deployed: Arc<Deployed>,
    pub(crate) access: Access,
    pub(crate) data_dir: Option<String>,
    pub(crate) pagemap_scan: bool,
    pub(crate) admin_address: Option<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) started: Instant,
    pub(crate) started_at: Timestamp,
    pub(crate) draining: AtomicBool,
}

pub(crate) fn control_error(error: &Error) -> ControlError {
    match error.retry() {
        Retry::No => ControlError::Invalid(error.to_string()),
        Retry::After(retry_after) => ControlError::Full { retry_after },
        Retry::Later => ControlError::Unavailable(error.report()),
    }
}

impl Desk {
    fn find(&self, name: &str) -> Result<AppEntry, ControlError> {
        let own = self.apps.iter().find(|entry| entry.name == name).cloned();
        let found = own.or_else(|| self.deployed.roster.entry(name));
        found.ok_or_else(|| ControlError::NotFound(format!("there is no app named `{name}`")))
    }

    fn state(&self, kind: WorkerKind, name: &str) -> (WorkerStatus, Option<String>, Option<String>) {
        self.board
            .worker(kind, name)
            .map_or((WorkerStatus::Starting, None, None), |state| (state.status, state.message, state.at))
    }

    fn app_info(&self, entry: &AppEntry) -> AppInfo {
        let name = entry.name.as_str();
        let (status, status_message, _) = self.state(WorkerKind::App, name);
        let (counters, last_error) = self.board.app(name);
        let (component, content_hash, sandbox_id, limits) = match &entry.kind {
            AppKind::Guest { app, config } => {
                let limits = guest_limits(config);
                (config.component.clone(), app.component().0, app.sandbox_id().to_owned(), limits)
            }
            AppKind::Native { class, parallel } => {
                let limits = AppLimits { concurrency: Some(*parallel as u64), ..AppLimits::default() };
                ((*class).to_owned(), String::new(), String::new(), limits)
            }
        };
        AppInfo {
            name: name.to_owned(),
            component,
            content_hash,
            sandbox_id,
            transport_name: entry.connector.clone(),
            queues: vec![
                names::inbound(&entry.connector),
                names::event(&entry.connector),
                names::outbound(&entry.connector),
            ],
            status,
            status_message,
            limits,
            counters,
            last_error,
            build: self.board.newest_build(name),
        }
    }

    fn dispatcher_info(&self, entry: &DispatcherEntry) -> DispatcherInfo {
        let dispatcher = &entry.dispatcher;
        let (status, status_message, _) = self.state(WorkerKind::Dispatcher, &dispatcher.name);
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        DispatcherInfo {
            name: dispatcher.name.clone(),
            class: entry.class.to_owned(),
            transport_names: dispatcher.shared.transport_names.clone(),
            exposed_names: dispatcher.shared.exposed_names.clone(),
            status,
            status_message,
            counters: DispatcherCounters {
                inbound: read(&dispatcher.passed.inbound),
                outbound: read(&dispatcher.passed.outbound),
                events: read(&dispatcher.passed.events),
                unroutable: read(&dispatcher.passed.unroutable),
            },
        }
    }
}

fn guest_limits(config: &AppConfig) -> AppLimits {
    let limits = &config.limits;
    AppLimits {
        wall_ms: Some(config.timeout.saturating_mul(1_000)),
        cpu_ms: Some(limits.cpu_ms),
        memory_bytes: Some(limits.memory.0),
        host_calls: Some(limits.host_calls),
        outbound_messages: Some(limits.outbound_messages),
        log_bytes: Some(limits.log_bytes.0),
        http_requests: Some(limits.http_requests),
        http_bytes: Some(limits.http_bytes.0),
        kv_keys: Some(limits.kv_keys),
        kv_value_bytes: Some(limits.kv_value.0),
        concurrency: Some(config.parallel as u64),
    }
}

/// A page of records that are numbered by their time.
pub(crate) fn page<T>(mut items: Vec<T>, query: &PageQuery, seq: impl Fn(&T) -> u64) -> Page<T> {
    items.retain(|item| query.before.is_none_or(|before| seq(item) < before));
    let more = items.len() > query.limit;
    items.truncate(query.limit);
    let next = if more { items.last().map(&seq) } else { None };
    Page { items, next }
}

/// How many records are read to find a page of older ones.
const DEEPEST_PAGE: usize = 10_000;

fn depth(query: &PageQuery) -> usize {
    if query.before.is_some() { DEEPEST_PAGE } else { query.limit.saturating_add(1) }
}

#[async_trait]
impl Control for Desk {
    fn deployments(&self) -> &dyn Deployments {
        &*self.deployed
    }

    fn access(&self) -> &dyn AccessStore {
        &self.access
    }

    fn health(&self) -> Health {
        let mut down = self.board.down();
        let away = self.engines.iter().filter(|engine| !engine.is_connected());
        down.extend(away.map(|engine| format!("{} at {}", engine.what, engine.place)));
        let status = if self.draining.load(Ordering::Relaxed) {
            HealthStatus::Draining
        } else if down.is_empty() {
            HealthStatus::Ok
        } else {
            HealthStatus::Down
        };
        Health { status, version: env!("CARGO_PKG_VERSION").to_owned(), down }
    }

    fn events(&self) -> &EventHub {
        &self.board.hub
    }

    async fn metrics_text(&self) -> String {
        self.metrics.render()
    }

    async fn system(&self) -> Result<SystemInfo, ControlError> {
        let admin = self.admin_address.iter().map(|at| Listening { name: "admin".into(), address: at.clone() });
        let mut listening: Vec<Listening> = admin.collect();
        for entry in &self.transports {
            if let (_, _, Some(address)) = self.state(WorkerKind::Transport, &entry.name) {
                listening.push(Listening { name: entry.name.clone(), address });
            }
        }
        let apps = self.apps.iter().map(|entry| (WorkerKind::App, &entry.name));
        let workers = self.workers.iter().map(|entry| (WorkerKind::Worker, &entry.name));
        for (kind, name) in apps.chain(workers) {
            if let (_, _, Some(address)) = self.state(kind, name) {
                listening.push(Listening { name: name.clone(), address });
            }
        }
        Ok(SystemInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: views::micros(self.started_at),
            uptime_seconds: self.started.elapsed().as_secs(),
            durable: self.data_dir.is_some() || self.broker.is_shared(),
            data_dir: self.data_dir.clone(),
            pagemap_scan: self.pagemap_scan,
            listening,
            warnings: self.warnings.clone(),
            simulator: self.phones.as_ref().map(|phones| SimulatorInfo {
                transport_name: phones.transport_name.clone(),
                ussd_code: phones.offered.ussd_code.clone(),
                sms_number: phones.offered.sms_number.clone(),
            }),
        })
    }

    async fn apps(&self) -> Result<Vec<AppInfo>, ControlError> {
        let deployed = self.deployed.roster.entries();
        let mut infos: Vec<AppInfo> = self.apps.iter().chain(&deployed).map(|entry| self.app_info(entry)).collect();
        infos.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(infos)
    }

    async fn app(&self, name: &str) -> Result<AppInfo, ControlError> {
        self.find(name).map(|entry| self.app_info(&entry))
    }

    async fn runs(&self, app: &str, query: PageQuery) -> Result<Page<RunView>, ControlError> {
        self.find(app)?;
        let runs = self.store.runs(Some(app), depth(&query)).await.map_err(|error| control_error(&error))?;
        Ok(page(runs.iter().map(views::run).collect(), &query, |run: &RunView| run.seq))
    }

    async fn logs(&self, app: &str, query: PageQuery) -> Result<Page<LogLine>, ControlError> {
        self.find(app)?;
        let lines = self.store.logs(Some(app), depth(&query)).await.map_err(|error| control_error(&error))?;
        Ok(page(lines.iter().map(views::log).collect(), &query, |line: &LogLine| line.seq))
    }

    async fn kv(&self, app: &str, prefix: &str, limit: usize) -> Result<KvListing, ControlError> {
        let entry = self.find(app)?;
        let Some(guest) = entry.guest() else {
            return Err(ControlError::Invalid(format!("the app `{app}` is part of the host and has no kv of its own")));
        };
        let own = guest.kv_prefix().to_owned();
        let wanted = format!("{own}{prefix}");
        let entries = self.kv.list(&wanted, limit.saturating_add(1)).await.map_err(|error| control_error(&error))?;
        let more = entries.len() > limit;
        let items = entries.into_iter().take(limit).map(|entry| views::kv(entry, &own)).collect();
        Ok(KvListing { items, more })
    }

    async fn transports(&self) -> Result<Vec<TransportInfo>, ControlError> {
        let info = |entry: &TransportEntry| {
            let (status, status_message, listen) = self.state(WorkerKind::Transport, &entry.name);
            TransportInfo {
                name: entry.name.clone(),
                class: entry.class.to_owned(),
                transport_type: None,
                listen,
                status,
                status_message,
                counters: self.board.transport(&entry.name),
            }
        };
        Ok(self.transports.iter().map(info).collect())
    }

    async fn dispatchers(&self) -> Result<Vec<DispatcherInfo>, ControlError> {
        Ok(self.dispatchers.iter().map(|entry| self.dispatcher_info(entry)).collect())
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>, ControlError> {
        let info = |entry: &WorkerEntry| {
            let (status, status_message, listen) = self.state(WorkerKind::Worker, &entry.name);
            WorkerInfo { name: entry.name.clone(), class: entry.class.to_owned(), status, status_message, listen }
        };
        Ok(self.workers.iter().map(info).collect())
    }

    async fn queues(&self) -> Result<Vec<QueueInfo>, ControlError> {
        let queues = self.broker.queues().await.map_err(|error| control_error(&error))?;
        Ok(queues.into_iter().map(views::queue).collect())
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, ControlError> {
        let letters = self.broker.dead_letters(queue, limit).await.map_err(|error| control_error(&error))?;
        Ok(letters.into_iter().map(views::dead_letter).collect())
    }

    async fn requeue_dead_letter(&self, queue: &str, id: &str) -> Result<(), ControlError> {
        let number = letter_number(queue, id)?;
        match self.broker.revive(queue, number).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(no_letter(queue, id)),
            Err(error) => Err(control_error(&error)),
        }
    }

    async fn drop_dead_letter(&self, queue: &str, id: &str) -> Result<(), ControlError> {
        let number = letter_number(queue, id)?;
        match self.broker.bury(queue, number).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(no_letter(queue, id)),
            Err(error) => Err(control_error(&error)),
        }
    }

    async fn messages(&self, query: MessageQuery) -> Result<Page<MessageView>, ControlError> {
        let limit = query.page.limit;
        let wanted = vumi_core::MessageQuery {
            transport_name: query.transport_name,
            user: query.user,
            before: query.page.before,
            limit: limit.saturating_add(1),
        };
        let records = self.store.messages(wanted).await.map_err(|error| control_error(&error))?;
        let items = records.iter().map(views::message).collect();
        Ok(page(items, &query.page, |view: &MessageView| view.seq))
    }

    async fn phones(&self) -> Result<Vec<PhoneInfo>, ControlError> {
        Ok(self.board.phones.phones())
    }

    async fn phone(&self, addr: &str) -> Result<PhoneThread, ControlError> {
        Ok(self.board.phones.thread(addr))
    }

    async fn send_from_phone(&self, addr: &str, send: PhoneSend) -> Result<String, ControlError> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(ControlError::Full { retry_after: Duration::from_secs(5) });
        }
        let Some(phones) = &self.phones else {
            return Err(ControlError::NotFound("this system has no transport of class `simulator`".into()));
        };
        let message = PhoneMessage {
            from_addr: addr.to_owned(),
            to_addr: send.to_addr,
            transport_type: match send.kind {
                PhoneKind::Ussd => "ussd".into(),
                PhoneKind::Sms => "sms".into(),
            },
            content: send.content,
            session_event: send.action.map(|action| match action {
                SessionAction::New => SessionEvent::New,
                SessionAction::Resume => SessionEvent::Resume,
                SessionAction::Close => SessionEvent::Close,
            }),
        };
        phones.handle.inject(message).await.map_err(|error| control_error(&error))
    }
}

fn letter_number(queue: &str, id: &str) -> Result<u64, ControlError> {
    id.parse().map_err(|_| no_letter(queue, id))
}

fn no_letter(queue: &str, id: &str) -> ControlError {
    ControlError::NotFound(format!("queue `{queue}` has no dead letter `{id}`"))
}
