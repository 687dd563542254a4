//! The monitor: checks 9, 10 and 12.

use std::sync::Arc;
use std::time::Duration;

use tracing::Level;
use vumi_worker::window::{MonitorOptions, WindowManager, WindowOptions};

use super::{Watcher, counts, fill, manager};
use crate::applications::logs::Logs;
use crate::backends::{on_each_backend, until};

on_each_backend! {
    async fn check_09_the_monitors_passes(keys: Keys) {
        let (windows, watcher) = (manager(&keys), Watcher::default());
        for window in ["v", "w"] {
            windows.create_window(window, false).await.unwrap();
            fill(&windows, window, 20).await;
        }
        let pass = || windows.monitor_once(&watcher, true);
        pass().await.unwrap();
        let first = [watcher.taken_in("v"), watcher.taken_in("w")];
        assert_eq!(first.each_ref().map(Vec::len), [10, 10]);
        pass().await.unwrap();
        assert!(watcher.taken.lock().is_empty());
        for (window, keys) in ["v", "w"].into_iter().zip(&first) {
            for key in keys {
                windows.remove_key(window, key).await.unwrap();
            }
        }
        pass().await.unwrap();
        let second = [watcher.taken_in("v"), watcher.taken_in("w")];
        assert_eq!(second.each_ref().map(Vec::len), [10, 10]);
        assert!(watcher.cleaned.lock().is_empty());
        for (window, keys) in ["v", "w"].into_iter().zip(&second) {
            for key in keys {
                windows.remove_key(window, key).await.unwrap();
            }
        }
        windows.monitor_once(&watcher, false).await.unwrap();
        assert_eq!(windows.get_windows().await.unwrap().len(), 2, "without cleanup they stay");
        pass().await.unwrap();
        pass().await.unwrap();
        assert_eq!(*watcher.cleaned.lock(), ["v", "w"]);
        assert_eq!(keys.all().await, Vec::<String>::new());
    }

    async fn check_10_one_monitor_at_a_time(keys: Keys) {
        let windows = manager(&keys);
        windows.monitor(Arc::new(Watcher::default()), MonitorOptions::default()).unwrap();
        let again = windows.monitor(Arc::new(Watcher::default()), MonitorOptions::default());
        assert_eq!(again.unwrap_err().to_string(), "Monitor already started");
        windows.stop().await;
    }

    async fn check_12_a_window_that_was_never_created(keys: Keys) {
        let (windows, watcher) = (manager(&keys), Watcher::default());
        fill(&windows, "w", 1).await;
        windows.monitor_once(&watcher, true).await.unwrap();
        assert!(watcher.taken.lock().is_empty());
        windows.create_window("w", false).await.unwrap();
        windows.monitor_once(&watcher, true).await.unwrap();
        assert_eq!(watcher.taken_in("w").len(), 1);
    }

    async fn a_callback_that_fails_stops_nothing(keys: Keys) {
        let (windows, logs) = (manager(&keys), Logs::watch());
        let watcher = Watcher { fails: true, ..Watcher::default() };
        windows.create_window("w", false).await.unwrap();
        fill(&windows, "w", 3).await;
        windows.monitor_once(&watcher, true).await.unwrap();
        assert_eq!(watcher.taken_in("w").len(), 3);
        assert_eq!(counts(&windows, "w").await, (0, 3), "they fly until they expire");
        let lines = logs.at(Level::ERROR);
        assert!(lines.len() == 3 && lines[0].text.contains("the line is cut"), "{lines:?}");
    }

    async fn the_monitor_and_the_collection_of_garbage_run_until_they_are_stopped(keys: Keys) {
        let options = WindowOptions { window_size: 1, flight_lifetime: Some(10.0), gc_interval: 0.01 };
        let windows = WindowManager::new(&keys.space, keys.clock.clone(), &options).unwrap();
        let watcher = Arc::new(Watcher::default());
        windows.create_window("w", false).await.unwrap();
        fill(&windows, "w", 2).await;
        let often = MonitorOptions { interval: Duration::from_millis(10), cleanup: true };
        windows.monitor(watcher.clone(), often).unwrap();
        windows.collect_garbage(Some(watcher.clone()));
        until("the first takes off", async || watcher.taken.lock().len() == 1).await;
        keys.clock.forward(10);
        until("the second takes off in its place", async || watcher.taken.lock().len() == 2).await;
        keys.clock.forward(10);
        until("the window is cleaned up", async || watcher.cleaned.lock().len() == 1).await;
        assert_eq!(watcher.expired.lock().len(), 2);
        windows.stop().await;
        windows.create_window("w", false).await.unwrap();
        fill(&windows, "w", 1).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(watcher.taken.lock().len(), 2);
    }
}
