//! Versions of an app: brought into memory when they are needed and dropped when they are not, a canary for a share of
//! the conversations, and a shadow that nobody hears.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use vumi_core::{Difference, Outcome, RecordingBounds, Recordings, SystemClock};
use vumi_message::{Event, NewUserMessage, UserMessage};
use vumi_sandbox::{
    Compiler, ComponentCache, Library, LoadError, LoadedComponent, Origin, Plan, Release, Shadow, WHOLE,
};
use vumi_store::MemoryBounds;
use vumi_tests::guests::{self, stamp, stamped};

use super::kit::{Rig, sandbox};

/// Keeps the bytes of components, as the catalog does.
#[derive(Default)]
struct Shelf(Mutex<HashMap<String, Bytes>>);

#[async_trait]
impl Origin for Shelf {
    async fn bytes(&self, hash: &str) -> vumi_core::Result<Option<Bytes>> {
        Ok(self.0.lock().get(hash).cloned())
    }
}

struct Stage {
    folder: tempfile::TempDir,
    shelf: Arc<Shelf>,
    library: Arc<Library>,
}

impl Stage {
    fn new(budget: u64) -> Self {
        let folder = guests::scratch();
        let shelf = Arc::new(Shelf::default());
        let cache = ComponentCache::at(&folder.path().join("cache")).unwrap();
        let origin = Arc::clone(&shelf) as Arc<dyn Origin>;
        let library = Library::new(sandbox(), cache, Compiler::here(), origin, budget);
        Self { folder, shelf, library }
    }

    async fn admit(&self, number: u64) -> LoadedComponent {
        let bytes = Bytes::from(stamped(number));
        let loaded = self.library.admit(&bytes, "test").await.unwrap();
        self.shelf.0.lock().insert(loaded.hash().to_owned(), bytes);
        loaded
    }

    async fn release(&self, number: u32) -> Release {
        Release { number: Some(number), component: self.admit(number.into()).await }
    }

    fn compiled(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("cache")).unwrap().count()
    }
}

fn rig(component: &LoadedComponent) -> Rig {
    let kv = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
    Rig::of("shop", component, kv, |_| {})
}

fn from(user: &str, content: &str) -> UserMessage {
    UserMessage::new(NewUserMessage {
        to_addr: Some("8007".into()),
        from_addr: Some(user.to_owned()),
        transport_name: Some("sms".into()),
        transport_type: Some("sms".into()),
        content: Some(content.to_owned()),
        ..NewUserMessage::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_used_is_dropped_and_comes_back() {
    // Room for two.
    let one = Stage::new(u64::MAX);
    one.admit(1).await;
    let size = one.library.stats().bytes;
    let stage = Stage::new(size * 5 / 2);
    let mut rigs = Vec::new();
    for number in 1..=5 {
        rigs.push(rig(&stage.admit(number).await));
    }
    assert_eq!((stage.library.stats().resident, stage.compiled()), (2, 5));
    for round in 1..=3 {
        for (index, rig) in rigs.iter_mut().enumerate() {
            let answer = rig.ask("stamp").await;
            assert_eq!(answer.text(), format!("{} {round}", stamp(index as u64 + 1)));
        }
    }
    let stats = stage.library.stats();
    assert_eq!(stats.resident, 2);
    assert!(stats.loads >= 15 && stats.loads - stats.drops == 2, "{stats:?}");
    assert!(stats.bytes <= size * 5 / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_component_is_there_once() {
    let stage = Stage::new(u64::MAX);
    let (first, second) = (stage.admit(1).await, stage.admit(1).await);
    assert_eq!((first.hash(), stage.compiled(), stage.library.stats().resident), (second.hash(), 1, 1));
    assert_eq!(stage.library.stats().loads, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_reads_nothing_and_the_first_message_brings_it() {
    let before = Stage::new(u64::MAX);
    let (hash, bytes) = {
        let loaded = before.admit(7).await;
        (loaded.hash().to_owned(), loaded.bytes())
    };
    // Another process on the same folder.
    let cache = ComponentCache::at(&before.folder.path().join("cache")).unwrap();
    let library =
        Library::new(sandbox(), cache, Compiler::here(), Arc::clone(&before.shelf) as Arc<dyn Origin>, 1 << 30);
    let mut rig = rig(&library.register(&hash, bytes));
    assert_eq!(library.stats().loads, 0);
    assert_eq!(rig.ask("stamp").await.text(), format!("{} 1", stamp(7)));
    assert_eq!(library.stats().loads, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_or_damaged_on_disk_is_compiled_again() {
    let stage = Stage::new(1);
    let mut first = rig(&stage.admit(1).await);
    let mut second = rig(&stage.admit(2).await);
    assert_eq!(second.ask("stamp").await.outcome(), Outcome::Ok);
    let files = || std::fs::read_dir(stage.folder.path().join("cache")).unwrap().map(|entry| entry.unwrap().path());
    // Only one at a time is in memory: each turn brings one of them back.
    files().for_each(|file| std::fs::remove_file(file).unwrap());
    assert_eq!(first.ask("stamp").await.text(), format!("{} 1", stamp(1)));
    assert_eq!(second.ask("stamp").await.text(), format!("{} 2", stamp(2)));
    for file in files() {
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).unwrap();
    }
    // Found to be damaged: compiled anew.
    assert_eq!(first.ask("stamp").await.text(), format!("{} 2", stamp(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_app_is_refused() {
    let stage = Stage::new(u64::MAX);
    let refused = |bytes: Vec<u8>| {
        let library = Arc::clone(&stage.library);
        async move { library.admit(&Bytes::from(bytes), "upload").await.map(|_| ()).unwrap_err() }
    };
    assert!(matches!(refused(b"\xffhello".to_vec()).await, LoadError::NotWasm { .. }));
    assert!(matches!(refused(b"hello you".to_vec()).await, LoadError::Script { .. }));
    assert!(matches!(refused(b"\0asm\x01\0\0\0".to_vec()).await, LoadError::NotAComponent { .. }));
    let echo = std::fs::read(guests::guest("echo")).unwrap();
    assert!(matches!(refused(echo[..echo.len() / 2].to_vec()).await, LoadError::Invalid { .. }));
    let router = std::fs::read(guests::guest("keyword-router")).unwrap();
    assert!(matches!(refused(router).await, LoadError::WrongWorld { .. }));
    let unknown = std::fs::read(guests::guest("unknown-import")).unwrap();
    assert!(matches!(refused(unknown).await, LoadError::UnknownImport { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_the_conversations_goes_to_the_canary_and_stays_there() {
    let stage = Stage::new(u64::MAX);
    let (one, two) = (stage.release(1).await, stage.release(2).await);
    let mut rig = rig(&one.component);
    let with = |share: u32| Plan { canary: Some((two.clone(), share)), ..Plan::live(one.clone()) };
    let mut of = HashMap::new();
    rig.app.follow(with(WHOLE / 4));
    for round in 0..3 {
        let mut canaries = 0;
        for user in 0..200 {
            let user = format!("+2771{user:07}");
            let answer = rig.give(from(&user, "stamp")).await;
            let version = answer.run().version.unwrap();
            assert!(answer.text().starts_with(&stamp(version.into())));
            assert_eq!(*of.entry(user).or_insert(version), version, "round {round}: a conversation was moved");
            canaries += usize::from(version == 2);
        }
        assert!((25..=80).contains(&canaries), "{canaries} of 200 are no quarter");
    }
    // More conversations go over; none comes back.
    rig.app.follow(with(WHOLE / 2));
    for (user, version) in &of {
        let now = rig.give(from(user, "stamp")).await.run().version.unwrap();
        assert!(now >= *version, "{user} went back");
    }
    for (share, version) in [(WHOLE, 2), (0, 1)] {
        rig.app.follow(with(share));
        for user in of.keys() {
            assert_eq!(rig.give(from(user, "stamp")).await.run().version, Some(version));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_to_the_version_that_sent_the_message() {
    let stage = Stage::new(u64::MAX);
    let (one, two) = (stage.release(1).await, stage.release(2).await);
    let mut rig = rig(&one.component);
    rig.app.follow(Plan { canary: Some((two, WHOLE / 2)), ..Plan::live(one) });
    let mut seen = [0, 0];
    for user in 0..50 {
        let answer = rig.give(from(&format!("+{user}"), "stamp")).await;
        let version = answer.run().version.unwrap();
        seen[version as usize - 1] += 1;
        let told = rig.tell(Event::ack(answer.only().message_id(), "x")).await;
        assert_eq!(told.run().version, Some(version));
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}

fn recordings() -> Arc<dyn Recordings> {
    vumi_store::recordings_in_memory(RecordingBounds::default(), Arc::new(SystemClock)).unwrap()
}

async fn shadowed(rig: &Rig, one: &Release, two: &Release) -> (Arc<Shadow>, Arc<dyn Recordings>) {
    let recordings = recordings();
    let shadow = Shadow::of(&rig.app, two.clone(), Arc::clone(&recordings));
    rig.app.follow(Plan { shadow: Some(Arc::clone(&shadow)), ..Plan::live(one.clone()) });
    (shadow, recordings)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_is_not_heard_and_its_differences_are_listed() {
    let stage = Stage::new(u64::MAX);
    let (one, two) = (stage.release(1).await, stage.release(2).await);
    let mut rig = rig(&one.component);
    let (shadow, recordings) = shadowed(&rig, &one, &two).await;
    // The planted difference: the stamp. Everything else is the same, counters included.
    for n in 1..=20 {
        assert_eq!(rig.ask("stamp").await.text(), format!("{} {n}", stamp(1)));
        assert_eq!(rig.ask(&format!("kv-incr count {n}")).await.sent.len(), 1);
        assert_eq!(rig.ask("echo the same").await.sent.len(), 1);
    }
    shadow.idle().await;
    let found = recordings.differences("shop", None, 100).await.unwrap();
    assert_eq!(shadow.counts(), (60, 0, 20), "{found:?}");
    assert_eq!(found.len(), 20);
    for (index, difference) in found.iter().rev().enumerate() {
        assert_eq!((difference.kind.as_str(), difference.live_version, difference.shadow_version), ("replies", 1, 2));
        // The shadow counted on its own, from the values that the live version found.
        assert!(difference.live.contains(&format!("{} {}", stamp(1), index + 1)), "{difference:?}");
        assert!(difference.shadow.contains(&format!("{} {}", stamp(2), index + 1)), "{difference:?}");
    }
    // What the shadow wrote is nowhere else.
    assert_eq!(rig.kv.get("sandboxes#shop#stamped").await.unwrap().as_deref(), Some("20"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_that_traps_or_is_slow_is_told_of() {
    let stage = Stage::new(u64::MAX);
    let one = stage.release(1).await;
    // A router in place of an app cannot be had; a component that traps when it starts can.
    let bytes = Bytes::from(std::fs::read(guests::guest("trap-at-start")).unwrap());
    let broken = Release { number: Some(2), component: stage.library.admit(&bytes, "broken").await.unwrap() };
    let mut rig = rig(&one.component);
    let (shadow, recordings) = shadowed(&rig, &one, &broken).await;
    assert_eq!(rig.ask("echo hello").await.text(), "hello");
    shadow.idle().await;
    let kinds: Vec<String> =
        recordings.differences("shop", None, 10).await.unwrap().into_iter().map(|found| found.kind).collect();
    assert!(kinds.contains(&"outcome".to_owned()) && kinds.contains(&"replies".to_owned()), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_differences_nothing_is_listed() {
    let stage = Stage::new(u64::MAX);
    let one = stage.release(1).await;
    let again = Release { number: Some(2), component: one.component.clone() };
    let mut rig = rig(&one.component);
    let (shadow, recordings) = shadowed(&rig, &one, &again).await;
    for n in 0..30 {
        rig.ask("stamp").await;
        rig.ask(&format!("kv-set k{} \"v\"", n % 7)).await;
        rig.ask(&format!("kv-get k{}", n % 9)).await;
        rig.ask(&format!("kv-delete k{}", n % 5)).await;
        rig.ask("fail on purpose").await;
    }
    shadow.idle().await;
    let found = recordings.differences("shop", None, 10).await.unwrap();
    let found: Vec<&Difference> = found.iter().filter(|found| found.kind != "time").collect();
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(shadow.counts().0, 150);
}
