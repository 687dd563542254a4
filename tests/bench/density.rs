//! How many apps fit on one host? 1, 100 and 10,000 apps, each with a component file of its own, an app worker and
//! queues in the embedded broker. Measured are the memory of an app that waits (registered and never used; used and
//! dropped again; used and still in memory), the time of the first message, with the component's file dropped from the
//! page cache beforehand, and of later messages, in random order over all apps.
//!
//! The components differ in name and file, not in code: one is compiled, and its machine code is copied, since compiling
//! ten thousand would measure the compiler for half an hour.
//!
//! Run: `cargo bench -p vumi-tests --bench density`, after `cargo xtask guests`. Options after `--`: `--apps N` instead
//! of the three numbers. It takes about two minutes and 3 GB of disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::{
    Admission, AppWorker, Application, Broker, Consumer, Feed, KvStore, Outbox, QueueOutbox, Stack, Store, SystemClock,
    names,
};
use vumi_message::{NewUserMessage, UserMessage};
use vumi_sandbox::{
    App, AppConfig, Compiler, ComponentCache, Datapoint, EngineOptions, Library, MetricSink, Origin, Sandbox,
    Surroundings,
};
use vumi_store::MemoryBounds;
use vumi_tests::guests;

/// Messages of the pass that follows the first one, at least.
const LATER: usize = 2_000;

struct NoMetrics;

impl MetricSink for NoMetrics {
    fn fire(&self, _: Datapoint) {}
}

/// The files are all there, so nothing is ever asked for.
struct NoOrigin;

#[async_trait]
impl Origin for NoOrigin {
    async fn bytes(&self, _: &str) -> vumi_core::Result<Option<Bytes>> {
        Ok(None)
    }
}

/// Memory of this process, in bytes: its own, and of mapped files.
fn memory() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel tells of this process");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line of this name");
        line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok()).expect("a number of kB") << 10
    };
    (field("RssAnon"), field("RssFile"))
}

/// A generator of numbers that is the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn shuffled(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

fn hash_of(number: usize) -> String {
    format!("{number:064x}")
}

/// A folder with the compiled form of `count` components.
fn fill(folder: &Path, sandbox: &Arc<Sandbox>, count: usize) -> (ComponentCache, Vec<PathBuf>) {
    let cache = ComponentCache::at(folder).expect("a cache");
    sandbox.load(&cache, &guests::guest("echo")).expect("the guest fits");
    let mut found = fs::read_dir(folder).expect("the cache").map(|entry| entry.expect("an entry").path());
    let first = found.next().expect("the compiled guest");
    let name = first.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    let rest = name.split_once('-').expect("hash and engine").1.to_owned();
    let files: Vec<PathBuf> = (0..count).map(|number| folder.join(format!("{}-{rest}", hash_of(number)))).collect();
    for file in &files {
        fs::copy(&first, file).expect("a copy");
    }
    (cache, files)
}

/// Makes the next read of these files go to the disk.
fn drop_from_page_cache(files: &[PathBuf]) {
    for file in files {
        let file = fs::File::open(file).expect("the file");
        file.sync_all().expect("on disk");
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).expect("the kernel takes advice");
    }
}

struct Stage {
    broker: Arc<dyn Broker>,
    library: Arc<Library>,
    stop: CancellationToken,
    workers: Vec<tokio::task::JoinHandle<()>>,
    replies: BTreeMap<usize, Box<dyn Consumer>>,
}

impl Stage {
    async fn set(sandbox: &Arc<Sandbox>, cache: ComponentCache, count: usize, budget: u64, size: u64) -> Self {
        let broker: Arc<dyn Broker> = EmbeddedBroker::in_memory(BrokerOptions::default());
        let kv: Arc<dyn KvStore> = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
        let store: Arc<dyn Store> = vumi_store::store_in_memory().expect("a store");
        let library = Library::new(sandbox, cache, Compiler::here(), Arc::new(NoOrigin), budget);
        let (stop, mut workers) = (CancellationToken::new(), Vec::new());
        let feed = Feed::default();
        for number in 0..count {
            let name = name_of(number);
            let config = AppConfig::of("deployed");
            let outbox: Arc<dyn Outbox> = Arc::new(QueueOutbox::new(Arc::clone(&broker), &name, Stack::default()));
            let around = Surroundings {
                kv: Arc::clone(&kv),
                store: Arc::clone(&store),
                feed: feed.clone(),
                outbox,
                metrics: Arc::new(NoMetrics),
                io: Handle::current(),
                recordings: None,
            };
            let component = library.register(&hash_of(number), size);
            let app = App::new(sandbox, &name, &config, &component, around).expect("an app");
            let worker = Arc::new(AppWorker {
                app: Arc::new(app) as Arc<dyn Application>,
                connector: name,
                broker: Arc::clone(&broker),
                feed: feed.clone(),
                stack: Stack::default(),
                prefetch: config.amqp_prefetch_count,
                parallel: config.parallel,
                inbound_endpoints: None,
            });
            let stop = stop.clone();
            workers.push(tokio::spawn(async move { worker.run(stop).await.expect("the worker ends well") }));
        }
        Self { broker, library, stop, workers, replies: BTreeMap::new() }
    }

    /// One message to an app, and the time until its reply was in the outbound queue.
    async fn ask(&mut self, number: usize) -> Duration {
        let name = name_of(number);
        if !self.replies.contains_key(&number) {
            let consumer = self.broker.consume(&names::outbound(&name), 1).await.expect("the replies");
            self.replies.insert(number, consumer);
        }
        let message = UserMessage::new(NewUserMessage {
            from_addr: Some("+27831234567".into()),
            to_addr: Some("8007".into()),
            transport_name: Some("phones".into()),
            transport_type: Some("sms".into()),
            content: Some("hello".into()),
            ..NewUserMessage::default()
        });
        let consumer = self.replies.get_mut(&number).expect("it was put there");
        let began = Instant::now();
        let body = Bytes::from(message.to_json());
        let sent = self.broker.publish(&names::inbound(&name), body, Admission::Inside).await.expect("room");
        sent.await.expect("confirmed");
        let mut reply = consumer.next().await.expect("a reply");
        let took = began.elapsed();
        reply.ack().await.expect("settled");
        took
    }

    async fn pass(&mut self, order: &[usize]) -> Vec<Duration> {
        let mut times = Vec::with_capacity(order.len());
        for number in order {
            times.push(self.ask(*number).await);
        }
        times.sort_unstable();
        times
    }

    async fn end(self) {
        self.stop.cancel();
        for worker in self.workers {
            worker.await.expect("the worker ends");
        }
    }
}

fn name_of(number: usize) -> String {
    format!("app-{number}")
}

fn at(times: &[Duration], share: f64) -> f64 {
    let index = ((times.len() - 1) as f64 * share) as usize;
    times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
}

fn per(bytes: u64, before: u64, count: usize) -> f64 {
    (bytes as f64 - before as f64) / count as f64 / 1024.0
}

async fn measure(sandbox: &Arc<Sandbox>, folder: &Path, count: usize, budget: (&str, u64)) {
    let place = folder.join(format!("{count}-{}", budget.0));
    let (cache, files) = fill(&place, sandbox, count);
    let before = memory();
    let began = Instant::now();
    let mut stage = Stage::set(sandbox, cache, count, budget.1, 49_045).await;
    let start = began.elapsed();
    let registered = memory();
    drop_from_page_cache(&files);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let first = stage.pass(&dice.shuffled(count)).await;
    let used = memory();
    let order: Vec<usize> = (0..count.max(LATER)).map(|_| dice.below(count)).collect();
    let later = stage.pass(&order).await;
    let stats = stage.library.stats();
    println!(
        "| {count:>6} | {:>9} | {:>8.0} | {:>10.1} | {:>10.1} | {:>8.1} | {:>5} | {:>7.0} | {:>7.0} | {:>7.0} | {:>7.0} |",
        budget.0,
        start.as_secs_f64() * 1e3,
        per(registered.0, before.0, count),
        per(used.0, before.0, count),
        per(used.1, before.1, count),
        stats.resident,
        at(&first, 0.5),
        at(&first, 0.99),
        at(&later, 0.5),
        at(&later, 0.99),
    );
    stage.end().await;
    let _ = fs::remove_dir_all(place);
}

fn main() {
    let mut counts = vec![1, 100, 10_000];
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--apps" => {
                let number = words.next().and_then(|text| text.parse().ok()).expect("a number after --apps");
                counts = vec![number];
            }
            "--bench" => {}
            other => panic!("unknown option {other}: known is --apps"),
        }
    }
    // The numbers of each app are a part of what it costs.
    metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().expect("a recorder");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on disk");
    let sandbox = Sandbox::new(&EngineOptions::default()).expect("an engine");
    println!("memory of one app in KiB; times of one message, from its queue to the reply's, in µs");
    println!(
        "| {:>6} | {:>9} | {:>8} | {:>10} | {:>10} | {:>8} | {:>5} | {:>7} | {:>7} | {:>7} | {:>7} |",
        "apps", "room for", "start ms", "registered", "after use", "mapped", "in", "1st p50", "1st p99", "p50", "p99"
    );
    for count in counts {
        for budget in [("all", u64::MAX), ("512 MiB", 512 << 20)] {
            runtime.block_on(measure(&sandbox, folder.path(), count, budget));
        }
    }
}
