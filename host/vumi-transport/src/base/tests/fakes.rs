//! A broker, a kv, a store and a transport in memory, which fail when told to.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use vumi_core::{
    Admission, Broker, Confirm, Consumer, DeadLetter, Delivery, KeyQuota, KvEntry, KvStore, LogLine, MessageQuery,
    MessageRecord, Outgoing, QueueInfo, Quota, Run, Settle, Store,
};

use super::*;

/// Fails so many times, then works.
#[derive(Default)]
pub(super) struct Trouble(AtomicU32);

impl Trouble {
    pub(super) fn times(&self, times: u32) {
        self.0.store(times, Ordering::SeqCst);
    }

    fn strike(&self, what: &str) -> Result<()> {
        let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() { Err(Error::temporary(format!("{what} is away"))) } else { Ok(()) }
    }
}

#[derive(Default)]
pub(super) struct FakeBroker {
    queues: Mutex<HashMap<String, VecDeque<(Bytes, u32)>>>,
    unsettled: Mutex<HashMap<u64, (String, Bytes, u32)>>,
    pub(super) dead: Mutex<Vec<(String, String)>>,
    /// Queues beyond their first bound.
    pub(super) full: Mutex<Vec<String>>,
    pub(super) done_trouble: Trouble,
    changed: Notify,
    next_tag: AtomicU64,
}

impl FakeBroker {
    pub(super) fn put(&self, queue: &str, body: Bytes, attempts: u32) {
        self.queues.lock().entry(queue.to_owned()).or_default().push_back((body, attempts));
        self.changed.notify_waiters();
    }

    /// Waits until `found` finds something, which must be soon.
    pub(super) async fn until<T>(&self, what: &str, mut found: impl FnMut(&Self) -> Option<T>) -> T {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some(found) = found(self) {
                    return found;
                }
                changed.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(600), wait).await.unwrap_or_else(|_| panic!("no {what}"))
    }

    /// The next body of a queue that nobody consumes.
    pub(super) async fn take(&self, queue: &str) -> serde_json::Value {
        let body = self.until(queue, |broker| broker.queues.lock().get_mut(queue)?.pop_front()).await.0;
        serde_json::from_slice(&body).unwrap()
    }

    pub(super) fn waiting(&self, queue: &str) -> usize {
        self.queues.lock().get(queue).map_or(0, VecDeque::len)
    }

    /// Waits until a queue is empty and nothing of it is unsettled.
    pub(super) async fn settled(&self, queue: &str) {
        let name = queue.to_owned();
        self.until("settled queue", |broker| {
            let unsettled = broker.unsettled.lock().values().any(|(queue, ..)| *queue == name);
            (!unsettled && broker.waiting(&name) == 0).then_some(())
        })
        .await;
    }
}

struct FakeConsumer(Arc<FakeBroker>, String);

#[async_trait]
impl Consumer for FakeConsumer {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            let changed = self.0.changed.notified();
            let next = self.0.queues.lock().get_mut(&self.1).and_then(VecDeque::pop_front);
            if let Some((body, attempts)) = next {
                let tag = self.0.next_tag.fetch_add(1, Ordering::SeqCst);
                self.0.unsettled.lock().insert(tag, (self.1.clone(), body.clone(), attempts + 1));
                let settle = Arc::new(FakeSettle(Arc::clone(&self.0)));
                return Some(Delivery::new(body, attempts + 1, tag, settle));
            }
            changed.await;
        }
    }
}

struct FakeSettle(Arc<FakeBroker>);

#[async_trait]
impl Settle for FakeSettle {
    async fn done(&self, tag: u64, outgoing: Vec<Outgoing>) -> Result<Confirm> {
        self.0.done_trouble.strike("the broker")?;
        self.0.unsettled.lock().remove(&tag);
        for one in outgoing {
            self.0.put(&one.queue, one.body, 0);
        }
        self.0.changed.notify_waiters();
        Ok(Confirm::ready())
    }

    fn retry(&self, tag: u64, _: Duration) {
        if let Some((queue, body, attempts)) = self.0.unsettled.lock().remove(&tag) {
            self.0.queues.lock().entry(queue).or_default().push_front((body, attempts));
        }
        self.0.changed.notify_waiters();
    }

    fn release(&self, tag: u64) {
        if let Some((queue, body, attempts)) = self.0.unsettled.lock().remove(&tag) {
            self.0.queues.lock().entry(queue).or_default().push_front((body, attempts.saturating_sub(1)));
        }
        self.0.changed.notify_waiters();
    }

    async fn reject(&self, tag: u64, reason: &str) -> Result<Confirm> {
        if let Some((queue, ..)) = self.0.unsettled.lock().remove(&tag) {
            self.0.dead.lock().push((queue, reason.to_owned()));
        }
        self.0.changed.notify_waiters();
        Ok(Confirm::ready())
    }
}

/// The broker as the worker sees it.
pub(super) struct Handle(pub(super) Arc<FakeBroker>);

#[async_trait]
impl Broker for Handle {
    async fn declare(&self, queue: &str) -> Result<()> {
        self.0.queues.lock().entry(queue.to_owned()).or_default();
        Ok(())
    }

    async fn publish(&self, queue: &str, body: Bytes, admission: Admission) -> Result<Confirm> {
        if !self.has_room(queue) && admission != Admission::Inside {
            return Err(Error::temporary(format!("the queue {queue} is full")));
        }
        self.0.put(queue, body, 0);
        Ok(Confirm::ready())
    }

    fn has_room(&self, queue: &str) -> bool {
        !self.0.full.lock().iter().any(|full| full == queue)
    }

    async fn room(&self, queue: &str) {
        self.0.until("room", |broker| (!broker.full.lock().iter().any(|full| full == queue)).then_some(())).await;
    }

    async fn consume(&self, queue: &str, _: u16) -> Result<Box<dyn Consumer>> {
        Ok(Box::new(FakeConsumer(Arc::clone(&self.0), queue.to_owned())))
    }

    async fn queues(&self) -> Result<Vec<QueueInfo>> {
        Ok(Vec::new())
    }

    async fn dead_letters(&self, _: &str, _: usize) -> Result<Vec<DeadLetter>> {
        Ok(Vec::new())
    }

    async fn revive(&self, _: &str, _: u64) -> Result<bool> {
        Ok(false)
    }

    async fn bury(&self, _: &str, _: u64) -> Result<bool> {
        Ok(false)
    }

    async fn close(&self) {}
}

#[derive(Default)]
pub(super) struct FakeKv {
    pub(super) map: Mutex<HashMap<String, String>>,
    pub(super) read_trouble: Trouble,
    pub(super) write_trouble: Trouble,
}

#[async_trait]
impl KvStore for FakeKv {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        self.read_trouble.strike("kv")?;
        Ok(self.map.lock().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()> {
        self.write_trouble.strike("kv")?;
        assert_eq!(ttl, Some(Duration::from_secs(24 * 3600)));
        self.map.lock().insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        Ok(self.map.lock().remove(key).is_some())
    }

    async fn set_if_absent(&self, _: &str, _: &str, _: Option<Duration>) -> Result<bool> {
        unreachable!()
    }

    async fn incr(&self, _: &str, _: i64) -> Result<i64> {
        unreachable!()
    }

    async fn ttl(&self, _: &str) -> Result<Option<Duration>> {
        unreachable!()
    }

    async fn set_within(&self, _: &str, _: &str, _: Option<Duration>, _: KeyQuota<'_>) -> Result<Quota<()>> {
        unreachable!()
    }

    async fn incr_within(&self, _: &str, _: i64, _: KeyQuota<'_>) -> Result<Quota<i64>> {
        unreachable!()
    }

    async fn delete_within(&self, _: &str, _: &str) -> Result<bool> {
        unreachable!()
    }

    async fn list(&self, _: &str, _: usize) -> Result<Vec<KvEntry>> {
        unreachable!()
    }

    async fn close(&self) {}
}

#[derive(Default)]
pub(super) struct FakeStore {
    pub(super) records: Mutex<Vec<MessageRecord>>,
    pub(super) trouble: Trouble,
}

#[async_trait]
impl Store for FakeStore {
    async fn put_message(&self, record: MessageRecord) -> Result<bool> {
        self.trouble.strike("the store")?;
        let mut records = self.records.lock();
        let same = |other: &MessageRecord| other.direction == record.direction && other.id == record.id;
        if records.iter().any(same) {
            return Ok(false);
        }
        records.push(record);
        Ok(true)
    }

    async fn messages(&self, _: MessageQuery) -> Result<Vec<MessageRecord>> {
        unreachable!()
    }

    fn put_run(&self, _: Run) {}

    async fn runs(&self, _: Option<&str>, _: usize) -> Result<Vec<Run>> {
        unreachable!()
    }

    fn put_log(&self, _: LogLine) {}

    async fn logs(&self, _: Option<&str>, _: usize) -> Result<Vec<LogLine>> {
        unreachable!()
    }

    async fn close(&self) {}
}

/// What the transport does with a message, by its content.
type Script = Box<dyn Fn(&UserMessage) -> Result<Sent> + Send + Sync>;

pub(super) struct FakeTransport {
    pub(super) script: Script,
    /// Contents in the order in which they were sent.
    pub(super) sent: Mutex<Vec<String>>,
    /// While there are permits to wait for: `send` takes one before it ends.
    pub(super) gate: Option<tokio::sync::Semaphore>,
    pub(super) begun: Notify,
    /// Runs that fail before one lasts.
    pub(super) run_trouble: Trouble,
    pub(super) link: Mutex<Option<Arc<dyn Link>>>,
    /// Published when it ends.
    pub(super) goodbye: Option<UserMessage>,
}

impl FakeTransport {
    pub(super) fn new(script: impl Fn(&UserMessage) -> Result<Sent> + Send + Sync + 'static) -> Self {
        Self {
            script: Box::new(script),
            sent: Mutex::default(),
            gate: None,
            begun: Notify::new(),
            run_trouble: Trouble::default(),
            link: Mutex::default(),
            goodbye: None,
        }
    }
}

#[async_trait]
impl Transport for FakeTransport {
    async fn run(self: Arc<Self>, link: Arc<dyn Link>) -> Result<()> {
        self.run_trouble.strike("the network")?;
        *self.link.lock() = Some(Arc::clone(&link));
        link.ready("nowhere");
        link.shutdown().cancelled().await;
        match self.goodbye.clone() {
            Some(goodbye) => link.inbound(goodbye).await,
            None => Ok(()),
        }
    }

    async fn send(&self, message: &UserMessage) -> Result<Sent> {
        self.begun.notify_one();
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        self.sent.lock().push(message.content().unwrap_or_default().to_owned());
        (self.script)(message)
    }
}
