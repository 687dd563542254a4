//! Many at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::task::JoinSet;
use vumi_broker::BrokerOptions;
use vumi_core::{Admission, Outgoing};

use super::kit::*;

const PUBLISHERS: usize = 8;
const CONSUMERS: usize = 8;
const EACH: usize = 2_500;

/// Publishes `PUBLISHERS` × `each` numbered messages from tasks of their own, through a narrow bound.
fn publishers(bench: &Bench, each: usize) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let broker = Arc::clone(&bench.broker);
        tasks.spawn(async move {
            let mut confirms = Vec::new();
            for number in 0..each {
                let body = Bytes::from((publisher * each + number).to_string());
                let admission = Admission::Edge(Duration::from_secs(100));
                confirms.push(broker.publish(Q, body, admission).await.expect("room in time"));
            }
            for confirm in confirms {
                confirm.await.expect("confirmed");
            }
        });
    }
    tasks
}

async fn all(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        ended.expect("ends well");
    }
}

pub(crate) async fn nothing_is_lost_or_doubled_among_many<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { bound: 200, ..BrokerOptions::default() }).await;
    let seen: Arc<Mutex<Vec<usize>>> = Arc::default();
    let mut consumers = JoinSet::new();
    for consumer in 0..CONSUMERS {
        let mut taking = consume(&*bench.broker, 5 + consumer as u16).await;
        let seen = Arc::clone(&seen);
        consumers.spawn(async move {
            let mut own = Vec::new();
            while let Some(mut delivery) = taking.next().await {
                assert_eq!(delivery.attempts, 1);
                own.push(text(&delivery).parse::<usize>().expect("a number"));
                seen.lock().push(*own.last().expect("just pushed"));
                drop(delivery.ack().await.expect("settles"));
            }
            // Whatever the mixture, the messages of one publisher come to one consumer in order.
            for publisher in 0..PUBLISHERS {
                assert!(own.iter().filter(|number| *number / EACH == publisher).is_sorted());
            }
        });
    }
    tokio::time::timeout(Duration::from_secs(120), all(publishers(&bench, EACH))).await.expect("in time");
    soon(async {
        while seen.lock().len() < PUBLISHERS * EACH || counts(&*bench.broker, Q).await != (0, 0, 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    soon(bench.broker.close()).await;
    soon(all(consumers)).await;
    let mut seen = std::mem::take(&mut *seen.lock());
    seen.sort_unstable();
    assert_eq!(seen, (0..PUBLISHERS * EACH).collect::<Vec<_>>());
}

/// Every message is first given back, dropped or kept by chance, at last done with a reply.
pub(crate) async fn deliveries_that_come_back_are_neither_lost_nor_doubled<F: AsyncFn(BrokerOptions) -> Bench>(
    make: F,
) {
    const EACH: usize = 250;
    let bench = make(BrokerOptions { bound: 50, hard_factor: 1_000, ..BrokerOptions::default() }).await;
    let done = Arc::new(AtomicUsize::new(0));
    let mut consumers = JoinSet::new();
    for consumer in 0..CONSUMERS {
        let broker = Arc::clone(&bench.broker);
        let done = Arc::clone(&done);
        consumers.spawn(async move {
            let mut turn = consumer;
            'anew: loop {
                let mut taking = consume(&*broker, 3).await;
                while let Some(mut delivery) = taking.next().await {
                    turn += 1;
                    match turn % 5 {
                        0 => delivery.retry(Duration::ZERO),
                        1 => delivery.retry(Duration::from_millis(2)),
                        2 => continue 'anew,
                        _ => {
                            let reply = Outgoing { queue: "replies.outbound".to_owned(), body: delivery.body.clone() };
                            delivery.done(vec![reply]).await.expect("settles").await.expect("confirmed");
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
                return;
            }
        });
    }
    tokio::time::timeout(Duration::from_secs(120), all(publishers(&bench, EACH))).await.expect("in time");
    soon(async {
        while done.load(Ordering::Relaxed) < PUBLISHERS * EACH {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(counts(&*bench.broker, Q).await, (0, 0, 0));
    let mut replies = bench.broker.consume("replies.outbound", 0).await.expect("open");
    let taken = take(&mut replies, PUBLISHERS * EACH).await;
    let mut seen: Vec<usize> = taken.iter().map(|reply| text(reply).parse().expect("a number")).collect();
    nothing(&mut replies).await;
    seen.sort_unstable();
    assert_eq!(seen, (0..PUBLISHERS * EACH).collect::<Vec<_>>());
    soon(bench.broker.close()).await;
    soon(all(consumers)).await;
}
