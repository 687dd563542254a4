//! What the admin server asks of the fake system.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use vumi_admin::model::*;
use vumi_admin::{AccessStore, Control, ControlError, Deployments, EventHub, MessageQuery, PageQuery};

use super::{Fake, now};

/// The handle that the server gets.
pub struct FakeControl(pub Arc<Fake>);

fn no_app(name: &str) -> Result<(), ControlError> {
    if name == "echo" {
        return Ok(());
    }
    Err(ControlError::NotFound(format!("there is no app named {name:?}")))
}

fn page<T: Clone>(list: &VecDeque<T>, query: &PageQuery, seq: fn(&T) -> u64, wanted: impl Fn(&T) -> bool) -> Page<T> {
    let older = |item: &&T| query.before.is_none_or(|before| seq(item) < before);
    let mut matching = list.iter().rev().filter(older).filter(|item| wanted(item));
    let items: Vec<T> = matching.by_ref().take(query.limit).cloned().collect();
    let next = matching.next().and(items.last().map(seq));
    Page { items, next }
}

#[async_trait]
impl Control for FakeControl {
    fn deployments(&self) -> &dyn Deployments {
        &self.0.deployments
    }

    fn access(&self) -> &dyn AccessStore {
        &self.0.access
    }

    fn health(&self) -> Health {
        let draining = self.0.draining.load(Ordering::Relaxed);
        Health {
            status: if draining { HealthStatus::Draining } else { HealthStatus::Ok },
            version: "0.1.0".into(),
            down: Vec::new(),
        }
    }

    fn events(&self) -> &EventHub {
        &self.0.hub
    }

    async fn metrics_text(&self) -> String {
        if self.0.hang.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let runs = self.0.state.lock().runs.len();
        format!("# TYPE vumi_app_runs_total counter\nvumi_app_runs_total{{app=\"echo\"}} {runs}\n")
    }

    async fn system(&self) -> Result<SystemInfo, ControlError> {
        let uptime = self.0.started.elapsed();
        let listening = |name: &str, address: &str| Listening { name: name.into(), address: address.into() };
        Ok(SystemInfo {
            version: "0.1.0".into(),
            started_at: now() - u64::try_from(uptime.as_micros()).unwrap(),
            uptime_seconds: uptime.as_secs(),
            durable: false,
            data_dir: None,
            pagemap_scan: true,
            listening: vec![listening("admin", "127.0.0.1:8080"), listening("telnet", "127.0.0.1:9010")],
            warnings: Vec::new(),
            simulator: Some(SimulatorInfo {
                transport_name: "simulator".into(),
                ussd_code: "*120*8007#".into(),
                sms_number: "8007".into(),
            }),
        })
    }

    async fn apps(&self) -> Result<Vec<AppInfo>, ControlError> {
        Ok(vec![self.app("echo").await?])
    }

    async fn app(&self, name: &str) -> Result<AppInfo, ControlError> {
        no_app(name)?;
        let state = self.0.state.lock();
        Ok(AppInfo {
            name: "echo".into(),
            component: "echo.wasm".into(),
            content_hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
            sandbox_id: "echo".into(),
            transport_name: "echo".into(),
            queues: ["inbound", "outbound", "event"].map(|kind| format!("echo.{kind}")).to_vec(),
            status: WorkerStatus::Ok,
            status_message: None,
            limits: AppLimits {
                wall_ms: Some(60_000),
                cpu_ms: Some(1_000),
                memory_bytes: Some(64 << 20),
                ..AppLimits::default()
            },
            counters: AppCounters {
                runs: u64::try_from(state.runs.len()).unwrap(),
                running: 0,
                sent: state.outbound,
                failures: state.failures.clone(),
            },
            last_error: state.last_error.clone(),
            build: state.build.clone(),
        })
    }

    async fn runs(&self, app: &str, query: PageQuery) -> Result<Page<RunView>, ControlError> {
        no_app(app)?;
        Ok(page(&self.0.state.lock().runs, &query, |run| run.seq, |_| true))
    }

    async fn logs(&self, app: &str, query: PageQuery) -> Result<Page<LogLine>, ControlError> {
        no_app(app)?;
        Ok(page(&self.0.state.lock().logs, &query, |line| line.seq, |_| true))
    }

    async fn kv(&self, app: &str, prefix: &str, limit: usize) -> Result<KvListing, ControlError> {
        no_app(app)?;
        let state = self.0.state.lock();
        let mut matching = state.kv.iter().filter(|(key, _)| key.starts_with(prefix));
        let entries = matching.by_ref().take(limit).map(|(key, (value, expiry))| KvEntry {
            key: key.clone(),
            value: value.clone(),
            ttl_seconds: expiry.map(|at| at.duration_since(Instant::now()).as_secs()),
        });
        let items = entries.collect();
        Ok(KvListing { items, more: matching.next().is_some() })
    }

    async fn transports(&self) -> Result<Vec<TransportInfo>, ControlError> {
        let state = self.0.state.lock();
        let transport = |name: &str, listen: Option<&str>, counters| TransportInfo {
            name: name.into(),
            class: name.into(),
            transport_type: (name == "telnet").then(|| "telnet".into()),
            listen: listen.map(str::to_owned),
            status: WorkerStatus::Ok,
            status_message: None,
            counters,
        };
        let counters =
            TransportCounters { inbound: state.inbound, outbound: state.outbound, ..TransportCounters::default() };
        Ok(vec![
            transport("simulator", None, counters),
            transport("telnet", Some("127.0.0.1:9010"), TransportCounters::default()),
        ])
    }

    async fn dispatchers(&self) -> Result<Vec<DispatcherInfo>, ControlError> {
        Ok(vec![DispatcherInfo {
            name: "main".into(),
            class: "simple".into(),
            transport_names: vec!["simulator".into(), "telnet".into()],
            exposed_names: vec!["echo".into()],
            status: WorkerStatus::Ok,
            status_message: None,
            counters: DispatcherCounters::default(),
        }])
    }

    async fn workers(&self) -> Result<Vec<vumi_admin::model::WorkerInfo>, ControlError> {
        Ok(Vec::new())
    }

    async fn queues(&self) -> Result<Vec<QueueInfo>, ControlError> {
        let dead = u64::try_from(self.0.state.lock().dead.len()).unwrap();
        let queue =
            |name: &str, dead| QueueInfo { name: name.into(), ready: 0, unacked: 0, dead, bound: Some(100_000) };
        Ok(vec![queue("echo.event", 0), queue("echo.inbound", dead), queue("echo.outbound", 0)])
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, ControlError> {
        if !queue.starts_with("echo.") {
            return Err(ControlError::NotFound(format!("there is no queue named {queue:?}")));
        }
        let state = self.0.state.lock();
        let letters = state.dead.iter().filter(|letter| letter.queue == queue);
        Ok(letters.take(limit).cloned().collect())
    }

    async fn requeue_dead_letter(&self, queue: &str, id: &str) -> Result<(), ControlError> {
        if self.0.is_full() {
            return Err(ControlError::Full { retry_after: Duration::from_millis(2500) });
        }
        self.drop_dead_letter(queue, id).await
    }

    async fn drop_dead_letter(&self, queue: &str, id: &str) -> Result<(), ControlError> {
        let mut state = self.0.state.lock();
        let before = state.dead.len();
        state.dead.retain(|letter| letter.queue != queue || letter.id != id);
        if state.dead.len() == before {
            return Err(ControlError::NotFound(format!("{queue:?} has no dead letter {id:?}")));
        }
        Ok(())
    }

    async fn messages(&self, query: MessageQuery) -> Result<Page<MessageView>, ControlError> {
        let wanted = |message: &MessageView| {
            let fits = |want: &Option<String>, is: &Option<String>| want.is_none() || want == is;
            fits(&query.transport_name, &message.transport_name) && fits(&query.user, &message.user)
        };
        Ok(page(&self.0.state.lock().messages, &query.page, |message| message.seq, wanted))
    }

    async fn phones(&self) -> Result<Vec<PhoneInfo>, ControlError> {
        Ok(self.0.phones.phones())
    }

    async fn phone(&self, addr: &str) -> Result<PhoneThread, ControlError> {
        Ok(self.0.phones.thread(addr))
    }

    async fn send_from_phone(&self, addr: &str, send: PhoneSend) -> Result<String, ControlError> {
        if self.0.is_full() {
            return Err(ControlError::Full { retry_after: Duration::from_millis(2500) });
        }
        Ok(self.0.accept(addr, send))
    }
}
