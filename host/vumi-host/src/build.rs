//! From a configuration to workers that run: each section of the file, one after the other.

use std::sync::Arc;

use vumi_core::component::Configured;
use vumi_core::{Context, Result, SystemClock};
use vumi_dispatch::{Dispatcher, Passed, Place};
use vumi_sandbox::{ComponentCache, MetricSink, Sandbox};
use vumi_transport::{Built, Readiness, Sites, TransportConfig, TransportPlace, TransportShared, TransportWorker};
use vumi_worker::heartbeat::HeartbeatPublisher;
use vumi_worker::registry::WorkerPlace;

use crate::apps::{AppStart, Guests};
use crate::backends::Backends;
use crate::board::Board;
use crate::config::{self, SystemConfig};
use crate::control::{AppEntry, DispatcherEntry, Phones, TransportEntry, WorkerEntry};
use crate::workers::Workers;

/// See the module's text.
pub(crate) struct Build<'a> {
    pub(crate) config: &'a SystemConfig,
    pub(crate) backends: &'a Backends,
    pub(crate) context: Context,
    pub(crate) board: &'a Arc<Board>,
    pub(crate) workers: Workers,
    pub(crate) sites: Sites,
}

impl Build<'_> {
    pub(crate) fn apps(
        &mut self,
        cache: &ComponentCache,
        watch: bool,
        sandbox: &Arc<Sandbox>,
        guests: &Guests,
        sink: &Arc<dyn MetricSink>,
    ) -> Result<Vec<AppEntry>> {
        let start = AppStart {
            cache,
            watch,
            context: &self.context,
            kv: &self.backends.kv,
            sandbox,
            sink,
            recordings: &self.backends.recordings,
            board: self.board,
            guests,
        };
        let mut entries = Vec::new();
        for (name, app) in &self.config.apps {
            entries.push(start.app(name, app, &mut self.workers)?);
        }
        for (_, app) in &self.config.apps {
            self.heartbeats(app.worker_name());
        }
        Ok(entries)
    }

    pub(crate) fn dispatchers(&mut self) -> Result<Vec<DispatcherEntry>> {
        let mut entries = Vec::new();
        for (name, dispatcher) in &self.config.dispatchers {
            let context = self.context.of(name);
            let shared = dispatcher.shared.clone();
            let built = Arc::new(Dispatcher {
                name: name.clone(),
                router: dispatcher.component.clone().build(Place { shared: &shared, context: &context })?,
                stack: config::stack(&shared.middleware, &context)?,
                broker: Arc::clone(&context.broker),
                feed: context.feed.clone(),
                passed: Passed::default(),
                shared,
            });
            self.workers.dispatcher(&built, self.board, &context.feed);
            self.heartbeats(dispatcher.shared.worker_name.as_deref());
            entries.push(DispatcherEntry { class: dispatcher.component.class(), dispatcher: built });
        }
        Ok(entries)
    }

    pub(crate) fn transports(&mut self) -> Result<(Vec<TransportEntry>, Option<Phones>)> {
        let (mut entries, mut phones) = (Vec::new(), None);
        for (name, transport) in &self.config.transports {
            let class = transport.component.class();
            let connector = connector_of(name, transport);
            let context = self.context.of(&connector);
            let place =
                TransportPlace { name: &connector, shared: &transport.shared, context: &context, sites: &self.sites };
            let Built { transport: built, once, simulator } = transport.component.clone().build(place)?;
            if let (Some(handle), TransportConfig::Simulator(offered)) = (simulator, &transport.component) {
                let offered = offered.clone();
                phones.get_or_insert(Phones { transport_name: connector.clone(), handle, offered });
            }
            let worker = Arc::new(TransportWorker {
                name: connector.clone(),
                transport: built,
                once,
                shared: self.remembering(&transport.shared),
                broker: Arc::clone(&context.broker),
                kv: Arc::clone(&self.backends.transport_kv),
                store: Arc::clone(&context.store),
                feed: context.feed.clone(),
                stack: config::stack(&transport.shared.middleware, &context)?,
                clock: Arc::new(SystemClock),
                readiness: Readiness::default(),
            });
            self.workers.transport(&worker, self.board, &context.feed);
            self.heartbeats(transport.shared.worker_name.as_deref());
            entries.push(TransportEntry { name: connector, class });
        }
        Ok((entries, phones))
    }

    pub(crate) fn workers(&mut self) -> Result<Vec<WorkerEntry>> {
        let mut entries = Vec::new();
        for (name, worker) in &self.config.workers {
            let context = self.context.of(name);
            let place = WorkerPlace { shared: &worker.shared, context: &context };
            let built = worker.component.clone().build(place)?;
            self.workers.worker(name, &built, self.board, &context.feed);
            self.heartbeats(worker.shared.worker_name.as_deref());
            entries.push(WorkerEntry { name: name.clone(), class: worker.component.class() });
        }
        Ok(entries)
    }

    /// Heartbeats of a worker that has a name for them (specification: metrics, section 7).
    fn heartbeats(&mut self, worker_name: Option<&str>) {
        let Some(worker_name) = worker_name else { return };
        let publisher = HeartbeatPublisher::new(self.context.system_id.as_str(), worker_name);
        let (broker, clock) = (Arc::clone(&self.context.broker), Arc::clone(&self.context.clock));
        let stop = self.workers.inner().clone();
        self.workers.beside(async move { publisher.run(broker, clock, stop).await });
    }

    /// Without anything durable the record of what was sent only outlives a guest that is run again, and it must fit
    /// into memory: an hour of it is plenty.
    fn remembering(&self, shared: &TransportShared) -> TransportShared {
        let mut shared = shared.clone();
        if self.config.data_dir.is_none() && self.config.kv == config::KvChoice::Embedded {
            shared.sent_record_hours = shared.sent_record_hours.min(1);
        }
        shared
    }
}

/// The connector of a transport: the section's key unless given.
pub(crate) fn connector_of(name: &str, transport: &Configured<TransportShared, TransportConfig>) -> String {
    transport.shared.transport_name.clone().unwrap_or_else(|| name.to_owned())
}
