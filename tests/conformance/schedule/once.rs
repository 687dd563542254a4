//! The once-off scheduler: checks 1 to 8.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tracing::Level;
use vumi_core::{Change, Error, Op, Result};
use vumi_message::Timestamp;
use vumi_worker::schedule::{Deliver, Scheduler, SchedulerOptions};

use crate::applications::logs::Logs;
use crate::backends::{Keys, on_each_backend, until};

const NOW: i64 = 1_400_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn scheduler(keys: &Keys, options: SchedulerOptions) -> Arc<Scheduler> {
    keys.clock.set(NOW as f64);
    Arc::new(Scheduler::new(&keys.space, keys.clock.clone(), options).unwrap())
}

/// Keeps what is delivered; fails as often as it is told.
#[derive(Default)]
struct Desk {
    delivered: Mutex<Vec<(Timestamp, Value)>>,
    dropped: Mutex<Vec<(Value, String)>>,
    failures: Mutex<Vec<Error>>,
    calls: Mutex<u32>,
}

impl Desk {
    fn failing(errors: impl IntoIterator<Item = Error>) -> Self {
        Self { failures: Mutex::new(errors.into_iter().collect()), ..Self::default() }
    }

    fn payloads(&self) -> Vec<Value> {
        self.delivered.lock().iter().map(|(_, payload)| payload.clone()).collect()
    }
}

#[async_trait]
impl Deliver for Desk {
    async fn deliver(&self, scheduled_at: Timestamp, payload: &Value) -> Result<()> {
        *self.calls.lock() += 1;
        tokio::task::yield_now().await;
        if let Some(error) = self.failures.lock().pop() {
            return Err(error);
        }
        self.delivered.lock().push((scheduled_at, payload.clone()));
        Ok(())
    }

    async fn dropped(&self, payload: &Value, reason: &str) {
        self.dropped.lock().push((payload.clone(), reason.to_owned()));
    }
}

on_each_backend! {
    async fn check_01_buckets(keys: Keys) {
        let scheduler = scheduler(&keys, SchedulerOptions::default());
        let bucket = async |delta, now| scheduler.schedule(delta, &json!(1), Some(at(now))).await.unwrap().bucket_key;
        assert_eq!(bucket(0, NOW).await, "scheduler#scheduled_keys.2014-05-13T16:53:25");
        assert_eq!(bucket(3, NOW + 3).await, "scheduler#scheduled_keys.2014-05-13T16:53:30");
    }

    async fn check_02_what_is_stored(keys: Keys) {
        let scheduler = scheduler(&keys, SchedulerOptions::default());
        let item = scheduler.schedule(10, &json!({"a": 1}), None).await.unwrap();
        assert_eq!(item.bucket_key, "scheduler#scheduled_keys.2014-05-13T16:53:35");
        assert_eq!(scheduler.pending().await.unwrap().into_iter().collect::<Vec<_>>(), [item.key.as_str()]);
        let id = item.key.strip_prefix("scheduler#scheduled.2014-05-13T16:53:20.").unwrap();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        let hash = keys.collections().hash(&item.key).await.unwrap();
        let fields: Vec<(&str, &str)> = hash.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
        let bucket_key = ("bucket_key", item.bucket_key.as_str());
        assert_eq!(fields, [bucket_key, ("payload", r#"{"a": 1}"#), ("scheduled_at", "2014-05-13T16:53:20")]);
        assert_eq!(keys.set("scheduler#scheduled_keys").await, [item.key.as_str()]);
        assert_eq!(keys.set(&item.bucket_key).await, [item.key.as_str()]);
        let score = keys.collections().score("scheduler#scheduled_timestamps", "2014-05-13T16:53:35").await.unwrap();
        assert_eq!(score, Some((NOW + 15) as f64));
        assert_eq!(keys.all().await.len(), 4);
    }

    async fn check_03_delivered_in_its_bucket_and_once(keys: Keys) {
        for now in [15, 16, 19] {
            let (scheduler, desk) = (scheduler(&keys, SchedulerOptions::default()), Desk::default());
            scheduler.schedule(10, &json!({"a": 1}), None).await.unwrap();
            for early in [10, 14] {
                assert_eq!(scheduler.deliver(at(NOW + early), &desk).await.unwrap(), 0);
            }
            assert_eq!(*desk.calls.lock(), 0);
            assert_eq!(scheduler.deliver(at(NOW + now), &desk).await.unwrap(), 1);
            assert_eq!(scheduler.deliver(at(NOW + now), &desk).await.unwrap(), 0);
            assert_eq!(*desk.delivered.lock(), [(at(NOW), json!({"a": 1}))]);
            assert!(scheduler.pending().await.unwrap().is_empty());
            assert_eq!(keys.all().await, Vec::<String>::new());
        }
    }

    async fn check_04_two_items_of_one_bucket(keys: Keys) {
        let (scheduler, desk) = (scheduler(&keys, SchedulerOptions::default()), Desk::default());
        scheduler.schedule(10, &json!("one"), None).await.unwrap();
        scheduler.schedule(11, &json!("two"), None).await.unwrap();
        assert_eq!(scheduler.deliver(at(NOW + 15), &desk).await.unwrap(), 2);
        let mut payloads = desk.payloads();
        payloads.sort_by_key(Value::to_string);
        assert_eq!(payloads, ["one", "two"]);
    }

    async fn check_05_cleared_before_the_time(keys: Keys) {
        let (scheduler, desk) = (scheduler(&keys, SchedulerOptions::default()), Desk::default());
        let item = scheduler.schedule(10, &json!(1), None).await.unwrap();
        scheduler.clear(&item.key).await.unwrap();
        scheduler.clear(&item.key).await.unwrap();
        assert_eq!(keys.all().await, Vec::<String>::new());
        assert_eq!(scheduler.deliver(at(NOW + 15), &desk).await.unwrap(), 0);

        // Only items are cleared, whatever key is given.
        let other = Op::SetText { key: "other".into(), value: "x".into() };
        keys.collections().apply(Change::new().then(other)).await.unwrap();
        scheduler.clear("other").await.unwrap();
        assert_eq!(keys.all().await, ["other"]);
    }

    async fn check_06_what_was_due_while_nobody_ran(keys: Keys) {
        let (late, desk) = (scheduler(&keys, SchedulerOptions::default()), Desk::default());
        for delta in [-3600, -7200] {
            late.schedule(delta, &json!(delta), None).await.unwrap();
        }
        assert_eq!(late.deliver(at(NOW), &desk).await.unwrap(), 2);
        assert_eq!(desk.payloads(), [-7200, -3600], "oldest first");

        let options = SchedulerOptions { max_age: Some(60), ..SchedulerOptions::default() };
        let (strict, desk, logs) = (scheduler(&keys, options), Desk::default(), Logs::watch());
        strict.schedule(-3600, &json!("old"), None).await.unwrap();
        strict.schedule(-30, &json!("young"), None).await.unwrap();
        assert_eq!(strict.deliver(at(NOW), &desk).await.unwrap(), 1);
        assert_eq!(desk.payloads(), ["young"]);
        assert_eq!(desk.dropped.lock().len(), 1);
        let text = logs.error().text;
        assert!(text.contains("is dropped") && text.contains("max_age"), "{text}");
        assert_eq!(keys.all().await, Vec::<String>::new());
    }

    async fn check_07_a_callback_that_fails(keys: Keys) {
        let scheduler = scheduler(&keys, SchedulerOptions::default());
        scheduler.schedule(10, &json!("once"), None).await.unwrap();
        let desk = Desk::failing([Error::permanent("no")]);
        assert_eq!(scheduler.deliver(at(NOW + 15), &desk).await.unwrap(), 0);
        assert_eq!(scheduler.deliver(at(NOW + 19), &desk).await.unwrap(), 0);
        assert_eq!(scheduler.deliver(at(NOW + 20), &desk).await.unwrap(), 1);
        assert_eq!(desk.payloads(), ["once"]);
        assert_eq!(keys.all().await, Vec::<String>::new());

        let logs = Logs::watch();
        scheduler.schedule(10, &json!("never"), None).await.unwrap();
        let desk = Desk::failing((0..9).map(|_| Error::temporary("not today")));
        for bucket in 3..20 {
            assert_eq!(logs.at(Level::ERROR).len(), usize::from(*desk.calls.lock() >= 5));
            scheduler.deliver(at(NOW + 5 * bucket), &desk).await.unwrap();
        }
        assert_eq!((*desk.calls.lock(), desk.dropped.lock().len()), (5, 1));
        let reason = "it could not be delivered 5 times: not today";
        assert_eq!(desk.dropped.lock()[0], (json!("never"), reason.to_owned()));
        assert_eq!(logs.error().text, format!("a scheduled item is dropped: {reason}"));
        assert_eq!(keys.all().await, Vec::<String>::new());
    }

    async fn check_07_who_says_when_to_come_back_does_not_fail(keys: Keys) {
        let scheduler = scheduler(&keys, SchedulerOptions::default());
        scheduler.schedule(0, &json!("x"), None).await.unwrap();
        let desk = Desk::failing((0..20).map(|_| Error::after(Duration::from_secs(10), "busy")));
        let mut now = NOW;
        while desk.delivered.lock().is_empty() {
            now += 5;
            assert!(now < NOW + 400);
            scheduler.deliver(at(now), &desk).await.unwrap();
        }
        assert_eq!((*desk.calls.lock(), desk.dropped.lock().len()), (21, 0));
    }

    async fn check_08_two_schedulers_share_the_work(keys: Keys) {
        let one = scheduler(&keys, SchedulerOptions::default());
        let two = scheduler(&keys, SchedulerOptions::default());
        let desk = Arc::new(Desk::default());
        for n in 0..100 {
            one.schedule(n % 7, &json!(n), None).await.unwrap();
        }
        let run = |scheduler: Arc<Scheduler>| {
            let desk = Arc::clone(&desk);
            tokio::spawn(async move { scheduler.deliver(at(NOW + 20), &*desk).await.unwrap() })
        };
        let (first, second) = (run(one.clone()), run(two));
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        assert_eq!(first + second, 100);
        assert!(first > 0 && second > 0, "{first} and {second}: one did all the work");
        let mut payloads: Vec<i64> = desk.payloads().iter().map(|payload| payload.as_i64().unwrap()).collect();
        payloads.sort_unstable();
        assert_eq!(payloads, (0..100).collect::<Vec<_>>());
        assert!(one.pending().await.unwrap().is_empty());
    }

    async fn an_item_whose_process_died_is_delivered_by_another_after_a_minute(keys: Keys) {
        /// Never comes back.
        struct Dead(Mutex<bool>);
        #[async_trait]
        impl Deliver for Dead {
            async fn deliver(&self, _: Timestamp, _: &Value) -> Result<()> {
                *self.0.lock() = true;
                std::future::pending().await
            }
        }
        let (scheduler, desk) = (scheduler(&keys, SchedulerOptions::default()), Desk::default());
        scheduler.schedule(0, &json!("x"), None).await.unwrap();
        let dead = Arc::new(Dead(Mutex::new(false)));
        let task = {
            let (scheduler, dead) = (scheduler.clone(), dead.clone());
            tokio::spawn(async move { scheduler.deliver(at(NOW + 5), &*dead).await })
        };
        until("it is being delivered", async || *dead.0.lock()).await;
        task.abort();
        assert_eq!(scheduler.deliver(at(NOW + 64), &desk).await.unwrap(), 0);
        assert_eq!(scheduler.pending().await.unwrap().len(), 1);
        assert_eq!(scheduler.deliver(at(NOW + 70), &desk).await.unwrap(), 1);
        assert_eq!(keys.all().await, Vec::<String>::new());
    }

    async fn what_vumi_had_taken_and_lost_is_recovered_after_a_minute(keys: Keys) {
        let (scheduler, desk) = (scheduler(&keys, SchedulerOptions::default()), Desk::default());
        let item = scheduler.schedule(0, &json!("x"), None).await.unwrap();
        scheduler.schedule(1, &json!("waits"), None).await.unwrap();
        let pop = Op::SetRemove { key: item.bucket_key.clone(), members: vec![item.key.clone()] };
        keys.collections().apply(Change::new().then(pop)).await.unwrap();
        // Due in the bucket NOW + 5.
        assert_eq!(scheduler.recover(at(NOW + 64)).await.unwrap(), 0);
        assert_eq!(scheduler.recover(at(NOW + 65)).await.unwrap(), 1);
        assert_eq!(scheduler.recover(at(NOW + 65)).await.unwrap(), 0);
        assert_eq!(scheduler.deliver(at(NOW + 70), &desk).await.unwrap(), 2);
        assert_eq!(desk.payloads(), ["waits", "x"]);

        // A key without an item is forgotten.
        let stale = vec!["scheduler#scheduled.2014-05-13T16:53:20.0".to_owned()];
        let add = Op::SetAdd { key: "scheduler#scheduled_keys".into(), members: stale };
        keys.collections().apply(Change::new().then(add)).await.unwrap();
        assert_eq!(scheduler.recover(at(NOW + 70)).await.unwrap(), 0);
        assert_eq!(keys.all().await, Vec::<String>::new());
    }

    async fn damaged_items_do_not_hold_up_the_others(keys: Keys) {
        let (scheduler, desk, logs) = (scheduler(&keys, SchedulerOptions::default()), Desk::default(), Logs::watch());
        let bad = scheduler.schedule(0, &json!("x"), None).await.unwrap();
        let gone = scheduler.schedule(0, &json!("y"), None).await.unwrap();
        scheduler.schedule(0, &json!("good"), None).await.unwrap();
        let fields = vec![("payload".to_owned(), "{no json".to_owned())];
        let damage = Change::new().then(Op::HashSet { key: bad.key, fields }).then(Op::Delete { keys: vec![gone.key] });
        keys.collections().apply(damage).await.unwrap();
        assert_eq!(scheduler.deliver(at(NOW + 5), &desk).await.unwrap(), 1);
        assert_eq!(desk.payloads(), ["good"]);
        assert!(logs.error().text.contains("its payload cannot be read"), "{:?}", logs.error());
        assert_eq!(keys.all().await, Vec::<String>::new());
    }

    async fn it_delivers_by_itself_until_it_is_stopped(keys: Keys) {
        let options = SchedulerOptions { delivery_period: 0.01, ..SchedulerOptions::default() };
        let (scheduler, desk, stop) = (scheduler(&keys, options), Arc::new(Desk::default()), CancellationToken::new());
        scheduler.schedule(-60, &json!("at once"), None).await.unwrap();
        scheduler.schedule(10, &json!("later"), None).await.unwrap();
        let running = {
            let (scheduler, desk, stop) = (scheduler.clone(), desk.clone(), stop.clone());
            tokio::spawn(async move { scheduler.run(&*desk, &stop).await })
        };
        until("the first is delivered", async || desk.payloads() == ["at once"]).await;
        keys.clock.forward(15);
        until("the second is delivered", async || desk.payloads() == ["at once", "later"]).await;
        stop.cancel();
        running.await.unwrap();
    }
}

#[tokio::test]
async fn odd_options_are_refused() {
    let keys = Keys::in_memory();
    for options in [
        SchedulerOptions { granularity: 0, ..SchedulerOptions::default() },
        SchedulerOptions { max_attempts: 0, ..SchedulerOptions::default() },
        SchedulerOptions { delivery_period: 0.0, ..SchedulerOptions::default() },
    ] {
        let error = Scheduler::new(&keys.space, keys.clock.clone(), options).unwrap_err().to_string();
        assert!(error.contains("is 0: write"), "{error}");
    }
}
