//! Guards, and changes of several steps.

use vumi_core::{Answer, Change, Guard, Op, Scores};

use crate::kit::collections::*;

fn k() -> String {
    "k".to_owned()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A key of each kind.
async fn one_of_each(bench: &Bench) {
    bench.one(set_text("text", "v")).await;
    bench.one(hash_set("hash", &[("f", "v")])).await;
    bench.one(set_add("set", &["m"])).await;
    bench.one(push_tail("list", &["a", "b"])).await;
    bench.one(sorted_add("sorted", "m", 1.0)).await;
}

/// The state of the keys of [`one_of_each`].
async fn state(bench: &Bench) -> String {
    let all = &bench.all;
    format!(
        "{:?} {:?} {:?} {:?} {:?}",
        all.text("text").await,
        all.hash("hash").await,
        all.members("set").await,
        all.list("list", 0, 10).await,
        all.sorted("sorted", Scores::default(), 10).await
    )
}

pub(crate) async fn guards_decide(bench: Bench) {
    one_of_each(&bench).await;
    for key in ["text", "hash", "set", "list", "sorted"] {
        assert!(bench.holds(exists(key)).await && !bench.holds(absent(key)).await, "{key}");
    }
    assert!(!bench.holds(exists("none")).await && bench.holds(absent("none")).await);
    let key = |key: &str| key.to_owned();
    for (guard, holds) in [
        (Guard::TextIs { key: key("text"), value: some("v") }, true),
        (Guard::TextIs { key: key("text"), value: some("") }, false),
        (Guard::TextIs { key: key("text"), value: None }, false),
        (Guard::TextIs { key: key("none"), value: None }, true),
        (Guard::TextIs { key: key("none"), value: some("") }, false),
        (Guard::FieldIs { key: key("hash"), field: key("f"), value: some("v") }, true),
        (Guard::FieldIs { key: key("hash"), field: key("f"), value: None }, false),
        (Guard::FieldIs { key: key("hash"), field: key("g"), value: None }, true),
        (Guard::FieldIs { key: key("hash"), field: key("g"), value: some("") }, false),
        (Guard::FieldIs { key: key("none"), field: key("f"), value: None }, true),
        (Guard::Has { key: key("set"), member: key("m") }, true),
        (Guard::Has { key: key("set"), member: key("n") }, false),
        (Guard::Has { key: key("none"), member: key("m") }, false),
        (Guard::HasNot { key: key("set"), member: key("n") }, true),
        (Guard::HasNot { key: key("set"), member: key("m") }, false),
        (Guard::HasNot { key: key("none"), member: key("m") }, true),
        (Guard::Below { key: key("list"), len: 3 }, true),
        (Guard::Below { key: key("list"), len: 2 }, false),
        (Guard::Below { key: key("hash"), len: 2 }, true),
        (Guard::Below { key: key("set"), len: 1 }, false),
        (Guard::Below { key: key("sorted"), len: 2 }, true),
        (Guard::Below { key: key("none"), len: 1 }, true),
        (Guard::Below { key: key("none"), len: 0 }, false),
        (Guard::Below { key: key("list"), len: u64::MAX }, true),
        (Guard::HeadIs { key: key("list"), value: some("a") }, true),
        (Guard::HeadIs { key: key("list"), value: some("b") }, false),
        (Guard::HeadIs { key: key("none"), value: None }, true),
        (Guard::HeadIs { key: key("list"), value: None }, false),
        (Guard::TailIs { key: key("list"), value: some("b") }, true),
        (Guard::TailIs { key: key("list"), value: some("a") }, false),
        (Guard::TailIs { key: key("none"), value: None }, true),
        (Guard::TailIs { key: key("none"), value: some("") }, false),
    ] {
        assert_eq!(bench.holds(guard.clone()).await, holds, "{guard:?}");
    }
}

pub(crate) async fn a_guard_that_fails_leaves_everything_as_it_was(bench: Bench) {
    one_of_each(&bench).await;
    let before = state(&bench).await;
    let change = Change::new()
        .when(exists("text"))
        .when(absent("hash"))
        .then(delete(&["text", "hash", "set", "list", "sorted"]))
        .then(set_text("new", "v"));
    assert_eq!(bench.apply(change).await, None);
    assert_eq!(state(&bench).await, before);
    assert!(bench.holds(absent("new")).await);
}

pub(crate) async fn guards_are_asked_in_order(bench: Bench) {
    bench.one(set_text("text", "v")).await;
    let wrong = || Guard::Has { key: "text".to_owned(), member: "m".to_owned() };
    let first = Change::new().when(absent("text")).when(wrong());
    assert_eq!(bench.apply(first).await, None, "the first one decided");
    let error = bench.all.apply(Change::new().when(wrong()).when(absent("text"))).await.expect_err("a text");
    assert!(error.to_string().starts_with("WRONGTYPE"), "{error}");
}

pub(crate) async fn steps_see_what_the_steps_before_them_did(bench: Bench) {
    let change = Change::new()
        .when(absent("k"))
        .then(push_tail("k", &["a", "b", "c"]))
        .then(pop_head("k"))
        .then(push_head("k", &["z"]))
        .then(list_remove("k", "c"))
        .then(expire("k", 1_000_000))
        .then(pop_tail("k"))
        .then(delete(&["k"]))
        .then(delete(&["k"]))
        .then(hash_set("k", &[("f", "v")]));
    let answers = bench.apply(change).await.expect("applies");
    let count = Answer::Count;
    let wanted = [count(3), value("a"), count(3), count(1), count(1), value("b"), count(1), count(0), count(1)];
    assert_eq!(answers, wanted);
    assert_eq!(bench.all.ttl("k").await.expect("reads"), None, "the expiry went with the list");
    assert_eq!(bench.apply(Change::new()).await, Some(Vec::new()));
}

pub(crate) async fn what_becomes_empty_is_gone(bench: Bench) {
    for (make, empty) in [
        (hash_set("k", &[("f", "v")]), hash_remove("k", &["f"])),
        (set_add("k", &["m"]), set_remove("k", &["m"])),
        (set_add("k", &["m"]), set_pop("k")),
        (push_tail("k", &["a"]), pop_head("k")),
        (push_tail("k", &["a"]), pop_tail("k")),
        (push_tail("k", &["a", "a"]), list_remove("k", "a")),
        (sorted_add("k", "m", 1.0), sorted_remove("k", &["m"])),
    ] {
        bench.one(make).await;
        bench.one(expire("k", 1_000_000)).await;
        bench.one(empty.clone()).await;
        assert!(bench.holds(absent("k")).await, "{empty:?}");
        assert_eq!(bench.all.len("k").await.expect("counts"), 0);
        assert_eq!(bench.all.keys("k", 10).await.expect("lists"), [""; 0]);
        // Whatever comes next is a new key: of any kind, and without the old expiry.
        bench.one(set_add("k", &["m"])).await;
        assert_eq!(bench.all.ttl("k").await.expect("reads"), None);
        bench.one(delete(&["k"])).await;
    }
}

pub(crate) async fn nothing_to_do_is_done(bench: Bench) {
    bench.one(push_tail("list", &["a"])).await;
    for (op, answer) in [
        (delete(&[]), 0),
        (hash_set("k", &[]), 0),
        (hash_remove("k", &[]), 0),
        (set_add("k", &[]), 0),
        (set_remove("k", &["m"]), 0),
        (push_head("k", &[]), 0),
        (push_tail("list", &[]), 1),
        (sorted_remove("k", &[]), 0),
        (list_remove("k", "a"), 0),
        (expire("k", 1_000), 0),
    ] {
        assert_eq!(bench.one(op.clone()).await, Answer::Count(answer), "{op:?}");
        assert!(bench.holds(absent("k")).await, "{op:?}");
    }
    let error = bench.all.apply(Change::new().then(set_add("list", &[]))).await.expect_err("a list");
    assert!(error.to_string().starts_with("WRONGTYPE"), "{error}");
}

pub(crate) async fn wrong_kinds_are_refused_everywhere(bench: Bench) {
    one_of_each(&bench).await;
    let before = state(&bench).await;
    let refused = |what: String, answer: Result<(), vumi_core::Error>| {
        let error = answer.expect_err(&what);
        assert!(!error.is_temporary() && error.to_string().starts_with("WRONGTYPE"), "{what}: {error}");
    };
    for key in ["text", "hash", "set", "list", "sorted"] {
        let other = |kind: &str| kind != key;
        let all = &bench.all;
        if other("text") {
            refused(format!("text {key}"), all.text(key).await.map(drop));
        } else {
            refused(format!("len {key}"), all.len(key).await.map(drop));
        }
        if other("hash") {
            refused(format!("hash {key}"), all.hash(key).await.map(drop));
            refused(format!("field {key}"), all.field(key, "f").await.map(drop));
        }
        if other("set") {
            refused(format!("members {key}"), all.members(key).await.map(drop));
            refused(format!("has {key}"), all.has(key, "m").await.map(drop));
        }
        if other("list") {
            refused(format!("list {key}"), all.list(key, 0, 1).await.map(drop));
            refused(format!("no list {key}"), all.list(key, 0, 0).await.map(drop));
        }
        if other("sorted") {
            refused(format!("sorted {key}"), all.sorted(key, Scores::default(), 1).await.map(drop));
            refused(format!("score {key}"), all.score(key, "m").await.map(drop));
        }
        let guards = [
            ("text", Guard::TextIs { key: key.to_owned(), value: None }),
            ("hash", Guard::FieldIs { key: key.to_owned(), field: k(), value: None }),
            ("set", Guard::Has { key: key.to_owned(), member: k() }),
            ("set", Guard::HasNot { key: key.to_owned(), member: k() }),
            ("list", Guard::HeadIs { key: key.to_owned(), value: None }),
            ("list", Guard::TailIs { key: key.to_owned(), value: None }),
        ];
        for (_, guard) in guards.into_iter().filter(|(kind, _)| other(kind)) {
            refused(format!("{guard:?}"), all.apply(Change::new().when(guard)).await.map(drop));
        }
        for (_, op) in ops_on(key).into_iter().filter(|(kind, _)| other(kind)) {
            refused(format!("{op:?}"), all.apply(Change::new().then(op)).await.map(drop));
        }
    }
    refused(
        "below".to_owned(),
        bench.all.apply(Change::new().when(Guard::Below { key: "text".to_owned(), len: 1 })).await.map(drop),
    );
    assert_eq!(state(&bench).await, before);
}

fn ops_on(key: &str) -> Vec<(&'static str, Op)> {
    vec![
        ("hash", hash_set(key, &[("a", "b")])),
        ("hash", hash_remove(key, &["a"])),
        ("set", set_add(key, &["a"])),
        ("set", set_remove(key, &["a"])),
        ("set", set_pop(key)),
        ("list", push_head(key, &["a"])),
        ("list", push_tail(key, &["a"])),
        ("list", pop_head(key)),
        ("list", pop_tail(key)),
        ("list", list_remove(key, "a")),
        ("sorted", sorted_add(key, "a", 1.0)),
        ("sorted", sorted_remove(key, &["a"])),
    ]
}

pub(crate) async fn a_step_on_the_wrong_kind_undoes_the_whole_change(bench: Bench) {
    one_of_each(&bench).await;
    bench.one(expire("hash", 1_000_000)).await;
    let before = state(&bench).await;
    let changed = || {
        Change::new()
            .then(set_text("new", "v"))
            .then(delete(&["text"]))
            .then(hash_set("hash", &[("f", "other"), ("g", "v")]))
            .then(expire("list", 5_000_000))
            .then(pop_head("list"))
            .then(pop_head("list"))
            .then(sorted_add("sorted", "m", 7.0))
    };
    // Plain to see beforehand; and only to be seen once the first steps were made.
    for wrong in [
        changed().then(push_tail("set", &["x"])),
        changed().then(hash_set("new", &[("f", "v")])),
        changed().then(set_remove("set", &["other"])).then(push_tail("set", &["x"])),
        changed().then(hash_remove("hash", &["f"])).then(set_add("hash", &["x"])),
    ] {
        let error = bench.all.apply(wrong.clone()).await.expect_err("refused");
        assert!(error.to_string().starts_with("WRONGTYPE"), "{error}");
        assert_eq!(state(&bench).await, before, "{wrong:?}");
        assert!(bench.holds(absent("new")).await);
        assert_eq!(bench.all.ttl("list").await.expect("reads"), None);
        let left = bench.all.ttl("hash").await.expect("reads").expect("still expires");
        assert!((900..=1_000).contains(&left.as_secs()), "{left:?}");
    }
}

pub(crate) async fn a_key_may_change_its_kind_within_a_change(bench: Bench) {
    one_of_each(&bench).await;
    let change = Change::new()
        .then(delete(&["hash"]))
        .then(set_add("hash", &["m"]))
        .then(set_text("set", "v"))
        .then(delete(&["set"]))
        .then(push_tail("set", &["a"]));
    assert!(bench.apply(change).await.is_some());
    assert!(bench.all.has("hash", "m").await.expect("a set now"));
    assert_eq!(bench.all.list("set", 0, 5).await.expect("a list now"), ["a"]);
}

pub(crate) async fn a_key_that_is_emptied_within_a_change_is_free(bench: Bench) {
    one_of_each(&bench).await;
    let change = Change::new()
        .then(hash_remove("hash", &["f"]))
        .then(push_tail("hash", &["a"]))
        .then(set_pop("set"))
        .then(hash_set("set", &[("f", "v")]))
        .then(pop_tail("list"))
        .then(pop_tail("list"))
        .then(sorted_add("list", "m", 2.0));
    assert!(bench.apply(change).await.is_some());
    assert_eq!(bench.all.list("hash", 0, 5).await.expect("a list now"), ["a"]);
    assert_eq!(bench.all.field("set", "f").await.expect("a hash now").as_deref(), Some("v"));
    assert_eq!(bench.all.score("list", "m").await.expect("a sorted set now"), Some(2.0));
}

pub(crate) async fn scores_that_are_no_numbers_are_refused(bench: Bench) {
    for score in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let change = Change::new().then(set_text("k", "v")).then(sorted_add("z", "m", score));
        let error = bench.all.apply(change).await.expect_err("no number");
        assert_eq!(error.to_string(), "the score of a member of a sorted set must be a finite number");
        assert!(!error.is_temporary());
        assert!(bench.holds(absent("k")).await);
    }
}
