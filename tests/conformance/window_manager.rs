//! The window manager (specification: window_manager, checks 1 to 14).

mod monitor;
mod operations;

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::json;
use vumi_core::{Error, Result};
use vumi_worker::window::{WindowManager, WindowOptions, WindowWatcher};

use crate::backends::Keys;

fn manager(keys: &Keys) -> Arc<WindowManager> {
    let options = WindowOptions { window_size: 10, flight_lifetime: Some(10.0), ..WindowOptions::default() };
    WindowManager::new(&keys.space, keys.clock.clone(), &options).unwrap()
}

async fn fill(windows: &WindowManager, window: &str, count: u32) -> Vec<String> {
    let mut added = Vec::new();
    for n in 0..count {
        added.push(windows.add(window, &json!(n), None).await.unwrap());
    }
    added
}

/// Lets everything take off that may.
async fn take(windows: &WindowManager, window: &str) -> Vec<String> {
    let mut taken = Vec::new();
    while let Some(key) = windows.get_next_key(window).await.unwrap() {
        taken.push(key);
    }
    taken
}

async fn counts(windows: &WindowManager, window: &str) -> (u64, u64) {
    (windows.count_waiting(window).await.unwrap(), windows.count_in_flight(window).await.unwrap())
}

/// Writes down what it is told.
#[derive(Default)]
struct Watcher {
    taken: Mutex<Vec<(String, String)>>,
    expired: Mutex<Vec<(String, String)>>,
    cleaned: Mutex<Vec<String>>,
    fails: bool,
}

impl Watcher {
    /// How many took off in a window since it was asked.
    fn taken_in(&self, window: &str) -> Vec<String> {
        let mut all = self.taken.lock();
        let (taken, rest) = all.drain(..).partition(|(of, _)| of == window);
        *all = rest;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, key)| key).collect()
    }
}

#[async_trait]
impl WindowWatcher for Watcher {
    async fn take_off(&self, window: &str, key: &str) -> Result<()> {
        self.taken.lock().push((window.to_owned(), key.to_owned()));
        if self.fails { Err(Error::permanent("the line is cut")) } else { Ok(()) }
    }

    async fn expired(&self, window: &str, key: &str) {
        self.expired.lock().push((window.to_owned(), key.to_owned()));
    }

    async fn cleaned_up(&self, window: &str) {
        self.cleaned.lock().push(window.to_owned());
    }
}
