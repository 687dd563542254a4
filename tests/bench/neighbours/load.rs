//! The good app's load: messages at a fixed pace, whether or not the earlier ones have been answered, so that a stall
//! shows in the time of every message that it held up.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use vumi_core::{Broker, names};
use vumi_message::UserMessage;

use crate::PATIENCE;
use crate::host::{GOOD, Host, message, send};

/// Conversations that the messages belong to, in turn.
const USERS: usize = 20;

/// The times of one phase, in microseconds, sorted.
pub struct Times(Vec<f64>);

impl Times {
    /// The time that this share of the messages did not pass.
    pub fn at(&self, share: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * share) as usize]
    }

    /// Messages.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// See the module's text.
pub struct Load {
    broker: Arc<dyn Broker>,
    rate: u32,
}

impl Load {
    pub fn new(host: &Host, rate: u32) -> Self {
        Self { broker: Arc::clone(&host.broker), rate }
    }

    /// Messages for the time of a phase, and their answers.
    pub fn phase(&self, io: &Runtime, phase: Duration) -> Times {
        let count = (phase.as_secs_f64() * f64::from(self.rate)).ceil().max(1.0) as usize;
        let broker = Arc::clone(&self.broker);
        let arrivals = io.spawn(async move {
            let mut replies = broker.consume(&names::outbound(GOOD), 0).await.expect("a queue");
            let mut arrivals = Vec::with_capacity(count);
            while arrivals.len() < count {
                let mut delivery = replies.next().await.expect("an open queue");
                let at = Instant::now();
                let reply = UserMessage::from_json(&delivery.body).expect("a message");
                arrivals.push((reply.in_reply_to().expect("a reply").to_owned(), at));
                delivery.ack().await.expect("it is settled");
            }
            arrivals
        });
        let departures = self.send(io, count);
        let arrivals = io.block_on(async { tokio::time::timeout(PATIENCE, arrivals).await });
        let arrivals = arrivals.expect("every message is answered").expect("no panic");
        let mut times: Vec<f64> =
            arrivals.into_iter().map(|(id, at)| at.duration_since(departures[&id]).as_secs_f64() * 1e6).collect();
        times.sort_by(f64::total_cmp);
        Times(times)
    }

    /// Sends at the pace from a thread of its own, since the timers of a runtime count whole milliseconds; when each
    /// message left.
    fn send(&self, io: &Runtime, count: usize) -> HashMap<String, Instant> {
        let mut departures = HashMap::with_capacity(count);
        let mut due = Instant::now();
        for number in 0..count {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let (id, body) = message(number % USERS, "bench");
            departures.insert(id, Instant::now());
            io.block_on(send(&*self.broker, GOOD, body));
            due += Duration::from_secs(1) / self.rate;
        }
        departures
    }
}
