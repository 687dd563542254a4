//! The calls of the host, in one place. In a component they are those of the contract; in a program for the machine at
//! hand (`cargo test`) a desk in memory answers them, see [`testing`](crate::testing).

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::calls::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use contract::*;

#[cfg(target_arch = "wasm32")]
mod contract {
    use std::time::{Duration, Instant};

    use crate::bindings::vumi::app::{config, http, kv, log, metrics, outbound, types};

    type Result<T> = core::result::Result<T, types::Error>;

    pub(crate) fn kv_get(key: &str) -> Result<Option<String>> {
        kv::get(key)
    }

    pub(crate) fn kv_set(key: &str, value: &str, ttl_seconds: Option<u32>) -> Result<()> {
        kv::set(key, value, ttl_seconds)
    }

    pub(crate) fn kv_delete(key: &str) -> Result<bool> {
        kv::delete(key)
    }

    pub(crate) fn kv_incr(key: &str, amount: i64) -> Result<i64> {
        kv::incr(key, amount)
    }

    pub(crate) fn reply(content: &str, options: &outbound::ReplyOptions) -> Result<String> {
        outbound::reply(Some(content), options)
    }

    pub(crate) fn reply_to_group(content: &str, options: &outbound::ReplyOptions) -> Result<String> {
        outbound::reply_to_group(Some(content), options)
    }

    pub(crate) fn send_to(to_addr: &str, content: &str, options: &outbound::SendOptions) -> Result<String> {
        outbound::send_to(to_addr, Some(content), options)
    }

    pub(crate) fn request(request: &http::HttpRequest) -> Result<http::HttpResponse> {
        http::request(request)
    }

    pub(crate) fn config(key: &str) -> Option<String> {
        config::get(key)
    }

    pub(crate) fn fire(name: &str, value: f64, aggregator: metrics::Aggregator) -> Result<()> {
        metrics::fire(name, value, aggregator)
    }

    pub(crate) fn log(level: log::Level, text: &str) {
        log::log(level, text);
    }

    pub(crate) fn sleep(time: Duration) {
        std::thread::sleep(time);
    }

    /// Time since a moment that stays the same within a run.
    pub(crate) fn elapsed() -> Duration {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}
