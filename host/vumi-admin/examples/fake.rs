//! The admin server on a system that exists only in memory: to look at the pages without building a component.
//!
//! `cargo run -p vumi-admin --example fake -- 8080`, then open <http://127.0.0.1:8080/>. A second argument is the
//! token that callers must send.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

#[path = "../tests/fake/mod.rs"]
mod fake;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use vumi_admin::{AdminOptions, Secret, bind, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    let mut options = AdminOptions::default();
    options.listen.set_port(port);
    options.token = std::env::args().nth(2).map(Secret::new);
    let listener = bind(&options).await?;
    println!("http://{}/", listener.local_addr()?);
    let system = fake::Fake::new(1000, Duration::from_millis(350));
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        // An error means that the signal cannot be caught: then it ends the process by itself.
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    serve(listener, options, Arc::new(fake::FakeControl(system)), shutdown).await?;
    Ok(())
}
