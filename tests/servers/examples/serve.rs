//! A RabbitMQ and a Redis of one's own, to try things with: prints their addresses and runs until its input ends.
//!
//! ```sh
//! cargo run -p vumi-test-servers --example serve
//! ```

use std::io::Read;

fn main() {
    let rabbitmq = vumi_test_servers::RabbitMq::start();
    let redis = vumi_test_servers::Redis::start();
    println!("broker: {}", rabbitmq.url("%2f"));
    println!("kv: {}", redis.url(0));
    println!("Ctrl-D stops them.");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
