//! Check 4: `amqp_prefetch_count` is what each consumer of a worker asks for: 20 unless given, no bound for null.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::{Admission, Broker, Confirm, Consumer, DeadLetter, QueueInfo, Result, Stack};

use super::kit::{Bench, on_each_broker};
use super::parts::message;
use crate::backends::{Running, until};
use crate::telnet::rig::Read;

/// The key, and what a broker is asked for.
const CASES: [(&str, u16); 4] =
    [("amqp_prefetch_count: 10\n", 10), ("amqp_prefetch_count: 1\n", 1), ("", 20), ("amqp_prefetch_count: null\n", 0)];

const MANY: u64 = 60;

on_each_broker! {
    async fn check_04_messages_ahead_of_their_turn(bench: Bench) {
        for (number, (key, prefetch)) in CASES.into_iter().enumerate() {
            let (name, ahead) = (format!("app{number}"), if prefetch == 0 { MANY } else { u64::from(prefetch) });
            let (inbound, app) = (format!("{name}.inbound"), bench.app(&name, key, Stack::default()).await);
            for _ in 0..MANY {
                bench.put(&inbound, message("hold").to_json()).await;
            }
            bench.until_held(&inbound, (MANY - ahead, ahead)).await;
            app.part.gate.add_permits(MANY as usize);
            bench.until_held(&inbound, (0, 0)).await;
            app.stop().await;
        }
    }
}

/// Notes what consumers ask for.
struct Noting {
    inner: Arc<dyn Broker>,
    asked: Mutex<Vec<(String, u16)>>,
}

#[async_trait]
impl Broker for Noting {
    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Box<dyn Consumer>> {
        self.asked.lock().push((queue.to_owned(), prefetch));
        self.inner.consume(queue, prefetch).await
    }

    async fn declare(&self, queue: &str) -> Result<()> {
        self.inner.declare(queue).await
    }

    async fn publish(&self, queue: &str, body: Bytes, admission: Admission) -> Result<Confirm> {
        self.inner.publish(queue, body, admission).await
    }

    fn has_room(&self, queue: &str) -> bool {
        self.inner.has_room(queue)
    }

    async fn room(&self, queue: &str) {
        self.inner.room(queue).await;
    }

    async fn queues(&self) -> Result<Vec<QueueInfo>> {
        self.inner.queues().await
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>> {
        self.inner.dead_letters(queue, limit).await
    }

    async fn revive(&self, queue: &str, id: u64) -> Result<bool> {
        self.inner.revive(queue, id).await
    }

    async fn bury(&self, queue: &str, id: u64) -> Result<bool> {
        self.inner.bury(queue, id).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[tokio::test]
async fn check_04_every_consumer_of_every_kind_of_worker() {
    for (key, prefetch) in CASES {
        let inner = EmbeddedBroker::in_memory(BrokerOptions::default());
        let noting = Arc::new(Noting { inner, asked: Mutex::default() });
        let bench = Bench::on(Arc::<Noting>::clone(&noting));
        let asked = || {
            let mut asked = std::mem::take(&mut *noting.asked.lock());
            asked.sort();
            asked
        };
        let expected = |queues: &[&str]| queues.iter().map(|queue| ((*queue).to_owned(), prefetch)).collect::<Vec<_>>();

        let shared = serde_saphyr::from_str::<Read>(&format!("class: telnet\n{key}")).unwrap().0.shared;
        let transport = bench.transport("sms_1", shared, Stack::default()).await;
        assert_eq!(asked(), expected(&["sms_1.outbound"]), "{key}");
        transport.stop().await;

        let app = bench.app("sms_1", key, Stack::default()).await;
        assert_eq!(asked(), expected(&["sms_1.event", "sms_1.inbound"]), "{key}");
        app.stop().await;

        let yaml =
            "class: simple\ntransport_names: [t1, t2]\nexposed_names: [a1]\nroute_mappings: {t1: [a1], t2: [a1]}\n";
        let switch = bench.dispatcher(&format!("{yaml}{key}"), Stack::default()).await;
        assert_eq!(asked(), expected(&["a1.outbound", "t1.event", "t1.inbound", "t2.event", "t2.inbound"]), "{key}");
        switch.stop().await;

        for (yaml, queue) in [
            (
                "class: failure\ntransport_name: t1\nretry_routing_key: t1.outbound\nfailures_routing_key: t1.failures\n",
                "t1.failures",
            ),
            ("class: metric_time_bucket\nbuckets: 1\nbucket_size: 5\n", "vumi.metrics"),
        ] {
            let worker = Running::start(&format!("{yaml}{key}"), &bench.context).await;
            until("the worker consumes", async || !noting.asked.lock().is_empty()).await;
            assert_eq!(asked(), expected(&[queue]), "{key}");
            worker.stop().await;
        }
    }
}
