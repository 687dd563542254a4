//! What one run of an app may use.
//!
//! Every limit is an option with a default; each has its own error code (see [`vumi_core::Outcome`]), so that an
//! owner sees which one stopped a run. Limits of the whole run stop it; limits of one call (a value too large, one
//! key too many) are answered to the guest as an error that it can handle.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::ByteSize;

/// The limits of one app; per message unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// CPU time of the guest itself, in milliseconds. Time in which another process has the processor does not
    /// count, nor does waiting for a host call. Beyond it: `cpu-limit`.
    #[schemars(range(min = 1))]
    pub cpu_ms: u64,
    /// Linear memory, all memories of the instance together. Beyond it growing fails; a guest that cannot go on
    /// without ends as `memory-limit`.
    pub memory: ByteSize,
    /// Elements in tables, all tables together. Beyond it: `table-limit`.
    #[schemars(range(max = 100_000))]
    pub table_elements: usize,
    /// Host calls of all kinds. Beyond it: `host-call-limit`.
    #[schemars(range(min = 1))]
    pub host_calls: u64,
    /// Bytes that one host call, or the guest's answer, may carry to the host. Beyond it: `transfer-limit`.
    pub transfer: ByteSize,
    /// Outbound messages. Beyond it the call fails with `quota`. For a router: copies of one message; beyond it the
    /// message is not routed.
    pub outbound_messages: u64,
    /// Bytes written to the log, standard output and standard error, together. Beyond it: `log-limit`.
    pub log_bytes: ByteSize,
    /// HTTP requests. Beyond it the call fails with `quota`.
    pub http_requests: u64,
    /// Bytes of HTTP request and response bodies together. Beyond it the call fails with `quota`.
    pub http_bytes: ByteSize,
    /// Keys in kv, over the lifetime of the app. A new key that would reach this number is refused with `quota`
    /// (so that 99 keys fit under the default, as in Vumi).
    #[schemars(range(min = 1))]
    pub kv_keys: u64,
    /// Above this number of keys each new one writes a warning to the app's log; four fifths of `kv_keys` unless
    /// given.
    pub kv_keys_soft: Option<u64>,
    /// Size of one kv value. Beyond it the call fails with `quota`.
    pub kv_value: ByteSize,
    /// Names of metrics that the app may fire, over the lifetime of the host process. Beyond it the call fails with
    /// `quota`.
    pub metric_names: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu_ms: 1_000,
            memory: ByteSize::mib(64),
            table_elements: 20_000,
            host_calls: 10_000,
            transfer: ByteSize::mib(2),
            outbound_messages: 100,
            log_bytes: ByteSize::mib(1),
            http_requests: 20,
            http_bytes: ByteSize::mib(10),
            kv_keys: 100,
            kv_keys_soft: None,
            kv_value: ByteSize::kib(64),
            metric_names: 200,
        }
    }
}

impl Limits {
    /// The soft limit of keys.
    pub fn soft_keys(&self) -> u64 {
        self.kv_keys_soft.unwrap_or(self.kv_keys * 4 / 5)
    }
}
