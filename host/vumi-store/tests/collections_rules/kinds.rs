//! What each kind of collection does by itself.

use std::collections::BTreeSet;

use vumi_core::{Answer, Op, Scores};

use crate::kit::collections::*;

fn set(members: &[&str]) -> BTreeSet<String> {
    members.iter().map(|member| (*member).to_owned()).collect()
}

/// Texts that something on the way might mistake for something else.
fn odd_texts() -> Vec<String> {
    let mut all: Vec<String> = [
        "", " ", "0", "1", "-1", "01", "1.0", "nil", "false", "#", "*", "?", "[a]", "\\", "'", "\"", "{", "}", "{}",
        "{x}",
    ]
    .iter()
    .map(|text| (*text).to_owned())
    .collect();
    all.extend(
        ["\0", "a\0b", "\r\n", "$5\r\n", "ключ", "e\u{301}", "é", "🔑", "\u{10ffff}", "none"].map(str::to_owned),
    );
    all.push("x".repeat(5_000));
    all
}

pub(crate) async fn texts(bench: Bench) {
    assert_eq!(bench.all.text("k").await.expect("reads"), None);
    assert_eq!(bench.one(set_text("k", "v")).await, Answer::Done);
    assert_eq!(bench.all.text("k").await.expect("reads").as_deref(), Some("v"));
    assert_eq!(bench.one(set_text("k", "")).await, Answer::Done);
    assert_eq!(bench.all.text("k").await.expect("reads").as_deref(), Some(""));
    bench.one(set_add("set", &["a"])).await;
    assert_eq!(bench.one(set_text("set", "now a text")).await, Answer::Done);
    assert_eq!(bench.all.text("set").await.expect("reads").as_deref(), Some("now a text"));
    assert_eq!(bench.one(delete(&["k", "k", "absent", "set"])).await, Answer::Count(2));
    assert_eq!(bench.all.text("k").await.expect("reads"), None);
}

pub(crate) async fn hashes(bench: Bench) {
    let all = &bench.all;
    assert!(all.hash("h").await.expect("reads").is_empty());
    assert_eq!(bench.one(hash_set("h", &[("a", "1"), ("b", "2"), ("a", "3")])).await, Answer::Count(2));
    assert_eq!(bench.one(hash_set("h", &[("b", ""), ("c", "4")])).await, Answer::Count(1));
    let hash: Vec<_> = all.hash("h").await.expect("reads").into_iter().collect();
    let wanted = [("a", "3"), ("b", ""), ("c", "4")].map(|(field, value)| (field.to_owned(), value.to_owned()));
    assert_eq!(hash, wanted);
    assert_eq!(all.field("h", "b").await.expect("reads").as_deref(), Some(""));
    assert_eq!(all.field("h", "z").await.expect("reads"), None);
    assert_eq!(all.field("absent", "z").await.expect("reads"), None);
    assert_eq!(all.len("h").await.expect("counts"), 3);
    assert_eq!(bench.one(hash_remove("h", &["a", "z", "a"])).await, Answer::Count(1));
    assert_eq!(all.len("h").await.expect("counts"), 2);
}

pub(crate) async fn sets(bench: Bench) {
    let all = &bench.all;
    assert!(all.members("s").await.expect("reads").is_empty());
    assert_eq!(bench.one(set_add("s", &["a", "b", "a"])).await, Answer::Count(2));
    assert_eq!(bench.one(set_add("s", &["b", "c"])).await, Answer::Count(1));
    assert_eq!(all.members("s").await.expect("reads"), set(&["a", "b", "c"]));
    assert!(all.has("s", "a").await.expect("reads") && !all.has("s", "z").await.expect("reads"));
    assert!(!all.has("absent", "a").await.expect("reads"));
    assert_eq!(bench.one(set_remove("s", &["a", "z"])).await, Answer::Count(1));
    assert_eq!(all.len("s").await.expect("counts"), 2);
    let mut popped = BTreeSet::new();
    for _ in 0..2 {
        let Answer::Value(Some(member)) = bench.one(set_pop("s")).await else { panic!("there are members") };
        popped.insert(member);
    }
    assert_eq!(popped, set(&["b", "c"]));
    assert_eq!(bench.one(set_pop("s")).await, Answer::Value(None));
}

pub(crate) async fn lists(bench: Bench) {
    let all = &bench.all;
    let entries = async |skip, limit| all.list("l", skip, limit).await.expect("reads");
    assert_eq!(entries(0, 10).await, [""; 0]);
    assert_eq!(bench.one(push_tail("l", &["c", "d"])).await, Answer::Count(2));
    assert_eq!(bench.one(push_head("l", &["b", "a"])).await, Answer::Count(4));
    assert_eq!(entries(0, u64::MAX).await, ["a", "b", "c", "d"]);
    assert_eq!(entries(1, 2).await, ["b", "c"]);
    assert_eq!(entries(3, 5).await, ["d"]);
    assert_eq!(entries(4, 1).await, [""; 0]);
    assert_eq!(entries(0, 0).await, [""; 0]);
    assert_eq!(entries(u64::MAX, u64::MAX).await, [""; 0]);
    assert_eq!(bench.one(pop_head("l")).await, value("a"));
    assert_eq!(bench.one(pop_tail("l")).await, value("d"));
    bench.one(push_tail("l", &["b", "x", "b"])).await;
    assert_eq!(bench.one(list_remove("l", "b")).await, Answer::Count(3));
    assert_eq!(bench.one(list_remove("l", "b")).await, Answer::Count(0));
    assert_eq!(entries(0, 10).await, ["c", "x"]);
    assert_eq!(bench.one(pop_tail("absent")).await, Answer::Value(None));
    assert_eq!(bench.one(pop_head("absent")).await, Answer::Value(None));
}

pub(crate) async fn sorted_sets(bench: Bench) {
    let all = &bench.all;
    let sorted = async |min, max, limit| {
        let found = all.sorted("z", Scores { min, max }, limit).await.expect("reads");
        found.into_iter().map(|(member, score)| format!("{member}={score}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(sorted(None, None, 10).await, "");
    for (member, score) in [("b", 1.0), ("a", 1.0), ("é", 1.0), ("z", -2.5), ("y", 10.0)] {
        assert_eq!(bench.one(sorted_add("z", member, score)).await, Answer::Count(1));
    }
    assert_eq!(bench.one(sorted_add("z", "y", 3.0)).await, Answer::Count(0));
    assert_eq!(sorted(None, None, 10).await, "z=-2.5 a=1 b=1 é=1 y=3");
    assert_eq!(sorted(Some(1.0), Some(3.0), 10).await, "a=1 b=1 é=1 y=3", "both ends included");
    assert_eq!(sorted(Some(1.0), None, 2).await, "a=1 b=1");
    assert_eq!(sorted(None, Some(0.0), u64::MAX).await, "z=-2.5");
    assert_eq!(sorted(Some(2.0), Some(1.0), 10).await, "");
    assert_eq!(sorted(None, None, 0).await, "");
    assert_eq!(sorted(Some(f64::NEG_INFINITY), Some(f64::INFINITY), 1).await, "z=-2.5");
    assert_eq!(all.score("z", "y").await.expect("reads"), Some(3.0));
    assert_eq!(all.score("z", "absent").await.expect("reads"), None);
    assert_eq!(bench.one(sorted_remove("z", &["a", "absent"])).await, Answer::Count(1));
    assert_eq!(all.len("z").await.expect("counts"), 4);
    let nonsense = all.sorted("z", Scores { min: Some(f64::NAN), max: None }, 1).await.expect_err("no number");
    assert!(!nonsense.is_temporary(), "{nonsense}");
}

pub(crate) async fn scores_are_exact(bench: Bench) {
    let scores =
        [0.1 + 0.2, 1.0 / 3.0, 1_700_000_000.123_456_7, f64::MAX, f64::MIN, 5e-324, -1e-300, 9_007_199_254_740_993.0];
    for (n, score) in scores.into_iter().enumerate() {
        let member = n.to_string();
        bench.one(sorted_add("z", &member, score)).await;
        assert_eq!(bench.all.score("z", &member).await.expect("reads"), Some(score));
        let at = Scores { min: Some(score), max: Some(score) };
        assert_eq!(bench.all.sorted("z", at, 10).await.expect("reads"), [(member, score)]);
    }
    // Minus zero is zero, in its place and in its order.
    bench.one(sorted_add("zero", "b", -0.0)).await;
    bench.one(sorted_add("zero", "a", 0.0)).await;
    let found = bench.all.sorted("zero", Scores { min: Some(0.0), max: Some(-0.0) }, 10).await.expect("reads");
    assert_eq!(found, [("a".to_owned(), 0.0), ("b".to_owned(), 0.0)]);
    assert!(found.iter().all(|(_, score)| score.is_sign_positive()));
}

pub(crate) async fn any_text_is_a_key_a_field_and_a_member(bench: Bench) {
    let all = odd_texts();
    let fields: Vec<_> = all.iter().map(|text| (text.clone(), text.clone())).collect();
    let key = |n: usize| format!("k{n}{}", all[n]);
    for (n, text) in all.iter().enumerate() {
        assert_eq!(bench.one(set_text(&key(n), text)).await, Answer::Done);
    }
    for (n, text) in all.iter().enumerate() {
        assert_eq!(bench.all.text(&key(n)).await.expect("reads").as_deref(), Some(text.as_str()));
    }
    let count = Answer::Count(all.len() as u64);
    assert_eq!(bench.one(Op::HashSet { key: "hash".to_owned(), fields: fields.clone() }).await, count);
    assert_eq!(bench.all.hash("hash").await.expect("reads"), fields.into_iter().collect());
    assert_eq!(bench.one(Op::SetAdd { key: "set".to_owned(), members: all.clone() }).await, count);
    assert_eq!(bench.all.members("set").await.expect("reads"), all.iter().cloned().collect());
    assert_eq!(bench.one(Op::PushTail { key: "list".to_owned(), values: all.clone() }).await, count);
    assert_eq!(bench.all.list("list", 0, 1_000).await.expect("reads"), all);
    for text in &all {
        assert!(bench.all.has("set", text).await.expect("reads"), "{text:?}");
        assert_eq!(bench.all.field("hash", text).await.expect("reads").as_ref(), Some(text));
        assert_eq!(bench.one(pop_head("list")).await, value(text));
        bench.one(sorted_add("sorted", text, 1.0)).await;
    }
    let mut ordered = all.clone();
    ordered.sort();
    let sorted = bench.all.sorted("sorted", Scores::default(), 1_000).await.expect("reads");
    assert_eq!(sorted.into_iter().map(|(member, _)| member).collect::<Vec<_>>(), ordered, "bytewise");
}

pub(crate) async fn keys_are_found_by_their_beginning(bench: Bench) {
    for key in ["a", "a*", "a*b", "a?", "ab", "a[b", "b"] {
        bench.one(set_add(key, &["m"])).await;
    }
    bench.one(hash_set("a:hash", &[("f", "v")])).await;
    bench.one(set_text("a:text", "v")).await;
    let keys = async |prefix, limit| {
        let mut keys = bench.all.keys(prefix, limit).await.expect("lists");
        keys.sort();
        keys
    };
    assert_eq!(keys("a*", 100).await, ["a*", "a*b"]);
    assert_eq!(keys("a:", 100).await, ["a:hash", "a:text"]);
    assert_eq!(keys("", 100).await.len(), 9);
    assert_eq!(keys("", 4).await.len(), 4);
    assert_eq!(keys("", 0).await, [""; 0]);
    assert_eq!(keys("zz", 100).await, [""; 0]);
}

pub(crate) async fn collections_larger_than_one_call_can_pass(bench: Bench) {
    let many: Vec<String> = (0..25_000).map(|n| format!("member {n}")).collect();
    let fields = many.iter().map(|member| (member.clone(), "v".to_owned())).collect();
    let all = Answer::Count(25_000);
    assert_eq!(bench.one(Op::HashSet { key: "hash".to_owned(), fields }).await, all);
    assert_eq!(bench.one(Op::SetAdd { key: "set".to_owned(), members: many.clone() }).await, all);
    assert_eq!(bench.one(Op::PushTail { key: "list".to_owned(), values: many.clone() }).await, all);
    assert_eq!(bench.one(Op::PushHead { key: "back".to_owned(), values: many.clone() }).await, all);
    for key in ["hash", "set", "list", "back"] {
        assert_eq!(bench.all.len(key).await.expect("counts"), 25_000);
    }
    assert_eq!(bench.all.list("list", 24_999, 5).await.expect("reads"), ["member 24999"]);
    assert_eq!(bench.all.list("back", 24_999, 5).await.expect("reads"), ["member 0"]);
    assert_eq!(bench.one(Op::HashRemove { key: "hash".to_owned(), fields: many.clone() }).await, all);
    assert_eq!(bench.one(Op::SetRemove { key: "set".to_owned(), members: many }).await, all);
    assert!(!bench.holds(exists("hash")).await && !bench.holds(exists("set")).await);
}
