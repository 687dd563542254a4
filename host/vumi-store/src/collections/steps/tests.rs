//! The bookkeeping holds whatever is done.

use super::*;

/// Whatever happens, the costs and the index of expiries agree with the entries.
#[test]
fn a_random_walk_keeps_everything_sound() {
    let bounds = MemoryBounds { keys: 6, bytes: 3_000 };
    let (mut model, mut copy, mut now, mut dice) = (Model::default(), Model::default(), 1_000_i64, 3_u64);
    let mut below = |bound: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % bound
    };
    let (mut full, mut wrong) = (0, 0);
    for _ in 0..20_000 {
        now += below(20) as i64;
        let mut change = Change::new();
        for _ in 0..=below(3) {
            let key = format!("k{}", below(10));
            let value = "v".repeat(below(60) as usize);
            change = change.then(match below(14) {
                0 => Op::SetText { key, value },
                1 => Op::Delete { keys: vec![key] },
                2 => Op::Expire { key, ttl_ms: below(300) },
                3 => Op::HashSet { key, fields: vec![(below(4).to_string(), value)] },
                4 => Op::HashRemove { key, fields: vec![below(4).to_string()] },
                5 => Op::SetAdd { key, members: vec![value] },
                6 => Op::SetRemove { key, members: vec![value] },
                7 => Op::SetPop { key },
                8 => Op::PushHead { key, values: vec![value.clone(), value] },
                9 => Op::PushTail { key, values: vec![value] },
                10 => Op::PopTail { key },
                11 => Op::ListRemove { key, value },
                12 => Op::SortedAdd { key, member: value, score: below(5) as f64 },
                _ => Op::SortedRemove { key, members: vec![value] },
            });
        }
        match model.apply(&change, &bounds, now) {
            Ok(answers) => {
                assert!(answers.is_some());
                // What a log of the changes leads to is the same.
                copy.replay(&[Op::Delete { keys: std::mem::take(&mut model.swept) }], now).expect("replays");
                copy.replay(&change.ops, now).expect("replays");
            }
            Err(StoreError::CollectionsFull { .. }) => full += 1,
            Err(error) => {
                assert!(matches!(error, StoreError::WrongType), "{error}");
                wrong += 1;
            }
        }
        model.entries.assert_sound();
        assert!(model.entries.len() <= 6 && model.entries.bytes() <= 3_000);
        if model.swept.is_empty() {
            assert_eq!(model.entries, copy.entries);
        }
    }
    assert!(full > 100 && wrong > 100, "{full} {wrong}");
}
