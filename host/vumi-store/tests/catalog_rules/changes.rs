//! Changes of an app's record.

use std::sync::Arc;

use tokio::task::JoinSet;
use vumi_core::{AppChange, AppRecord, Canary};

use super::{Bench, at, sentence};

fn canary(version: u32, share: u32) -> AppChange {
    AppChange::Canary(Some(Canary { version, share }))
}

fn roles(app: &AppRecord) -> (Option<u32>, Option<u32>) {
    (app.active, app.previous)
}

pub(crate) async fn activating_remembers_what_answered_before(bench: Bench) {
    bench.uploads("shop", 3).await;
    assert_eq!(roles(&bench.changed("shop", AppChange::Activate(2)).await), (Some(2), None));
    assert_eq!(roles(&bench.changed("shop", AppChange::Activate(1)).await), (Some(1), Some(2)));
    assert_eq!(roles(&bench.changed("shop", AppChange::Activate(1)).await), (Some(1), Some(2)), "it did already");
    assert_eq!(roles(&bench.changed("shop", AppChange::Activate(3)).await), (Some(3), Some(1)));
    assert_eq!(bench.refused("shop", AppChange::Activate(4)).await, "the app `shop` has no version 4");
    assert_eq!(bench.refused("cafe", AppChange::Activate(1)).await, "there is no app `cafe`");
    bench.uploads("cafe", 1).await;
    assert_eq!(bench.refused("cafe", AppChange::Activate(2)).await, "the app `cafe` has no version 2", "another has");
    assert_eq!(roles(&bench.app("shop").await), (Some(3), Some(1)));
}

pub(crate) async fn going_back_and_forth(bench: Bench) {
    const NONE: &str = "the app `shop` has no version to go back to: activate one by its number";
    bench.uploads("shop", 2).await;
    assert_eq!(bench.refused("shop", AppChange::RollBack).await, NONE);
    bench.changed("shop", AppChange::Activate(1)).await;
    assert_eq!(bench.refused("shop", AppChange::RollBack).await, NONE);
    bench.changed("shop", AppChange::Activate(2)).await;
    assert_eq!(roles(&bench.changed("shop", AppChange::RollBack).await), (Some(1), Some(2)));
    assert_eq!(roles(&bench.changed("shop", AppChange::RollBack).await), (Some(2), Some(1)));
    assert!(bench.catalog.remove_version("shop", 1).await.expect("removes"));
    assert_eq!(bench.refused("shop", AppChange::RollBack).await, NONE, "it was removed");
}

pub(crate) async fn what_is_activated_is_neither_canary_nor_shadow(bench: Bench) {
    bench.uploads("shop", 3).await;
    bench.changed("shop", AppChange::Activate(1)).await;
    bench.changed("shop", canary(2, 500)).await;
    let app = bench.changed("shop", AppChange::Shadow(Some(2))).await;
    assert_eq!((app.canary, app.shadow), (Some(Canary { version: 2, share: 500 }), Some(2)), "one may be both");
    let app = bench.changed("shop", AppChange::Activate(3)).await;
    assert_eq!((app.canary.map(|canary| canary.version), app.shadow), (Some(2), Some(2)), "another one");
    let app = bench.changed("shop", AppChange::Activate(2)).await;
    assert_eq!((app.canary, app.shadow), (None, None));
    // Also when it comes back by a roll-back.
    bench.changed("shop", canary(3, 500)).await;
    bench.changed("shop", AppChange::Shadow(Some(3))).await;
    let app = bench.changed("shop", AppChange::RollBack).await;
    assert_eq!((app.active, app.canary, app.shadow), (Some(3), None, None));
    assert_eq!(bench.app("shop").await, app);
}

pub(crate) async fn a_canary_has_a_version_and_a_share(bench: Bench) {
    bench.uploads("shop", 2).await;
    bench.changed("shop", AppChange::Activate(1)).await;
    for share in [1, 10_000] {
        let app = bench.changed("shop", canary(2, share)).await;
        assert_eq!(app.canary, Some(Canary { version: 2, share }));
        assert_eq!(bench.app("shop").await, app);
    }
    for share in [0, 10_001, u32::MAX] {
        assert_eq!(
            bench.refused("shop", canary(2, share)).await,
            format!("the share of a canary must be 1 to 10000 of ten thousand conversations, not {share}")
        );
    }
    assert_eq!(bench.refused("shop", canary(3, 1)).await, "the app `shop` has no version 3");
    assert_eq!(
        bench.refused("shop", canary(1, 1)).await,
        "version 1 of the app `shop` is the active one and cannot be the canary as well"
    );
    assert_eq!(bench.changed("shop", AppChange::Canary(None)).await.canary, None);
    assert_eq!(bench.changed("shop", AppChange::Canary(None)).await.canary, None, "there was none");
    assert_eq!(bench.app("shop").await.canary, None);
}

pub(crate) async fn a_shadow_has_a_version(bench: Bench) {
    bench.uploads("shop", 2).await;
    bench.changed("shop", AppChange::Activate(1)).await;
    let app = bench.changed("shop", AppChange::Shadow(Some(2))).await;
    assert_eq!(app.shadow, Some(2));
    assert_eq!(bench.app("shop").await, app);
    assert_eq!(bench.refused("shop", AppChange::Shadow(Some(3))).await, "the app `shop` has no version 3");
    assert_eq!(
        bench.refused("shop", AppChange::Shadow(Some(1))).await,
        "version 1 of the app `shop` is the active one and cannot be the shadow as well"
    );
    assert_eq!(bench.changed("shop", AppChange::Shadow(None)).await.shadow, None);
}

pub(crate) async fn every_change_raises_the_generation(bench: Bench) {
    bench.uploads("shop", 2).await;
    let changes = [
        AppChange::Activate(1),
        AppChange::Activate(1),
        AppChange::Activate(2),
        AppChange::RollBack,
        canary(2, 1),
        AppChange::Shadow(Some(2)),
        AppChange::Canary(None),
        AppChange::Settings(r#"{"limits":{"memory":"32MiB"}}"#.into()),
        AppChange::Settings(r#"{"limits":{"memory":"32MiB"}}"#.into()),
    ];
    for (n, change) in (2..).zip(changes) {
        let time = at(i64::try_from(n).expect("small"));
        let app = bench.catalog.change("shop", change, Some(n - 1), time).await.expect("changes");
        assert_eq!((app.generation, app.updated_at, app.created_at), (n, time, at(0)));
        assert_eq!(bench.app("shop").await, app, "the answer is what is kept");
    }
    assert_eq!(bench.app("shop").await.settings, r#"{"limits":{"memory":"32MiB"}}"#);
    // What is no part of the record leaves its generation alone.
    bench.upload("shop", "another").await;
    assert_eq!(bench.app("shop").await.generation, 10);
}

pub(crate) async fn a_change_of_what_has_changed_is_refused(bench: Bench) {
    bench.uploads("x", 1).await;
    for _ in 0..6 {
        bench.changed("x", AppChange::Activate(1)).await;
    }
    let stale = bench.catalog.change("x", AppChange::Shadow(None), Some(6), at(1)).await;
    assert_eq!(sentence(stale), "the app `x` has changed meanwhile (generation 7, not 6): look at it again and repeat");
    let never = bench.catalog.change("x", AppChange::Shadow(None), Some(u64::MAX), at(1)).await;
    assert!(sentence(never).contains("(generation 7, not 18446744073709551615)"));
    bench.catalog.change("x", AppChange::Shadow(None), Some(7), at(1)).await.expect("is what it was taken for");
}

pub(crate) async fn of_two_changes_of_one_generation_one_wins(bench: Bench) {
    bench.uploads("shop", 2).await;
    for round in 1..=20 {
        let mut tasks = JoinSet::new();
        for number in [1, 2] {
            let catalog = Arc::clone(&bench.catalog);
            tasks.spawn(async move {
                catalog.change("shop", AppChange::Activate(number), Some(round), at(1)).await.is_ok().then_some(number)
            });
        }
        let winners: Vec<u32> = tasks.join_all().await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "round {round}");
        let app = bench.app("shop").await;
        assert_eq!((app.active, app.generation), (Some(winners[0]), round + 1));
    }
}

pub(crate) async fn a_refused_change_changes_nothing(bench: Bench) {
    bench.uploads("shop", 2).await;
    let before = bench.changed("shop", AppChange::Activate(1)).await;
    for change in [AppChange::Activate(9), AppChange::RollBack, canary(2, 0), AppChange::Shadow(Some(1))] {
        bench.refused("shop", change).await;
        assert_eq!(bench.app("shop").await, before);
    }
}
