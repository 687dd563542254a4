//! The attack: each neighbour gets as many messages at a time as it handles, and the next one whenever one has ended.

use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use vumi_core::Broker;

use crate::PATIENCE;
use crate::host::{Host, message, send};

/// Long enough for the limit of log bytes to come before that of host calls.
const LONG_LOG: &str = "logs 1000000 all work and no play makes a line that is far too long, that says nothing to \
    anybody, that is written again and again for as long as the host will have it, and that nobody will ever read";

/// The neighbours, and what each is told: commands of the guest `probe`.
pub const ATTACKS: [(&str, &str); 10] = [
    ("looper", "loop"),
    ("hoarder", "memory"),
    ("climber", "recurse"),
    ("digger", "descend"),
    ("caller", "kv-calls 1000000"),
    ("collector", "kv-keys 1000000"),
    ("chatterer", LONG_LOG),
    ("shouter", "huge-reply 1000000"),
    ("repeater", "many-replies 1000000"),
    ("panicker", "panic"),
];

/// All neighbours, at rest.
pub struct Attackers {
    broker: Arc<dyn Broker>,
    rooms: Vec<Arc<Semaphore>>,
    parallel: usize,
}

/// An attack under way.
pub struct Attack<'a> {
    attackers: &'a Attackers,
    tasks: Vec<JoinHandle<()>>,
}

impl Attackers {
    pub fn new(host: &Host, parallel: usize) -> Self {
        let rooms = (0..ATTACKS.len()).map(|neighbour| host.tally.room(neighbour)).collect();
        Self { broker: Arc::clone(&host.broker), rooms, parallel }
    }

    /// Begins to attack.
    pub fn attack(&self, io: &Runtime) -> Attack<'_> {
        let tasks = ATTACKS.iter().zip(&self.rooms).map(|((name, content), room)| {
            let (broker, room, parallel) = (Arc::clone(&self.broker), Arc::clone(room), self.parallel);
            io.spawn(async move {
                // Twice as many conversations as are handled at a time, so that none waits for another's end.
                for user in (0..parallel * 2).cycle() {
                    let permit = room.acquire().await.expect("it stays open");
                    send(&*broker, name, message(user, content).1).await;
                    // The end of the message's run gives it back.
                    permit.forget();
                }
            })
        });
        Attack { attackers: self, tasks: tasks.collect() }
    }
}

impl Attack<'_> {
    /// Sends nothing any more, and waits until all runs have ended.
    pub fn stop(self, io: &Runtime) {
        let all = u32::try_from(self.attackers.parallel).expect("a small number");
        let stopped = async {
            for task in self.tasks {
                task.abort();
                // Whatever it was doing, it does nothing any more.
                let _ = task.await;
            }
            for room in &self.attackers.rooms {
                drop(room.acquire_many(all).await.expect("it stays open"));
            }
        };
        io.block_on(async { tokio::time::timeout(PATIENCE, stopped).await }).expect("the neighbours' runs end");
    }
}
