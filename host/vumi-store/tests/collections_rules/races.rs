//! Several at once.

use std::sync::Arc;

use vumi_core::{Answer, Change, Guard};

use crate::kit::collections::*;

pub(crate) async fn of_two_changes_with_one_guard_one_wins(bench: Bench) {
    for round in 0..20 {
        let key = format!("k{round}");
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..8 {
            let (all, key) = (Arc::clone(&bench.all), key.clone());
            let change = Change::new().when(absent(&key)).then(set_text(&key, &task.to_string()));
            tasks.spawn(async move { all.apply(change).await.expect("applies").map(|_| task) });
        }
        let won: Vec<i32> = tasks.join_all().await.into_iter().flatten().collect();
        assert_eq!(won.len(), 1, "{won:?}");
        assert_eq!(bench.all.text(&key).await.expect("reads"), Some(won[0].to_string()));
    }
}

pub(crate) async fn an_entry_is_taken_by_one(bench: Bench) {
    let names: Vec<String> = (0..50).map(|n| format!("tag {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    bench.one(push_tail("free", &names)).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let all = Arc::clone(&bench.all);
        tasks.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let Some(head) = all.list("free", 0, 1).await.expect("reads").pop() else { return mine };
                let change = Change::new()
                    .when(Guard::HeadIs { key: "free".to_owned(), value: Some(head.clone()) })
                    .then(pop_head("free"))
                    .then(set_add("inuse", &[&head]));
                if let Some(answers) = all.apply(change).await.expect("applies") {
                    assert_eq!(answers, [value(&head), Answer::Count(1)]);
                    mine.push(head);
                }
            }
        });
    }
    let mut taken: Vec<String> = tasks.join_all().await.into_iter().flatten().collect();
    taken.sort();
    let mut all: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    all.sort();
    assert_eq!(taken, all, "each by one, none lost");
    assert_eq!(bench.all.len("inuse").await.expect("counts"), 50);
}

pub(crate) async fn nobody_sees_half_a_change(bench: Bench) {
    let session = |n: u32| {
        let n = n.to_string();
        let fields = [("a", n.as_str()), ("b", &n), ("c", &n)];
        Change::new().then(delete(&["session"])).then(hash_set("session", &fields)).then(expire("session", 1_000_000))
    };
    bench.apply(session(0)).await;
    let writer = {
        let all = Arc::clone(&bench.all);
        let changes: Vec<Change> = (1..300).map(session).collect();
        tokio::spawn(async move {
            for change in changes {
                all.apply(change).await.expect("applies");
            }
        })
    };
    let mut reads = 0;
    while !writer.is_finished() || reads == 0 {
        let hash = bench.all.hash("session").await.expect("reads");
        let mut values: Vec<&String> = hash.values().collect();
        assert_eq!(values.len(), 3, "{hash:?}");
        values.dedup();
        assert_eq!(values.len(), 1, "{hash:?}");
        reads += 1;
    }
    writer.await.expect("writes");
}

pub(crate) async fn a_bound_is_never_passed(bench: Bench) {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..5 {
        let all = Arc::clone(&bench.all);
        tasks.spawn(async move {
            let mut made = 0;
            for n in 0..10 {
                let change = Change::new()
                    .when(Guard::Below { key: "inflight".to_owned(), len: 10 })
                    .then(push_head("inflight", &[&format!("{task} {n}")]));
                made += usize::from(all.apply(change).await.expect("applies").is_some());
            }
            made
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<usize>(), 10);
    assert_eq!(bench.all.len("inflight").await.expect("counts"), 10);
}
