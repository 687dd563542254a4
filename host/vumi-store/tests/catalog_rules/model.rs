//! Random steps, the answer of each and the state after it compared with those of a model too simple to be wrong.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vumi_core::{AppChange, AppRecord, Canary, SealedSecret};

use super::{Bench, at, hash, new_version};

const APPS: [&str; 2] = ["cafe", "shop"];
const COMPONENTS: usize = 5;

/// What the caller takes the generation for.
#[derive(Clone, Copy, Debug)]
enum Expects {
    Anything,
    WhatItIs,
    Another,
}

#[derive(Clone, Debug)]
enum Step {
    Upload(usize),
    Change(AppChange, Expects),
    RemoveVersion(u32),
    RemoveApp,
    PutSecret(u8, u8),
    RemoveSecret(u8),
}

#[derive(Default)]
struct App {
    generation: u64,
    next: u32,
    active: Option<u32>,
    previous: Option<u32>,
    canary: Option<(u32, u32)>,
    shadow: Option<u32>,
    settings: String,
    versions: BTreeMap<u32, usize>,
    secrets: BTreeMap<u8, u8>,
    created: i64,
    updated: i64,
}

impl App {
    fn uses(&self, number: u32) -> bool {
        self.active == Some(number)
            || self.shadow == Some(number)
            || self.canary.is_some_and(|(version, _)| version == number)
    }

    /// True when the change was made.
    fn change(&mut self, change: &AppChange, expects: Expects) -> bool {
        let there = |number: &u32| self.versions.contains_key(number);
        let free = |number: &u32| there(number) && self.active != Some(*number);
        let may = match change {
            AppChange::Activate(number) | AppChange::ActivateWith(number, _) => there(number),
            AppChange::RollBack => self.previous.is_some(),
            AppChange::Canary(Some(Canary { version, share })) => free(version) && *share >= 1 && *share <= 10_000,
            AppChange::Shadow(Some(number)) => free(number),
            AppChange::Canary(None) | AppChange::Shadow(None) | AppChange::Settings(_) => true,
        };
        if !may || matches!(expects, Expects::Another) {
            return false;
        }
        let before = self.active;
        match change {
            AppChange::Activate(number) => self.active = Some(*number),
            AppChange::ActivateWith(number, text) => {
                self.active = Some(*number);
                self.settings.clone_from(text);
            }
            AppChange::RollBack => self.active = self.previous,
            AppChange::Canary(canary) => self.canary = canary.map(|canary| (canary.version, canary.share)),
            AppChange::Shadow(shadow) => self.shadow = *shadow,
            AppChange::Settings(text) => self.settings.clone_from(text),
        }
        if self.active != before {
            self.previous = before;
            self.shadow = self.shadow.filter(|number| self.active != Some(*number));
            self.canary = self.canary.filter(|(number, _)| self.active != Some(*number));
        }
        self.generation += 1;
        true
    }

    fn record(&self, name: &str) -> AppRecord {
        AppRecord {
            name: name.into(),
            generation: self.generation,
            active: self.active,
            previous: self.previous,
            canary: self.canary.map(|(version, share)| Canary { version, share }),
            shadow: self.shadow,
            settings: self.settings.clone(),
            created_at: at(self.created),
            updated_at: at(self.updated),
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let number = || 0..7_u32;
    let share = prop_oneof![8 => 1..=10_000_u32, 1 => Just(0), 1 => Just(10_001)];
    let change = prop_oneof![
        4 => number().prop_map(AppChange::Activate),
        2 => (number(), any::<u8>())
            .prop_map(|(number, n)| AppChange::ActivateWith(number, format!("{{\"n\":{n}}}"))),
        2 => Just(AppChange::RollBack),
        2 => option::of((number(), share))
            .prop_map(|canary| AppChange::Canary(canary.map(|(version, share)| Canary { version, share }))),
        2 => option::of(number()).prop_map(AppChange::Shadow),
        1 => any::<u8>().prop_map(|n| AppChange::Settings(format!("{{\"n\":{n}}}"))),
    ];
    let expects = prop_oneof![
        4 => Just(Expects::Anything),
        2 => Just(Expects::WhatItIs),
        1 => Just(Expects::Another),
    ];
    let step = prop_oneof![
        6 => (0..COMPONENTS).prop_map(Step::Upload),
        10 => (change, expects).prop_map(|(change, expects)| Step::Change(change, expects)),
        3 => number().prop_map(Step::RemoveVersion),
        1 => Just(Step::RemoveApp),
        1 => (0..3_u8, any::<u8>()).prop_map(|(name, byte)| Step::PutSecret(name, byte)),
        1 => (0..3_u8).prop_map(Step::RemoveSecret),
    ];
    vec((0..APPS.len(), step), 1..80)
}

fn component(n: usize) -> String {
    format!("component {n}")
}

/// Does one step on both and compares the answers.
async fn take(bench: &Bench, model: &mut BTreeMap<&'static str, App>, name: &'static str, step: &Step, now: i64) {
    let catalog = &bench.catalog;
    match step {
        Step::Upload(n) => {
            let mut new = new_version(name, &component(*n));
            new.at = at(now);
            let (version, fresh) = catalog.upload(new).await.expect("uploads");
            let made =
                || App { generation: 1, next: 1, settings: "{}".into(), created: now, updated: now, ..App::default() };
            let app = model.entry(name).or_insert_with(made);
            let known = app.versions.iter().find(|(_, held)| *held == n).map(|(number, _)| *number);
            let number = known.unwrap_or(app.next);
            assert_eq!(
                (version.number, version.hash, fresh),
                (number, hash(component(*n).as_bytes()), known.is_none())
            );
            if known.is_none() {
                app.versions.insert(number, *n);
                app.next += 1;
            }
        }
        Step::Change(change, expects) => {
            let app = model.get_mut(name);
            let generation = app.as_ref().map_or(3, |app| app.generation);
            let expected = match expects {
                Expects::Anything => None,
                Expects::WhatItIs => Some(generation),
                Expects::Another => Some(generation + 1),
            };
            let answer = catalog.change(name, change.clone(), expected, at(now)).await;
            let changed = app.and_then(|app| app.change(change, *expects).then_some(app));
            if let Some(app) = changed {
                app.updated = now;
                assert_eq!(answer.expect("changes"), app.record(name));
            } else {
                assert!(!answer.expect_err("is refused").is_temporary());
            }
        }
        Step::RemoveVersion(number) => {
            let answer = catalog.remove_version(name, *number).await;
            let app = model.get_mut(name);
            if app.as_ref().is_some_and(|app| app.uses(*number)) {
                assert!(!answer.expect_err("is in use").is_temporary());
            } else {
                let there = app.is_some_and(|app| {
                    if app.previous == Some(*number) {
                        app.previous = None;
                        app.generation += 1;
                    }
                    app.versions.remove(number).is_some()
                });
                assert_eq!(answer.expect("removes"), there);
            }
        }
        Step::RemoveApp => {
            assert_eq!(catalog.remove_app(name).await.expect("removes"), model.remove(name).is_some());
        }
        Step::PutSecret(key, byte) => {
            let secret = SealedSecret { name: key.to_string(), sealed: vec![*byte], updated_at: at(0) };
            let answer = catalog.put_secret(name, secret).await;
            assert_eq!(answer.is_ok(), model.contains_key(name));
            if let Some(app) = model.get_mut(name) {
                app.secrets.insert(*key, *byte);
            }
        }
        Step::RemoveSecret(key) => {
            let there = model.get_mut(name).is_some_and(|app| app.secrets.remove(key).is_some());
            assert_eq!(catalog.remove_secret(name, &key.to_string()).await.expect("removes"), there);
        }
    }
}

/// Compares all that can be read.
async fn compare(bench: &Bench, model: &BTreeMap<&'static str, App>) {
    let records: Vec<AppRecord> = model.iter().map(|(name, app)| app.record(name)).collect();
    assert_eq!(bench.catalog.apps().await.expect("reads"), records);
    for name in APPS {
        let versions = bench.catalog.versions(name).await.expect("reads");
        let found: Vec<(u32, String)> = versions.into_iter().map(|version| (version.number, version.hash)).collect();
        let held = model.get(name).into_iter().flat_map(|app| app.versions.iter().rev());
        let wanted: Vec<_> = held.map(|(number, n)| (*number, hash(component(*n).as_bytes()))).collect();
        assert_eq!(found, wanted, "{name}");
        let secrets = bench.catalog.secrets(name).await.expect("reads");
        let found: Vec<_> = secrets.into_iter().map(|secret| (secret.name, secret.sealed)).collect();
        let held = model.get(name).into_iter().flat_map(|app| app.secrets.iter());
        assert_eq!(found, held.map(|(name, byte)| (name.to_string(), vec![*byte])).collect::<Vec<_>>(), "{name}");
    }
    for n in 0..COMPONENTS {
        let wanted = model.values().any(|app| app.versions.values().any(|held| *held == n));
        assert_eq!(bench.has(&component(n)).await, wanted, "component {n}");
    }
}

pub(crate) fn any_steps_agree_with_a_simple_model(make: fn() -> Bench) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let checked = runner.run(&steps(), |steps| {
        runtime.block_on(async {
            let (bench, mut model) = (make(), BTreeMap::new());
            for (now, (app, step)) in (1..).zip(&steps) {
                take(&bench, &mut model, APPS[*app], step, now).await;
                compare(&bench, &model).await;
            }
            bench.catalog.close().await;
        });
        Ok(())
    });
    if let Err(fault) = checked {
        panic!("{fault}");
    }
}
