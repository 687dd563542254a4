//! How many messages per second the embedded broker carries on this machine:
//! `cargo run --release -p vumi-broker --example throughput`.
//!
//! Each message is published, taken and acknowledged. In memory this is one task on one thread; with a file it is
//! several publishers at once, since one disk flush is shared by all who wait for it.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use vumi_broker::{BrokerOptions, Durability, EmbeddedBroker};
use vumi_core::{Admission, Broker, Outgoing};

/// Messages in one round of the single thread.
const ROUND: usize = 100;

fn told(what: &str, count: usize, begun: Instant) {
    println!("{what}: {:.0} messages/s", count as f64 / begun.elapsed().as_secs_f64());
}

async fn in_memory(count: usize) -> Result<(), Box<dyn Error>> {
    let broker = EmbeddedBroker::in_memory(BrokerOptions::default());
    let mut consumer = broker.consume("q", 0).await?;
    let body = Bytes::from(vec![b'x'; 500]);
    let begun = Instant::now();
    for _ in 0..count / ROUND {
        for _ in 0..ROUND {
            broker.publish("q", body.clone(), Admission::Inside).await?.await?;
        }
        for _ in 0..ROUND {
            consumer.next().await.ok_or("closed")?.ack().await?.await?;
        }
    }
    told("in memory, one thread", count, begun);

    let mut replies = broker.consume("replies", 0).await?;
    let begun = Instant::now();
    for _ in 0..count {
        broker.publish("q", body.clone(), Admission::Inside).await?.await?;
        let reply = vec![Outgoing { queue: "replies".to_owned(), body: body.clone() }];
        consumer.next().await.ok_or("closed")?.done(reply).await?.await?;
        replies.next().await.ok_or("closed")?.ack().await?.await?;
    }
    told("in memory, one thread, each with a reply", count, begun);
    Ok(())
}

async fn with_file(durability: Durability, tasks: usize, each: usize) -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let broker = EmbeddedBroker::open(&directory.path().join("broker.sqlite"), durability, BrokerOptions::default())?;
    let body = Bytes::from(vec![b'x'; 500]);
    let begun = Instant::now();
    let mut running = Vec::new();
    for task in 0..tasks {
        let (broker, body): (Arc<dyn Broker>, _) = (Arc::<EmbeddedBroker>::clone(&broker), body.clone());
        running.push(tokio::spawn(async move {
            let name = format!("q{task}");
            let mut consumer = broker.consume(&name, 1).await?;
            for _ in 0..each {
                broker.publish(&name, body.clone(), Admission::Inside).await?.await?;
                if let Some(mut delivery) = consumer.next().await {
                    delivery.ack().await?.await?;
                }
            }
            Ok::<(), vumi_core::Error>(())
        }));
    }
    for task in running {
        task.await??;
    }
    told(&format!("with a file ({durability:?}), {tasks} at once, all confirmed"), tasks * each, begun);
    broker.close().await;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    in_memory(1_000_000).await?;
    for durability in [Durability::Power, Durability::Process] {
        with_file(durability, 1, 2_000).await?;
        with_file(durability, 500, 200).await?;
    }
    Ok(())
}
