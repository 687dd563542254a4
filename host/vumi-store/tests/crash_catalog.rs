//! A catalog whose process is killed while it uploads, activates and removes. The process is this test program, started
//! again by the parent to run the ignored test.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may fail loudly")]

mod catalog_rules;
mod kit;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog_rules::{at, hash, new_version};
use kit::child::{given, say, start};
use kit::eventually;
use rusqlite::Connection;
use vumi_core::{AppChange, Catalog, NewVersion, SealedSecret};
use vumi_store::{Durability, SqliteCatalog, catalog_at};

const APPS: [&str; 3] = ["cafe", "farm", "shop"];

/// Versions of an app that the child leaves there, besides the newest one.
const LEFT: u32 = 2;

/// A sequence of numbers, always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// The component of version `number`, whatever the app: apps share components. Some are small, some fill many pages.
fn component(number: u32) -> Bytes {
    let mut dice = Dice(u64::from(number));
    let length = 1 + dice.below(150_000);
    (0..length).map(|_| dice.below(256) as u8).collect()
}

fn sealed(number: u32) -> SealedSecret {
    SealedSecret { name: "key".into(), sealed: number.to_be_bytes().to_vec(), updated_at: at(0) }
}

/// One round for an app: a new version, which is activated and gets a secret, and an old one that goes.
async fn round(catalog: &Arc<SqliteCatalog>, app: &str) {
    let number = catalog.versions(app).await.expect("reads").first().map_or(1, |newest| newest.number + 1);
    let bytes = component(number);
    let new = NewVersion { hash: hash(&bytes), component: bytes, ..new_version(app, "") };
    let (version, fresh) = catalog.upload(new).await.expect("uploads");
    assert!(fresh && version.number == number, "{number}: {version:?}");
    say(format_args!("uploaded {app} {number}"));
    catalog.change(app, AppChange::Activate(number), None, at(1)).await.expect("activates");
    say(format_args!("active {app} {number}"));
    catalog.put_secret(app, sealed(number)).await.expect("puts");
    say(format_args!("secret {app} {number}"));
    for old in catalog.versions(app).await.expect("reads").into_iter().filter(|old| old.number + LEFT < number) {
        assert!(catalog.remove_version(app, old.number).await.expect("removes"));
        say(format_args!("removed {app} {}", old.number));
    }
}

#[test]
#[ignore = "runs as the child process of a_killed_process_leaves_all_of_a_step_or_nothing"]
fn child_deploys_until_killed() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (path, durability) = given();
        let catalog = catalog_at(path, durability).expect("opens");
        // The apps beside each other, as several people would. A limit, should nobody kill it.
        let tasks = APPS.map(|app| {
            let catalog = Arc::clone(&catalog);
            tokio::spawn(async move {
                for _ in 0..100_000 {
                    round(&catalog, app).await;
                }
            })
        });
        for task in tasks {
            task.await.expect("ends");
        }
    });
}

/// What the child said last, by kind and app.
#[derive(Default)]
struct Told(BTreeMap<(String, String), u32>);

impl Told {
    /// True for a line about the catalog; the test program says other things too.
    fn hear(&mut self, line: &str) -> bool {
        let mut words = line.split(' ').map(str::to_owned);
        let (Some(kind), Some(app), Some(number), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return false;
        };
        let about = ["uploaded", "active", "secret", "removed"].contains(&kind.as_str());
        if let (true, Ok(number)) = (about, number.parse()) {
            self.0.insert((kind, app), number);
        }
        about
    }

    /// The last number that was confirmed; 0 when none was.
    fn last(&self, kind: &str, app: &str) -> u32 {
        self.0.get(&(kind.to_owned(), app.to_owned())).copied().unwrap_or(0)
    }
}

/// The number that the secret of an app was sealed for; 0 without one.
async fn secret(catalog: &SqliteCatalog, app: &str) -> u32 {
    let found = catalog.secrets(app).await.expect("reads").pop();
    found.map_or(0, |secret| u32::from_be_bytes(secret.sealed.try_into().expect("a number")))
}

/// All that must hold whenever the process was killed.
async fn check(catalog: &SqliteCatalog, told: &Told) {
    for name in APPS {
        let (uploaded, active) = (told.last("uploaded", name), told.last("active", name));
        let Some(app) = catalog.app(name).await.expect("reads") else {
            assert_eq!(uploaded, 0, "{name} was confirmed and is lost");
            continue;
        };
        let versions = catalog.versions(name).await.expect("reads");
        for version in &versions {
            let bytes = catalog.component(&version.hash).await.expect("reads");
            let bytes = bytes.unwrap_or_else(|| panic!("version {} of {name} has no component", version.number));
            assert_eq!((hash(&bytes), bytes.len() as u64), (version.hash.clone(), version.bytes));
            assert_eq!(bytes, component(version.number));
        }
        let there = |number| versions.iter().any(|version| version.number == number);
        // What was done but could not be confirmed any more may be there as well.
        let newest = versions.first().map_or(0, |version| version.number);
        assert!(newest == uploaded || newest == uploaded + 1, "{name}: {newest}, confirmed {uploaded}");
        let found = app.active.unwrap_or(0);
        assert!(found == active || found == uploaded, "{name}: {found}, confirmed {active}");
        assert!(found == 0 || there(found), "{name}: the active version is gone");
        assert!(app.previous.is_none_or(there), "{name}: the previous version is gone");
        assert!(!there(told.last("removed", name)), "{name}: its removal was confirmed");
        let (found, secret) = (secret(catalog, name).await, told.last("secret", name));
        assert!(found == secret || found == uploaded, "{name}: {found}, confirmed {secret}");
    }
}

/// What only SQLite itself can tell.
fn check_file(path: &Path) {
    let file = Connection::open(path).expect("opens");
    let sound: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checks");
    assert_eq!(sound, "ok");
    let broken: i64 =
        file.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).expect("checks");
    assert_eq!(broken, 0);
    let orphans = "SELECT count(*) FROM components WHERE hash NOT IN (SELECT hash FROM versions)";
    let orphans: i64 = file.query_row(orphans, [], |row| row.get(0)).expect("counts");
    assert_eq!(orphans, 0, "components that nobody has");
}

#[tokio::test]
async fn a_killed_process_leaves_all_of_a_step_or_nothing() {
    for (durability, kills) in [("power", 8), ("process", 16)] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("catalog.sqlite");
        let (mut told, mut dice) = (Told::default(), Dice(kills));
        for _ in 0..kills {
            let mut child = start("child_deploys_until_killed", ":", &path, durability);
            let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
            let mut left = 1 + dice.below(60);
            while left > 0 {
                let line = lines.next().expect("the child goes on").expect("text");
                left -= u64::from(told.hear(&line));
            }
            // Waits for nothing: so that the child is not always killed at the same point of a step.
            std::thread::sleep(Duration::from_micros(dice.below(5_000)));
            child.kill().expect("kills");
            child.wait().expect("ends");
            // What was confirmed but not yet read from the pipe counts as well.
            for line in lines {
                told.hear(&line.expect("text"));
            }
            let catalog = eventually(|| catalog_at(&path, Durability::Process)).await;
            check(&catalog, &told).await;
            // The next child goes on from what is there, confirmed or not.
            for name in APPS {
                let Some(app) = catalog.app(name).await.expect("reads") else { continue };
                let newest = catalog.versions(name).await.expect("reads").first().map_or(0, |newest| newest.number);
                let about = |kind: &str| (kind.to_owned(), name.to_owned());
                told.0.insert(about("uploaded"), newest);
                told.0.insert(about("active"), app.active.unwrap_or(0));
                told.0.insert(about("secret"), secret(&catalog, name).await);
            }
            catalog.close().await;
            check_file(&path);
        }
    }
}
