//! The same group commit on redb: one writer thread takes all jobs that wait, runs them in one transaction with
//! `Durability::Immediate`, commits once, answers them. Simpler than the SQLite writer in one point, in redb's favour:
//! no savepoint around each job. Reads run where they are called, as redb needs no connection for them.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use redb::{Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table, TableDefinition};
use tokio::sync::{Semaphore, oneshot};

use crate::engine::Engine;

const MESSAGES: TableDefinition<u64, &[u8]> = TableDefinition::new("message");
const PAIRS: TableDefinition<&str, &[u8]> = TableDefinition::new("pair");
const COUNTERS: TableDefinition<&str, i64> = TableDefinition::new("counter");
const BATCH_MAX: usize = 1_000;
const QUEUE_BOUND: usize = 10_000;

struct Tables<'t> {
    messages: Table<'t, u64, &'static [u8]>,
    pairs: Table<'t, &'static str, &'static [u8]>,
    counters: Table<'t, &'static str, i64>,
}

/// Runs in the transaction and returns what answers the caller after the commit.
type Job = Box<dyn FnOnce(&mut Tables<'_>) -> Box<dyn FnOnce() + Send> + Send>;

#[derive(Clone)]
pub struct Redb(Arc<Inner>);

struct Inner {
    database: Arc<Database>,
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

struct Queue {
    list: Mutex<(VecDeque<Job>, bool)>,
    filled: Condvar,
    room: Semaphore,
}

impl Redb {
    pub fn open(path: &Path) -> Self {
        let database = Database::builder().set_cache_size(64 << 20).create(path).expect("opens");
        let database = Arc::new(database);
        let queue = Arc::new(Queue {
            list: Mutex::new((VecDeque::new(), true)),
            filled: Condvar::new(),
            room: Semaphore::new(QUEUE_BOUND),
        });
        let begin = database.begin_write().expect("begins");
        for made in [begin.open_table(MESSAGES).map(drop), begin.open_table(PAIRS).map(drop)] {
            made.expect("makes");
        }
        begin.open_table(COUNTERS).map(drop).expect("makes");
        begin.commit().expect("commits");
        let writer = std::thread::spawn({
            let (database, queue) = (Arc::clone(&database), Arc::clone(&queue));
            move || write(&database, &queue)
        });
        Self(Arc::new(Inner { database, queue, writer: Mutex::new(Some(writer)) }))
    }

    async fn write<T: Send + 'static>(&self, work: impl FnOnce(&mut Tables<'_>) -> T + Send + 'static) -> T {
        let (reply, answer) = oneshot::channel();
        let queue = &self.0.queue;
        queue.room.acquire().await.expect("open").forget();
        let job: Job = Box::new(move |tables| {
            let value = work(tables);
            Box::new(move || drop(reply.send(value)))
        });
        queue.list.lock().expect("sound").0.push_back(job);
        queue.filled.notify_one();
        answer.await.expect("written")
    }
}

fn write(database: &Database, queue: &Queue) {
    loop {
        let mut list = queue.list.lock().expect("sound");
        while list.0.is_empty() {
            if !list.1 {
                return;
            }
            list = queue.filled.wait(list).expect("sound");
        }
        let count = list.0.len().min(BATCH_MAX);
        let jobs: Vec<_> = list.0.drain(..count).collect();
        drop(list);
        queue.room.add_permits(count);

        let mut transaction = database.begin_write().expect("begins");
        transaction.set_durability(Durability::Immediate).expect("sets");
        let mut tables = Tables {
            messages: transaction.open_table(MESSAGES).expect("opens"),
            pairs: transaction.open_table(PAIRS).expect("opens"),
            counters: transaction.open_table(COUNTERS).expect("opens"),
        };
        let answers: Vec<_> = jobs.into_iter().map(|job| job(&mut tables)).collect();
        drop(tables);
        transaction.commit().expect("commits");
        for answer in answers {
            answer();
        }
    }
}

impl Engine for Redb {
    async fn put(&self, id: u64, body: Vec<u8>) {
        self.write(move |tables| drop(tables.messages.insert(id, body.as_slice()).expect("inserts"))).await;
    }

    async fn lease(&self, id: u64) -> Vec<u8> {
        let read = self.0.database.begin_read().expect("begins");
        let table = read.open_table(MESSAGES).expect("opens");
        table.get(id).expect("reads").expect("is there").value().to_vec()
    }

    async fn ack(&self, id: u64) {
        assert!(self.write(move |tables| tables.messages.remove(id).expect("removes").is_some()).await);
    }

    async fn get(&self, key: String) -> Option<Vec<u8>> {
        let read = self.0.database.begin_read().expect("begins");
        let table = read.open_table(PAIRS).expect("opens");
        table.get(key.as_str()).expect("reads").map(|value| value.value().to_vec())
    }

    async fn set(&self, key: String, value: Vec<u8>) {
        self.write(move |tables| drop(tables.pairs.insert(key.as_str(), value.as_slice()).expect("inserts"))).await;
    }

    async fn incr(&self, key: String) -> i64 {
        self.write(move |tables| {
            let sum = 1 + tables.counters.get(key.as_str()).expect("reads").map_or(0, |value| value.value());
            tables.counters.insert(key.as_str(), sum).expect("inserts");
            sum
        })
        .await
    }

    async fn check(&self, increments: u64) {
        let read = self.0.database.begin_read().expect("begins");
        assert_eq!(read.open_table(MESSAGES).expect("opens").len().expect("counts"), 0);
        let counters = read.open_table(COUNTERS).expect("opens");
        let sum: i64 = counters.iter().expect("reads").map(|pair| pair.expect("reads").1.value()).sum();
        assert_eq!(sum, increments.cast_signed());
    }

    async fn close(&self) {
        self.0.queue.list.lock().expect("sound").1 = false;
        self.0.queue.filled.notify_all();
        let writer = self.0.writer.lock().expect("sound").take();
        if let Some(writer) = writer {
            writer.join().expect("ends");
        }
    }
}
