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
    /// Name, command, and how many more messages it takes now.
    neighbours: Vec<(&'static str, &'static str, Arc<Semaphore>)>,
    parallel: usize,
}

/// An attack under way.
pub struct Attack<'a> {
    attackers: &'a Attackers,
    tasks: Vec<JoinHandle<()>>,
}

impl Attackers {
    /// All of them, or the one of this name.
    pub fn new(host: &Host, parallel: usize, only: Option<&str>) -> Self {
        let all = ATTACKS.iter().enumerate().map(|(at, (name, command))| (*name, *command, host.tally.room(at)));
        let neighbours: Vec<_> = all.filter(|(name, ..)| only.is_none_or(|only| only == *name)).collect();
        assert!(!neighbours.is_empty(), "no neighbour has the name that was given: known are {ATTACKS:?}");
        Self { broker: Arc::clone(&host.broker), neighbours, parallel }
    }

    /// Begins to attack.
    pub fn attack(&self, io: &Runtime) -> Attack<'_> {
        let tasks = self.neighbours.iter().map(|(name, command, room)| {
            let (name, command, parallel) = (*name, *command, self.parallel);
            let (broker, room) = (Arc::clone(&self.broker), Arc::clone(room));
            io.spawn(async move {
                // Twice as many conversations as are handled at a time, so that none waits for another's end.
                for user in (0..parallel * 2).cycle() {
                    let permit = room.acquire().await.expect("it stays open");
                    send(&*broker, name, message(user, command).1).await;
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
            for (.., room) in &self.attackers.neighbours {
                drop(room.acquire_many(all).await.expect("it stays open"));
            }
        };
        io.block_on(async { tokio::time::timeout(PATIENCE, stopped).await }).expect("the neighbours' runs end");
    }
}
