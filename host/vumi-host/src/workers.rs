//! The tasks of a system's workers: how each is started, and in which order they stop.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vumi_admin::model::WorkerKind;
use vumi_core::supervise::supervise;
use vumi_core::{AppWorker, Feed, Worker};
use vumi_dispatch::Dispatcher;
use vumi_transport::TransportWorker;

use crate::apps::Guests;
use crate::board::{Board, key};
use crate::control::Desk;

/// Tasks and their stop signals, by the order in which they are stopped.
pub(crate) struct Workers {
    transports: CancellationToken,
    inner: CancellationToken,
    admin: CancellationToken,
    transport_tasks: Vec<JoinHandle<()>>,
    inner_tasks: Vec<JoinHandle<()>>,
    admin_task: Option<JoinHandle<()>>,
}

impl Workers {
    pub(crate) fn new() -> Self {
        Self {
            transports: CancellationToken::new(),
            inner: CancellationToken::new(),
            admin: CancellationToken::new(),
            transport_tasks: Vec::new(),
            inner_tasks: Vec::new(),
            admin_task: None,
        }
    }

    /// A guest, on the guests' own threads.
    pub(crate) fn guest(&mut self, worker: &Arc<AppWorker>, board: &Board, feed: &Feed, guests: &Guests) {
        board.expect(WorkerKind::App, worker.app.name());
        let name = key(WorkerKind::App, worker.app.name());
        let (worker, feed, stop) = (Arc::clone(worker), feed.clone(), self.inner.clone());
        self.inner_tasks.extend(guests.spawn(async move {
            supervise(&name, &feed, &stop, || Arc::clone(&worker).run(stop.clone())).await;
        }));
    }

    /// An application of the host itself.
    pub(crate) fn app(&mut self, worker: &Arc<AppWorker>, board: &Board, feed: &Feed) {
        board.expect(WorkerKind::App, worker.app.name());
        let name = key(WorkerKind::App, worker.app.name());
        let (worker, feed, stop) = (Arc::clone(worker), feed.clone(), self.inner.clone());
        self.inner_tasks.push(tokio::spawn(async move {
            supervise(&name, &feed, &stop, || Arc::clone(&worker).run(stop.clone())).await;
        }));
    }

    pub(crate) fn dispatcher(&mut self, dispatcher: &Arc<Dispatcher>, board: &Board, feed: &Feed) {
        board.expect(WorkerKind::Dispatcher, &dispatcher.name);
        let name = key(WorkerKind::Dispatcher, &dispatcher.name);
        let (dispatcher, feed, stop) = (Arc::clone(dispatcher), feed.clone(), self.inner.clone());
        self.inner_tasks.push(tokio::spawn(async move {
            supervise(&name, &feed, &stop, || Arc::clone(&dispatcher).run(stop.clone())).await;
        }));
    }

    pub(crate) fn worker(&mut self, name: &str, worker: &Arc<dyn Worker>, board: &Board, feed: &Feed) {
        board.expect(WorkerKind::Worker, name);
        let name = key(WorkerKind::Worker, name);
        let (worker, feed, stop) = (Arc::clone(worker), feed.clone(), self.inner.clone());
        self.inner_tasks.push(tokio::spawn(async move {
            supervise(&name, &feed, &stop, || Arc::clone(&worker).run(stop.clone())).await;
        }));
    }

    /// Something without a name on the board, which ends by itself when the workers are to stop.
    pub(crate) fn beside(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.inner_tasks.push(tokio::spawn(task));
    }

    pub(crate) fn transport(&mut self, worker: &Arc<TransportWorker>, board: &Board, feed: &Feed) {
        board.expect(WorkerKind::Transport, &worker.name);
        // The worker restarts its transport by itself and tells so; this is for its queues.
        let name = format!("queues of transport:{}", worker.name);
        let (worker, feed, stop) = (Arc::clone(worker), feed.clone(), self.transports.clone());
        self.transport_tasks.push(tokio::spawn(async move {
            supervise(&name, &feed, &stop, || Arc::clone(&worker).run(stop.clone())).await;
        }));
    }

    pub(crate) fn admin(
        &mut self,
        listener: tokio::net::TcpListener,
        options: vumi_admin::AdminOptions,
        desk: &Arc<Desk>,
    ) {
        let control: Arc<dyn vumi_admin::Control> = Arc::clone(desk) as Arc<dyn vumi_admin::Control>;
        let stop = self.admin.clone();
        self.admin_task = Some(tokio::spawn(async move {
            if let Err(error) = vumi_admin::serve(listener, options, control, stop).await {
                tracing::error!("the admin server ended: {error}");
            }
        }));
    }

    /// Tells when apps and dispatchers are to stop.
    pub(crate) fn inner(&self) -> &CancellationToken {
        &self.inner
    }

    /// Stops the transports.
    pub(crate) async fn stop_transports(&mut self, deadline: Instant) {
        self.transports.cancel();
        join(&mut self.transport_tasks, deadline, "transports").await;
    }

    /// Stops apps and dispatchers, then the admin server.
    pub(crate) async fn stop_the_rest(&mut self, deadline: Instant) {
        self.inner.cancel();
        join(&mut self.inner_tasks, deadline, "apps and dispatchers").await;
        self.admin.cancel();
        if let Some(task) = self.admin_task.take() {
            let _ = tokio::time::timeout_at(deadline, task).await;
        }
    }
}

async fn join(tasks: &mut Vec<JoinHandle<()>>, deadline: Instant, what: &str) {
    for task in tasks.drain(..) {
        if tokio::time::timeout_at(deadline, task).await.is_err() {
            tracing::warn!("the {what} did not stop in time");
        }
    }
}
