//! Instances that go from one message to the next, where an app's owner asked for it (`instances: reuse`).
//!
//! The app's live instances wait here for its next message. Each is used by one run at a time; limits, budgets, CPU time
//! and log lines are counted per message as ever, but memory is not: what a guest leaves there is there again for the
//! next message that the instance gets, and what has grown stays grown. An instance that trapped, was stopped by a limit
//! or whose time was over is thrown away, as is one that has handled its share of messages, belongs to a component that
//! has been replaced, or has waited too long.

mod shelf;

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use wasmtime::Store;

use crate::app::AppShared;
use crate::config::{AppConfig, Instances};
use crate::engine::Sandbox;
use crate::library::Version;
use crate::run::{About, Began, Entry, Finished};
use crate::script::{Handler, Instance, Runnable};
use crate::state::Guest;

use shelf::Shelf;

/// How long an instance waits for another message.
const IDLE: Duration = Duration::from_secs(60);

/// What a new instance is made of.
pub(crate) struct Source {
    /// Tells instances of one component from those of another.
    pub(crate) version: Arc<Version>,
    /// The component or script, in memory.
    pub(crate) ready: Runnable,
}

/// The live instances of one app.
pub(crate) struct Pool {
    /// Messages for one instance at most.
    messages: u64,
    state: Mutex<State>,
}

struct State {
    shelf: Shelf<Waiting>,
    /// Whether a task looks after those that wait too long.
    swept: bool,
}

/// An instance that waits, in its place of the engine's pool.
struct Waiting {
    live: Live,
    _place: OwnedSemaphorePermit,
}

/// An instance and how often it was used.
struct Live {
    store: Store<Guest>,
    instance: Option<Instance>,
    version: Arc<Version>,
    messages: u64,
}

/// One call of an instance, which is made when there is none yet.
struct Call<'a> {
    instance: &'a mut Option<Instance>,
    ready: &'a Runnable,
    what: &'a Handler,
}

impl Entry for Call<'_> {
    type Answer = ();

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<(), String>> {
        let instance = match self.instance {
            Some(instance) => instance,
            none => match self.ready.instance(store).await? {
                Ok(instance) => none.insert(instance),
                Err(text) => return Ok(Err(text)),
            },
        };
        instance.call(self.what, store).await
    }
}

impl Pool {
    /// For an app that asks for it.
    pub(crate) fn of(config: &AppConfig) -> Option<Arc<Self>> {
        (config.instances == Instances::Reuse).then(|| {
            // No more are ever in use side by side.
            let shelf = Shelf::new(config.parallel.max(1), IDLE);
            Arc::new(Self { messages: config.reuse_messages.max(1), state: Mutex::new(State { shelf, swept: false }) })
        })
    }

    /// Runs the app once, in an instance that waits if there is one.
    pub(crate) async fn run(
        self: &Arc<Self>,
        sandbox: &Sandbox,
        shared: &Arc<AppShared>,
        place: Option<OwnedSemaphorePermit>,
        about: About,
        source: Source,
        what: &Handler,
    ) -> Finished {
        let (About { cause, user, version: number }, Source { version, ready }) = (about, source);
        let first = sandbox.turns().first(&shared.account).await;
        let began = Began::now();
        let deadline = began.clock + shared.timeout;
        let mut live = match self.take(&version) {
            Some(mut live) => {
                live.store.data_mut().renew(cause, deadline);
                live
            }
            None => {
                let store = shared.open(sandbox, Guest::new(Arc::clone(shared), cause, deadline));
                Live { store, instance: None, version, messages: 0 }
            }
        };
        let call = Call { instance: &mut live.instance, ready: &ready, what };
        let ended = shared.enter(&mut live.store, call, &began, sandbox.turns(), first).await;
        live.messages += 1;
        let finished = shared.finish(live.store.data_mut(), ended.stop, ended.cpu, &began, user, number);
        // A script that threw while it was loaded left a store without an instance.
        if ended.returned && live.instance.is_some() && live.messages < self.messages {
            self.put(live, sandbox);
        } else {
            drop(live);
        }
        drop((place, ended.turn));
        finished
    }

    /// An instance of this version that waits.
    fn take(&self, version: &Arc<Version>) -> Option<Live> {
        // Those of a version that has been replaced are taken apart after the lock is given back.
        let (found, _replaced) = self.state.lock().shelf.take(|waiting| Arc::ptr_eq(&waiting.live.version, version));
        found.map(|waiting| waiting.live)
    }

    /// Lets an instance wait, where there is room.
    fn put(self: &Arc<Self>, live: Live, sandbox: &Sandbox) {
        let Some(place) = sandbox.idle_place() else { return };
        let mut state = self.state.lock();
        let too_many = state.shelf.put(Waiting { live, _place: place }, Instant::now());
        let sweep_begins = !std::mem::replace(&mut state.swept, true);
        drop(state);
        drop(too_many);
        if sweep_begins {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Throws away what has waited too long; the answer is when to look again, or `None` when nothing is left.
    fn throw_away(&self) -> Option<Instant> {
        let mut state = self.state.lock();
        let expired = state.shelf.expired(Instant::now());
        let next = state.shelf.next_expiry();
        state.swept = next.is_some();
        drop(state);
        drop(expired);
        next
    }
}

/// Ends with the pool, or when nothing is left in it.
async fn sweep(pool: Weak<Pool>) {
    let mut next = Instant::now() + IDLE;
    loop {
        tokio::time::sleep_until(next).await;
        let Some(pool) = pool.upgrade() else { return };
        match pool.throw_away() {
            Some(later) => next = later,
            None => return,
        }
    }
}
