//! The operations and the end of flights: checks 1 to 8, 11, 13 and 14.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use vumi_core::Keyspace;
use vumi_message::Timestamp;
use vumi_worker::window::{WindowError, WindowManager, WindowOptions};

use super::{Watcher, counts, fill, manager, take};
use crate::backends::on_each_backend;

on_each_backend! {
    async fn check_01_create_window(keys: Keys) {
        let windows = manager(&keys);
        keys.clock.set(1_400_000_000.25);
        assert_eq!(windows.create_window("w", true).await.unwrap(), Timestamp::from_micros(1_400_000_000_250_000));
        keys.clock.forward(5);
        let error = windows.create_window("w", true).await.unwrap_err();
        assert_eq!(error.to_string(), "Window already exists: w");
        windows.create_window("v", false).await.unwrap();
        keys.clock.forward(5);
        assert_eq!(windows.get_windows().await.unwrap(), ["w", "v"]);
        // Creating it again renews its time, and so its place.
        assert_eq!(windows.create_window("w", false).await.unwrap().secs(), 1_400_000_010);
        assert_eq!(windows.get_windows().await.unwrap(), ["v", "w"]);
        assert_eq!(keys.collections().score("windows", "w").await.unwrap(), Some(1_400_000_010.25));
        assert!(windows.window_exists("w").await.unwrap() && !windows.window_exists("x").await.unwrap());
    }

    async fn check_02_first_in_first_out_up_to_the_size(keys: Keys) {
        let windows = manager(&keys);
        windows.create_window("w", false).await.unwrap();
        let added = fill(&windows, "w", 12).await;
        let taken = take(&windows, "w").await;
        assert_eq!(taken, added[..10]);
        for (n, key) in taken.iter().enumerate() {
            assert_eq!(windows.get_data("w", key).await.unwrap(), Some(json!(n)));
            assert!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
        }
        assert_eq!(counts(&windows, "w").await, (2, 10));
    }

    async fn check_03_a_removed_key_makes_room(keys: Keys) {
        let windows = manager(&keys);
        fill(&windows, "w", 12).await;
        let taken = take(&windows, "w").await;
        windows.remove_key("w", &taken[0]).await.unwrap();
        let next = windows.get_next_key("w").await.unwrap().unwrap();
        assert_eq!(windows.get_data("w", &next).await.unwrap(), Some(json!(10)));
        assert_eq!(windows.get_next_key("w").await.unwrap(), None);
        assert_eq!(windows.get_data("w", &taken[0]).await.unwrap(), None);
        windows.remove_key("w", "nobody").await.unwrap();
        assert_eq!(counts(&windows, "w").await, (1, 10));
    }

    async fn check_04_remove_window(keys: Keys) {
        let windows = manager(&keys);
        windows.create_window("w", false).await.unwrap();
        fill(&windows, "w", 1).await;
        assert_eq!(windows.remove_window("w").await.unwrap_err().to_string(), "Window not empty");
        take(&windows, "w").await;
        windows.remove_window("w").await.unwrap();
        assert!(!windows.window_exists("w").await.unwrap());
        assert_eq!(counts(&windows, "w").await, (0, 1));
    }

    async fn check_05_what_is_stored(keys: Keys) {
        let windows = manager(&keys);
        keys.clock.set(1_400_000_000.5);
        assert_eq!(windows.add("w", &json!({"a": [1]}), Some("k1")).await.unwrap(), "k1");
        assert_eq!(keys.collections().text("windows:w:k1").await.unwrap().unwrap(), r#"{"a": [1]}"#);
        assert_eq!(keys.list("windows:w").await, ["k1"]);
        windows.add("w", &json!(2), Some("k2")).await.unwrap();
        assert_eq!(keys.list("windows:w").await, ["k2", "k1"]);
        assert_eq!(windows.get_next_key("w").await.unwrap().unwrap(), "k1");
        assert_eq!(keys.list("windows:inflight:w").await, ["k1"]);
        let took_off = keys.collections().score("windows:flightstats:w", "k1").await.unwrap();
        assert_eq!(took_off, Some(1_400_000_000.5));
        windows.get_next_key("w").await.unwrap();
        assert_eq!(keys.list("windows:inflight:w").await, ["k2", "k1"]);
    }

    async fn check_06_external_ids(keys: Keys) {
        let windows = manager(&keys);
        windows.add("w", &json!(1), Some("k1")).await.unwrap();
        windows.get_next_key("w").await.unwrap();
        windows.set_external_id("w", "k1", "x9").await.unwrap();
        assert_eq!(windows.get_internal_id("w", "x9").await.unwrap().as_deref(), Some("k1"));
        assert_eq!(windows.get_external_id("w", "k1").await.unwrap().as_deref(), Some("x9"));
        assert_eq!(keys.collections().text("windows:keymap:w:internal:x9").await.unwrap().as_deref(), Some("k1"));
        assert_eq!(keys.collections().text("windows:keymap:w:external:k1").await.unwrap().as_deref(), Some("x9"));
        windows.remove_key("w", "k1").await.unwrap();
        assert_eq!(windows.get_internal_id("w", "x9").await.unwrap(), None);
        assert_eq!(windows.get_external_id("w", "k1").await.unwrap(), None);
        assert_eq!(keys.all().await, Vec::<String>::new());
    }

    async fn check_06_external_ids_are_cleared_and_replaced(keys: Keys) {
        let windows = manager(&keys);
        windows.set_external_id("w", "k1", "x1").await.unwrap();
        windows.set_external_id("w", "k1", "x2").await.unwrap();
        assert_eq!(windows.get_internal_id("w", "x1").await.unwrap(), None);
        assert_eq!(windows.get_internal_id("w", "x2").await.unwrap().as_deref(), Some("k1"));
        windows.clear_external_id("w", "k1").await.unwrap();
        windows.clear_external_id("w", "k1").await.unwrap();
        assert_eq!(keys.all().await, Vec::<String>::new());
    }

    async fn check_07_expired_flights_make_room(keys: Keys) {
        let (windows, watcher) = (manager(&keys), Watcher::default());
        windows.create_window("w", false).await.unwrap();
        let added = fill(&windows, "w", 30).await;
        for round in 0..3 {
            assert_eq!(take(&windows, "w").await.len(), 10);
            assert_eq!(counts(&windows, "w").await, (20 - 10 * round, 10));
            keys.clock.forward(10);
            windows.clear_expired_flight_keys(Some(&watcher)).await.unwrap();
            assert_eq!(windows.count_in_flight("w").await.unwrap(), 0);
        }
        assert_eq!(counts(&windows, "w").await, (0, 0));
        let mut expired: Vec<String> = watcher.expired.lock().iter().map(|(_, key)| key.clone()).collect();
        let mut added = added;
        expired.sort();
        added.sort();
        assert_eq!(expired, added, "each is reported once");
    }

    async fn check_07_of_several_processes_one_reports_an_expired_flight(keys: Keys) {
        let (one, two, watcher) = (manager(&keys), manager(&keys), Watcher::default());
        one.create_window("w", false).await.unwrap();
        fill(&one, "w", 10).await;
        take(&one, "w").await;
        keys.clock.forward(10);
        let both = tokio::join!(
            one.clear_expired_flight_keys(Some(&watcher)),
            two.clear_expired_flight_keys(Some(&watcher)),
        );
        both.0.unwrap();
        both.1.unwrap();
        assert_eq!(watcher.expired.lock().len(), 10);
    }

    async fn check_07_what_has_expired_goes_after_one_more_lifetime(keys: Keys) {
        let (windows, watcher) = (manager(&keys), Watcher::default());
        windows.create_window("w", false).await.unwrap();
        windows.add("w", &json!(1), Some("k1")).await.unwrap();
        windows.get_next_key("w").await.unwrap();
        windows.set_external_id("w", "k1", "x1").await.unwrap();
        keys.clock.forward(10);
        for _ in 0..3 {
            windows.clear_expired_flight_keys(Some(&watcher)).await.unwrap();
        }
        assert_eq!(*watcher.expired.lock(), [("w".to_owned(), "k1".to_owned())]);
        assert_eq!(windows.get_expired_flight_keys("w").await.unwrap(), Vec::<String>::new());
        assert_eq!(windows.get_data("w", "k1").await.unwrap(), Some(json!(1)), "a late answer still finds it");
        for key in ["windows:w:k1", "windows:keymap:w:internal:x1", "windows:keymap:w:external:k1"] {
            let left = keys.collections().ttl(key).await.unwrap().unwrap();
            assert!(left <= Duration::from_secs(10) && left > Duration::from_secs(5), "{key}: {left:?}");
        }
        // A late removal cleans up at once.
        windows.remove_key("w", "k1").await.unwrap();
        assert_eq!(keys.all().await, ["windows"]);
    }

    async fn check_08_the_boundary_is_included(keys: Keys) {
        // Whatever fraction the moment of take-off has.
        for start in [0.0, 1_400_000_000.1, 1_456_820_000.123_457] {
            let windows = manager(&keys);
            keys.clock.set(start);
            windows.add("w", &json!(1), Some("k1")).await.unwrap();
            windows.get_next_key("w").await.unwrap();
            keys.clock.set(start + 9.9);
            assert_eq!(windows.get_expired_flight_keys("w").await.unwrap(), Vec::<String>::new());
            keys.clock.set(start);
            keys.clock.forward(10);
            assert_eq!(windows.get_expired_flight_keys("w").await.unwrap(), ["k1"]);
            windows.remove_key("w", "k1").await.unwrap();
        }
    }

    async fn check_11_the_default_lifetime(keys: Keys) {
        let default = WindowOptions::default();
        assert_eq!((default.window_size, default.gc_interval, default.flight_lifetime), (100, 10.0, None));
        for flight_lifetime in [None, Some(0.0)] {
            let options = WindowOptions { flight_lifetime, ..WindowOptions::default() };
            let windows = WindowManager::new(&keys.space, keys.clock.clone(), &options).unwrap();
            assert_eq!(windows.flight_lifetime(), Duration::from_secs(1000));
        }
        for odd in [
            WindowOptions { window_size: 0, ..WindowOptions::default() },
            WindowOptions { gc_interval: 0.0, ..WindowOptions::default() },
            WindowOptions { flight_lifetime: Some(-1.0), ..WindowOptions::default() },
        ] {
            assert!(WindowManager::new(&keys.space, keys.clock.clone(), &odd).is_err(), "{odd:?}");
        }
    }

    async fn check_13_workers_never_overshoot(keys: Keys) {
        let first = manager(&keys);
        let added = fill(&first, "w", 50).await;
        let done = Arc::new(Mutex::new(Vec::new()));
        let most = Arc::new(Mutex::new(0));
        let work = |_| {
            // Each worker has a manager of its own, as a process would, and keeps three items flying: more than fit.
            let (windows, done, most) = (manager(&keys), done.clone(), most.clone());
            tokio::spawn(async move {
                let mut mine = std::collections::VecDeque::new();
                loop {
                    let taken = windows.get_next_key("w").await.unwrap();
                    let flying = windows.count_in_flight("w").await.unwrap();
                    {
                        let mut most = most.lock();
                        *most = flying.max(*most);
                    }
                    let is_full = taken.is_none() || mine.len() == 3;
                    mine.extend(taken);
                    if is_full {
                        let Some(key) = mine.pop_front() else { break };
                        windows.remove_key("w", &key).await.unwrap();
                        done.lock().push(key);
                    }
                }
            })
        };
        for worker in (0..5).map(work).collect::<Vec<_>>() {
            crate::backends::soon("the worker is done", worker).await.unwrap();
        }
        assert_eq!(*most.lock(), 10);
        assert_eq!(counts(&first, "w").await, (0, 0));
        let (mut done, mut added) = (done.lock().clone(), added);
        done.sort();
        added.sort();
        assert_eq!(done, added, "each took off once");
    }

    async fn check_13_a_slot_that_is_taken_at_the_last_moment(keys: Keys) {
        let options = WindowOptions { window_size: 1, ..WindowOptions::default() };
        let windows = |space: &Keyspace| WindowManager::new(space, keys.clock.clone(), &options).unwrap();
        let other = windows(&keys.space);
        let added = fill(&other, "w", 3).await;
        // Between the look at the free slot and that at the item which is to take it.
        let turn = async move {
            assert!(other.get_next_key("w").await.unwrap().is_some());
            // As many wait as before, so that the place of the next one is where it is looked for.
            fill(&other, "w", 1).await;
        };
        let late = windows(&keys.interrupted("list", turn));
        assert_eq!(late.get_next_key("w").await.unwrap(), None);
        assert_eq!(counts(&late, "w").await, (3, 1));
        assert_eq!(keys.list("windows:inflight:w").await, [added[0].as_str()]);

        // The item itself is taken at the last moment: the next one takes off in its place, if there is room.
        late.remove_key("w", &added[0]).await.unwrap();
        let other = windows(&keys.space);
        let turn = async move {
            let key = other.get_next_key("w").await.unwrap().unwrap();
            other.remove_key("w", &key).await.unwrap();
        };
        let late = windows(&keys.interrupted("apply", turn));
        assert_eq!(late.get_next_key("w").await.unwrap().as_ref(), Some(&added[2]));
        assert_eq!(counts(&late, "w").await, (1, 1));
    }

    async fn check_14_reserved_names(keys: Keys) {
        let windows = manager(&keys);
        for name in ["inflight", "flightstats", "keymap", "inflight:w", "keymap:w:internal"] {
            assert!(matches!(windows.create_window(name, false).await, Err(WindowError::Reserved(_))), "{name}");
            assert!(windows.add(name, &json!(1), None).await.is_err(), "{name}");
            assert!(windows.get_next_key(name).await.is_err(), "{name}");
        }
        assert_eq!(keys.all().await, Vec::<String>::new());
        windows.create_window("inflights", false).await.unwrap();
    }

    async fn data_that_is_no_json_is_an_error_and_not_a_panic(keys: Keys) {
        let windows = manager(&keys);
        let text = vumi_core::Op::SetText { key: "windows:w:k1".into(), value: "{".into() };
        keys.collections().apply(vumi_core::Change::new().then(text)).await.unwrap();
        let error = windows.get_data("w", "k1").await.unwrap_err().to_string();
        assert_eq!(error, "the data of the item k1 in the window w is not JSON");
    }
}
