//! Versions and their components.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;
use vumi_core::{AppChange, AppRecord, Canary, NewVersion, SealedSecret, VersionRecord};

use super::{Bench, at, hash, new_version, sentence};

pub(crate) async fn an_upload_makes_the_app(bench: Bench) {
    let (version, new) = bench.upload("shop", "one").await;
    let wanted = VersionRecord {
        app: "shop".into(),
        number: 1,
        hash: hash(b"one"),
        bytes: 3,
        created_at: at(0),
        created_by: "thandi".into(),
        note: Some("a \"note\"\n".into()),
        source: "upload".into(),
    };
    assert_eq!((&version, new), (&wanted, true));
    let app = AppRecord {
        name: "shop".into(),
        generation: 1,
        active: None,
        previous: None,
        canary: None,
        shadow: None,
        settings: "{}".into(),
        created_at: at(0),
        updated_at: at(0),
    };
    assert_eq!(bench.catalog.apps().await.expect("reads"), [app]);

    let other = NewVersion { note: None, at: at(5), ..new_version("shop", "two") };
    let (other, _) = bench.catalog.upload(other).await.expect("uploads");
    assert_eq!((other.number, other.note.as_deref(), other.created_at), (2, None, at(5)));
    assert_eq!(bench.catalog.versions("shop").await.expect("reads"), [other.clone(), wanted], "the newest first");
    assert_eq!(bench.catalog.version("shop", 2).await.expect("reads"), Some(other));
    bench.upload("cafe", "one").await;
    let names: Vec<String> = bench.catalog.apps().await.expect("reads").into_iter().map(|app| app.name).collect();
    assert_eq!(names, ["cafe", "shop"], "by name");
    assert_eq!(bench.app("shop").await.created_at, at(0), "an upload does not make an app again");
}

pub(crate) async fn a_component_that_the_app_has_is_not_kept_again(bench: Bench) {
    let (first, _) = bench.upload("shop", "one").await;
    bench.upload("shop", "two").await;
    let again = NewVersion { note: None, created_by: "other".into(), at: at(7), ..new_version("shop", "one") };
    assert_eq!(bench.catalog.upload(again).await.expect("uploads"), (first, false));
    assert_eq!(bench.upload("shop", "three").await.0.number, 3, "no number was used up");
}

pub(crate) async fn of_many_uploads_at_once_one_is_new(bench: Bench) {
    let mut tasks = JoinSet::new();
    for n in 0..20 {
        let catalog = Arc::clone(&bench.catalog);
        tasks.spawn(async move { catalog.upload(new_version("shop", &format!("{}", n % 2))).await.expect("uploads") });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|(_, new)| *new).count(), 2);
    assert_eq!(bench.catalog.versions("shop").await.expect("reads").len(), 2);
}

pub(crate) async fn a_number_is_never_given_twice(bench: Bench) {
    bench.uploads("shop", 3).await;
    assert!(bench.catalog.remove_version("shop", 3).await.expect("removes"));
    assert!(!bench.catalog.remove_version("shop", 3).await.expect("answers"), "it is gone");
    assert_eq!(bench.upload("shop", "shop 3").await.0.number, 4, "the same component is a new version now");
    for n in [1, 2, 4] {
        assert!(bench.catalog.remove_version("shop", n).await.expect("removes"));
    }
    assert_eq!(bench.app("shop").await.active, None, "an app without versions is an app");
    assert_eq!(bench.upload("shop", "x").await.0.number, 5);
}

pub(crate) async fn apps_share_components(bench: Bench) {
    bench.upload("shop", "shared").await;
    bench.upload("shop", "own").await;
    bench.upload("cafe", "shared").await;
    bench.upload("farm", "shared").await;
    assert!(bench.has("shared").await && bench.has("own").await);
    assert!(bench.catalog.remove_version("shop", 1).await.expect("removes"));
    assert!(bench.catalog.remove_version("shop", 2).await.expect("removes"));
    assert!(bench.has("shared").await && !bench.has("own").await);
    assert!(bench.catalog.remove_app("cafe").await.expect("removes"));
    assert!(bench.has("shared").await, "the farm has it");
    assert!(bench.catalog.remove_app("farm").await.expect("removes"));
    assert!(!bench.has("shared").await);
    bench.upload("shop", "shared").await;
    assert!(bench.has("shared").await, "it can come back");
}

pub(crate) async fn a_version_in_use_is_not_removed(bench: Bench) {
    bench.uploads("shop", 5).await;
    bench.changed("shop", AppChange::Activate(1)).await;
    bench.changed("shop", AppChange::Activate(2)).await;
    bench.changed("shop", AppChange::Canary(Some(Canary { version: 3, share: 1 }))).await;
    let app = bench.changed("shop", AppChange::Shadow(Some(4))).await;
    let refused = |number| {
        let catalog = Arc::clone(&bench.catalog);
        async move { sentence(catalog.remove_version("shop", number).await) }
    };
    assert_eq!(
        refused(2).await,
        "version 2 of the app `shop` is the active one and cannot be removed: activate another one first"
    );
    assert_eq!(
        refused(3).await,
        "version 3 of the app `shop` is the canary and cannot be removed: end the canary first"
    );
    assert_eq!(
        refused(4).await,
        "version 4 of the app `shop` is the shadow and cannot be removed: end the shadow first"
    );
    assert_eq!(bench.app("shop").await, app);
    assert!(bench.catalog.remove_version("shop", 5).await.expect("removes"));
    assert_eq!(bench.app("shop").await, app, "it had no part in the record");
    assert!(bench.catalog.remove_version("shop", 1).await.expect("removes"));
    let after = AppRecord { previous: None, generation: app.generation + 1, ..app };
    assert_eq!(bench.app("shop").await, after, "the aim of a roll-back may go");
    assert!(!bench.has("shop 1").await);
}

pub(crate) async fn a_removed_app_leaves_nothing(bench: Bench) {
    bench.uploads("shop", 3).await;
    bench.changed("shop", AppChange::Activate(1)).await;
    bench.changed("shop", AppChange::Activate(2)).await;
    bench.changed("shop", AppChange::Canary(Some(Canary { version: 3, share: 5_000 }))).await;
    bench.changed("shop", AppChange::Shadow(Some(1))).await;
    let secret = SealedSecret { name: "key".into(), sealed: vec![0, 255], updated_at: at(1) };
    bench.catalog.put_secret("shop", secret).await.expect("puts");
    assert!(bench.catalog.remove_app("shop").await.expect("removes"));
    assert!(!bench.catalog.remove_app("shop").await.expect("answers"), "it is gone");
    assert_eq!(bench.catalog.app("shop").await.expect("reads"), None);
    assert!(bench.catalog.versions("shop").await.expect("reads").is_empty());
    for n in 1..=3 {
        assert!(!bench.has(&format!("shop {n}")).await);
    }
    // One of the same name is another one.
    bench.uploads("shop", 1).await;
    assert!(bench.catalog.secrets("shop").await.expect("reads").is_empty());
    assert_eq!(bench.app("shop").await.active, None);
}

pub(crate) async fn a_large_component_is_kept_whole(bench: Bench) {
    let mut state = 1_u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let component: Bytes = (0..5_000_000).map(|_| byte()).collect();
    let new = NewVersion { hash: hash(&component), component: component.clone(), ..new_version("shop", "") };
    let (version, _) = bench.catalog.upload(new).await.expect("uploads");
    assert_eq!(version.bytes, 5_000_000);
    assert_eq!(bench.catalog.component(&version.hash).await.expect("reads"), Some(component));
}

pub(crate) async fn what_is_not_there_is_not_there(bench: Bench) {
    bench.uploads("shop", 1).await;
    assert_eq!(bench.catalog.app("cafe").await.expect("reads"), None);
    assert_eq!(bench.catalog.version("shop", 2).await.expect("reads"), None);
    assert_eq!(bench.catalog.version("cafe", 1).await.expect("reads"), None);
    assert!(bench.catalog.versions("cafe").await.expect("reads").is_empty());
    assert!(!bench.has("cafe 1").await);
    assert!(!bench.catalog.remove_version("cafe", 1).await.expect("answers"));
    assert!(!bench.catalog.remove_version("shop", 0).await.expect("answers"));
    assert!(!bench.catalog.remove_version("shop", u32::MAX).await.expect("answers"));
    assert!(!bench.catalog.remove_app("cafe").await.expect("answers"));
    assert!(!bench.catalog.remove_token("t").await.expect("answers"));
    assert!(!bench.catalog.remove_secret("shop", "key").await.expect("answers"));
}
